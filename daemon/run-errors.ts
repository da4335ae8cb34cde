/** @file What is wrong with what is asked of a run of the queue. */
import { complain } from '../foundation/index.js';
import type { Standing } from './transitions.js';

export function unknownRun(id: string): never {
  return complain({
    code: 'DAEMON_RUN_UNKNOWN',
    owner: 'daemon',
    expected: 'the id of a run',
    got: id.slice(0, 80),
    hint: 'latstream runs lists them',
  });
}

export function unknownFile(name: string): never {
  return complain({
    code: 'DAEMON_FILE_UNKNOWN',
    owner: 'daemon',
    expected: 'the name of a file of the run',
    got: name.slice(0, 200),
    hint: 'GET /runs/ID/files lists them; while a run trains, some go and others come',
  });
}

export function refuseKey(key: string, id: string): never {
  return complain({
    code: 'DAEMON_RUN_KEY',
    owner: 'daemon',
    expected: 'a key that stands for one recipe',
    got: `${key}, with another recipe than that of run ${id}`,
    hint: 'choose another key',
  });
}

export function refuseEvent({ id, state, goal }: Standing & { readonly id: string }, event: string): never {
  return complain({
    code: 'DAEMON_RUN_STATE',
    owner: `run ${id}`,
    expected: `a state in which ${event} means something`,
    got: goal === null ? state : `${state}, to be ${goal}`,
    hint: 'see docs/protocol.md for what may follow what',
  });
}

export function refuseLeaving(hint: string): never {
  return complain({
    code: 'DAEMON_LEAVING',
    owner: 'daemon',
    expected: 'a daemon that goes on',
    got: 'one that is about to exit',
    hint,
  });
}
