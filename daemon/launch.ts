/** @file A run's process as the supervisor sees it. Types only: whoever wires the daemon brings the way to start one. */
import type { Metric } from '../streams/index.js';
import type { Settings } from './protocol.js';

/** What is to be run: begun where its directory is new, gone on with where it is not. */
export interface Launch {
  readonly id: string;
  /** As it was submitted; a directory that was begun has its own, frozen. */
  readonly recipe: unknown;
  readonly directory: string;
  /** What was asked for and has not been taken yet. */
  readonly settings: Settings;
  /** Another machine may go on with its directory, elsewhere. */
  readonly movable?: true;
}

/** How a process ended: all done; stopped with everything saved; for good; of something that may pass; or of what somebody must mend. */
export type LaunchEnd =
  { readonly kind: 'finish' | 'save' } | { readonly kind: 'fail' | 'die' | 'halt'; readonly reason: string };

/** A run that has a process, or will have one in a moment. */
export interface Launched {
  /** Where its live page is, once there is one. */
  readonly page: string | undefined;
  readonly pid: number | undefined;
  /** Lets it finish its step, save everything and end. */
  stop(): void;
  /** For the arm that is trained, from its next step on. */
  change(settings: Settings): void;
  /** Ends it at once; its last checkpoint stays. */
  kill(): void;
  /** Never rejects; behind it nothing of the run is left in this process. */
  readonly ended: Promise<LaunchEnd>;
}

/** What a run says while it runs. */
export interface Listener {
  metric(metric: Metric): void;
  /** For people. */
  note(text: string): void;
  /** It has taken these settings; whatever happens to it, they stay. */
  changed(settings: Settings): void;
}

export type Launcher = (run: Launch, listener: Listener) => Launched;
