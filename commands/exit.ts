/** @file Exit codes, and which error means which. Depends on nothing but errors. */
import { LatstreamError } from '../foundation/index.js';

/** What the process says when it ends; also printed by `latstream --help`. */
export const EXIT = {
  ok: 0,
  /** A defect of latstream: please report it. */
  internal: 1,
  /** The command line or the recipe. */
  usage: 2,
  /** Model, tokenizer, dataset or checkpoint. */
  input: 3,
  /** Training diverged; the last good checkpoint is kept. */
  diverged: 4,
  /** The machine: a port in use, a directory that cannot be written. */
  environment: 5,
  /** Stopped by a signal, after a checkpoint. */
  interrupted: 130,
} as const;

/** By prefix of the error's code; the longest one counts. */
const BY_PREFIX: Readonly<Record<string, number>> = {
  RECIPE: EXIT.usage,
  REPORT: EXIT.usage,
  USAGE: EXIT.usage,
  RUN: EXIT.usage,
  RUN_BUSY: EXIT.environment,
  RUN_CORRUPT: EXIT.input,
  RUN_DIED: EXIT.environment,
  RUN_MEMORY: EXIT.environment,
  OUT: EXIT.usage,
  OUT_NOT_WRITABLE: EXIT.environment,
  SITE: EXIT.usage,
  SWEEP: EXIT.usage,
  SWEEP_INCOMPLETE: EXIT.input,
  LOSS: EXIT.usage,
  LOSS_NOT_FINITE: EXIT.diverged,
  LORA: EXIT.usage,
  TRAIN: EXIT.usage,
  TRAIN_LOSS_NOT_FINITE: EXIT.diverged,
  MICROBATCHES: EXIT.usage,
  SPLIT: EXIT.usage,
  EVALUATE: EXIT.usage,
  ABLATION: EXIT.usage,
  SUFFIX: EXIT.input,
  EXECUTOR: EXIT.environment,
  PRECISION: EXIT.environment,
  JUDGE: EXIT.environment,
  ATTACKER: EXIT.environment,
  SLOTS: EXIT.usage,
  BYTES: EXIT.input,
  REMOTE: EXIT.input,
  REMOTE_UNREACHABLE: EXIT.environment,
  HUB: EXIT.input,
  HUB_REFERENCE: EXIT.usage,
  HUB_DISK: EXIT.environment,
  SAFETENSORS: EXIT.input,
  GGUF: EXIT.input,
  MODEL: EXIT.input,
  PEFT: EXIT.input,
  ADAPTER: EXIT.input,
  TOKENIZER: EXIT.input,
  TOKENS: EXIT.input,
  CHAT: EXIT.input,
  ENCODE: EXIT.input,
  DATASET: EXIT.input,
  TABLE: EXIT.input,
  QUALITY: EXIT.input,
  TRIGGER: EXIT.input,
  POOL: EXIT.input,
  SEQUENCE: EXIT.input,
  EXAMPLE: EXIT.input,
  PACK: EXIT.input,
  LABELS: EXIT.input,
  CURSOR: EXIT.input,
  CHECKPOINT: EXIT.input,
  GENERATE: EXIT.input,
  GENERATE_NAN: EXIT.diverged,
  INTERRUPTED: EXIT.interrupted,
  MONITOR: EXIT.environment,
  DAEMON: EXIT.environment,
  DAEMON_ADDRESS: EXIT.usage,
  DAEMON_CONFIG: EXIT.usage,
  DAEMON_REQUEST: EXIT.usage,
  DAEMON_RUN: EXIT.usage,
  DAEMON_STATE_DAMAGED: EXIT.input,
  DAEMON_TLS: EXIT.usage,
  DAEMON_TOKEN: EXIT.usage,
  DAEMON_ROLE: EXIT.usage,
  FLEET: EXIT.environment,
  FLEET_QUEUE_ADDRESS: EXIT.usage,
  FLEET_STORE_ADDRESS: EXIT.usage,
  FLEET_STORE_DIFFERS: EXIT.usage,
  COLLECT: EXIT.environment,
  COLLECT_CHANGED: EXIT.usage,
  COLLECT_NAME: EXIT.input,
  COLLECT_PLACE: EXIT.usage,
  WATCH: EXIT.environment,
  WATCH_UNKNOWN: EXIT.usage,
  RECORD: EXIT.environment,
  ENVIRONMENT: EXIT.environment,
};

/** Errors of the operating system that are nobody's defect; reported as `SYSTEM_` and the system's own code. */
const SYSTEM = new Set(
  [
    ['EACCES', 'EPERM', 'ENOSPC', 'EROFS', 'EDQUOT', 'EIO', 'EFBIG', 'EMFILE', 'ENFILE', 'EADDRINUSE'],
    [
      'EEXIST',
      'EISDIR',
      'ENOENT',
      'ENOTDIR',
      'ENOTFILE',
      'ENOTEMPTY',
      'ELOOP',
      'ENAMETOOLONG',
      'EXDEV',
      'EBUSY',
    ],
  ].flat(),
);

/** The exit code of an error. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof LatstreamError))
    return systemCode(error) === undefined ? EXIT.internal : EXIT.environment;
  const prefix = Object.keys(BY_PREFIX)
    .filter((each) => error.code === each || error.code.startsWith(`${each}_`))
    .sort((a, b) => b.length - a.length)[0];
  return prefix === undefined ? EXIT.internal : (BY_PREFIX[prefix] ?? EXIT.internal);
}

function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && SYSTEM.has(code) ? `SYSTEM_${code}` : undefined;
}

/** What goes to stderr: one line for people (or one JSON object), and the stack where it is our defect. */
export function errorReport(error: unknown, json: boolean): string {
  const exit = exitCodeOf(error);
  if (json) {
    const [code, message] = [codeOf(error), messageOf(error)];
    const complaint = error instanceof LatstreamError ? error.complaint : {};
    return `${JSON.stringify({ error: { ...complaint, code, message, exit } })}\n`;
  }
  const stack = exit === EXIT.internal && error instanceof Error ? `\n${error.stack ?? ''}` : '';
  return `latstream: ${saidBriefly(error)}${stack}\n`;
}

/** What is wrong, and the code behind it. */
export function saidBriefly(error: unknown): string {
  return `${messageOf(error)} [${codeOf(error)}]`;
}

function codeOf(error: unknown): string {
  return error instanceof LatstreamError ? error.code : (systemCode(error) ?? 'INTERNAL');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
