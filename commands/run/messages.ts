/** @file What the process of a run and the one that serves people say to each other. Types, and errors as data. */
import { LatstreamError, type Complaint } from '../../foundation/index.js';
import type { Evaluation, Settings } from '../../operators/index.js';
import type { Recipe } from '../../recipes/index.js';
import type { Control, Metric } from '../../streams/index.js';
import type { AskedSettings } from './live-settings.js';
import type { Summary } from './summary.js';

/** What a run's process works on. */
export interface JobSpec {
  /** Every path in it absolute. */
  readonly recipe: Recipe;
  /** The run's directory. */
  readonly out: string;
  /** Two steps instead of all, nothing kept: what would a run cost? */
  readonly dryRun: boolean;
}

/** The first message to a run's process. */
export interface StartMessage {
  readonly type: 'start';
  readonly spec: JobSpec;
}

export type ControlMessage = { readonly type: 'pause' | 'resume' | 'stop' };

/** Settings for the arm that is trained, from its next step on. */
export interface ChangeMessage {
  readonly type: 'change';
  readonly settings: Settings;
}

/** What a run will cost. */
export interface Costs {
  readonly arm: string;
  readonly parameters: number;
  readonly trainedParameters: number;
  /** Peak resident memory of the process during the steps that were tried, bytes. */
  readonly residentBytes: number;
  /** Weights, trained copies and the optimizer's moments, bytes. */
  readonly weightBytes: number;
  readonly optimizerBytes: number;
  /** Median of the tried steps after the first, which compiles. */
  readonly secondsPerStep: number;
  readonly compileSeconds: number;
  readonly steps: number;
}

export type JobMessage =
  | { readonly type: 'metric'; readonly metric: Metric }
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'changed'; readonly settings: Settings }
  | { readonly type: 'evaluation'; readonly name: string; readonly evaluation: Evaluation }
  | { readonly type: 'done'; readonly summary: Summary }
  | { readonly type: 'stopped' }
  | { readonly type: 'costs'; readonly costs: readonly Costs[] }
  | { readonly type: 'failed'; readonly error: PlainError };

/** What a job needs from whoever runs it. */
export interface JobHost {
  readonly send: (message: JobMessage) => void;
  readonly control: Control;
  readonly asked?: AskedSettings;
}

/** What the operating system called an error, or what caused it: `ENOSPC`. */
export function systemCodeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: unknown };
  const own = typeof code === 'string' && !(error instanceof LatstreamError);
  return own ? code : systemCodeOf(cause);
}

/** An error on its way to another process: structured cloning would lose its class. */
export interface PlainError {
  readonly complaint?: Complaint;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly code?: string | undefined;
}

export function plainError(error: unknown): PlainError {
  if (error instanceof LatstreamError)
    return { complaint: error.complaint, message: error.message, code: systemCodeOf(error.cause) };
  if (!(error instanceof Error)) return { message: String(error) };
  return { message: error.message, stack: error.stack, code: systemCodeOf(error) };
}

export function revivedError(plain: PlainError): Error {
  if (plain.complaint) return new LatstreamError(plain.complaint, { cause: { code: plain.code } });
  const error = new Error(plain.message);
  return Object.assign(error, { stack: plain.stack ?? error.stack, code: plain.code });
}
