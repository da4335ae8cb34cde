/** @file The file behind the state, opened: durable, checked, and of a version that is known. The only one that knows libsql. */
import { statSync } from 'node:fs';
import Database from 'libsql';
import { complain, LatstreamError } from '../foundation/index.js';
import { MIGRATIONS } from './migrations.js';

export type State = Database.Database;

/** Which file each is, once it is there. */
const PLACES = new WeakMap<State, { readonly path: string; readonly inode: number | undefined }>();
const inodeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;

/**
 * Opens or makes a database. What is committed survives `kill -9` and a loss of power.
 * @throws DAEMON_STATE_VERSION, DAEMON_STATE_DAMAGED, DAEMON_STATE_WRITE
 */
export function openDatabase(path: string): State {
  let database: State | undefined;
  try {
    const opened = new Database(path);
    database = opened;
    opened.pragma('busy_timeout = 1000'); // nobody is answered meanwhile
    const version = Number(valueOf(opened, 'user_version'));
    if (version > MIGRATIONS.length) refuseVersion(path, version);
    opened.pragma('journal_mode = WAL');
    opened.pragma('synchronous = FULL');
    const found = String(valueOf(opened, 'quick_check'));
    if (found !== 'ok') damaged(path, found);
    migrate(opened, version);
    PLACES.set(opened, { path, inode: inodeOf(path) });
    return opened;
  } catch (error) {
    database?.close();
    return stateError(path, error);
  }
}

/** Whether the file that was opened is still under its name: in one that was removed, nothing is kept. */
export function isInPlace(database: State): boolean {
  const place = PLACES.get(database);
  return place === undefined || inodeOf(place.path) === place.inode;
}

/** Runs `work` as one transaction: all of it happens, or nothing. @throws DAEMON_STATE_WRITE, and what `work` throws */
export function transact<T>(database: State, work: () => T): T {
  if (!isInPlace(database)) gone(database.name);
  try {
    return database.transaction(work).immediate();
  } catch (error) {
    return stateError(database.name, error);
  }
}

function migrate(database: State, version: number): void {
  MIGRATIONS.slice(version).forEach((statements, at) => {
    transact(database, () => {
      database.exec(statements);
      database.pragma(`user_version = ${version + at + 1}`);
    });
  });
}

function valueOf(database: State, name: string): unknown {
  const [row] = database.prepare(`PRAGMA ${name}`).all() as readonly Readonly<Record<string, unknown>>[];
  return row?.[name];
}

function refuseVersion(path: string, version: number): never {
  return complain({
    code: 'DAEMON_STATE_VERSION',
    owner: `daemon state ${path}`,
    expected: `version ${MIGRATIONS.length} or an older one`,
    got: `version ${version}, written by a newer latstream`,
    hint: 'start that version again, or choose another --state; nothing was changed',
  });
}

function gone(path: string): never {
  return complain({
    code: 'DAEMON_STATE_WRITE',
    owner: `daemon state ${path}`,
    expected: 'the database that was opened',
    got: 'none, or another one, under its name',
    hint: 'put the directory back, or end this daemon: what it has changed since is nowhere',
  });
}

function damaged(path: string, got: string, cause?: unknown): never {
  return complain(
    {
      code: 'DAEMON_STATE_DAMAGED',
      owner: `daemon state ${path}`,
      expected: 'a whole database',
      got,
      hint: 'restore it from a copy, or move it away: the directories of runs are whole and go on with train --resume',
    },
    { cause },
  );
}

function stateError(path: string, error: unknown): never {
  if (error instanceof LatstreamError) throw error;
  const { code, message } = error as { code?: unknown; message?: string };
  // A file that cannot be opened has an empty code.
  if (code !== '' && !String(code).startsWith('SQLITE_')) throw error;
  if (code === 'SQLITE_CORRUPT' || code === 'SQLITE_NOTADB') damaged(path, message ?? code, error);
  return complain(
    {
      code: 'DAEMON_STATE_WRITE',
      owner: `daemon state ${path}`,
      expected: 'a database that can be written',
      got: message ?? String(code),
      hint: 'check permissions and free space of its directory, and that no other program holds it',
    },
    { cause: error },
  );
}
