/** @file Which daemon this is, among those that share a queue. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

export interface Identity {
  /** Another one each time that it starts. */
  readonly id: string;
  /** Its machine, for people. */
  readonly host: string;
  readonly pid: number;
  /** Of latstream. */
  readonly version: string;
  /** When it started, UTC. */
  readonly since: string;
}

/** Of this process, from now on. */
export function newIdentity(version: string): Identity {
  const since = new Date().toISOString();
  return { id: randomUUID(), host: hostname(), pid: process.pid, version, since };
}
