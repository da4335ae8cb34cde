/** @file Which trouble a worker has met. */
import type { LaunchEnd } from '../daemon/index.js';
import { LatstreamError } from '../foundation/index.js';

/** Somebody else has the run. */
export function isLost(error: unknown): boolean {
  return error instanceof LatstreamError && error.code === 'FLEET_LEASE_LOST';
}

/** Of a store, of Redis or of this machine: trying again may help. */
export function isPassing(error: unknown): boolean {
  return !(error instanceof LatstreamError) || ['FLEET_REDIS', 'FLEET_STORE'].includes(error.code);
}

/** What was not found on its way here may be found again. */
export function endOf(error: unknown): LaunchEnd {
  return { kind: isPassing(error) ? 'die' : 'fail', reason: messageOf(error) };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
