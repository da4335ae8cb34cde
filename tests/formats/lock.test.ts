/** @file Whose a lock is, and whose it is no longer. */
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { lockFile } from '../../formats/lock.js';
import { isAlive, ownName } from '../../formats/process-name.js';
import { scratch } from '../helpers/cli.js';

const { path } = scratch();
const busy = (pid: number): never => {
  throw new Error(`busy: ${pid}`);
};
const [, BOOT, START] = ownName().split(' ');
const knowsStart = START !== undefined;

describe('a lock', () => {
  it('holds the name of its process until it is released', async () => {
    const lock = path('held');
    const release = await lockFile(lock, busy);
    expect(await readFile(lock, 'utf8')).toBe(`${ownName()}\n`);
    expect(isAlive(ownName())).toBe(true);
    await expect(lockFile(lock, busy)).rejects.toThrow(`busy: ${process.pid}`);
    release();
    (await lockFile(lock, busy))();
  });

  it('with the number alone of a living process is that one’s', async () => {
    const lock = path('number');
    await writeFile(lock, `${process.ppid}\n`);
    await expect(lockFile(lock, busy)).rejects.toThrow(`busy: ${process.ppid}`);
  });

  it.each(['', 'nonsense', '0', '-1', '4194304 x y'])('of nobody (%j) is taken over', async (text) => {
    const lock = path(`nobody-${text.length}`);
    await writeFile(lock, text);
    (await lockFile(lock, busy))();
  });

  it.runIf(knowsStart)('of a process that is gone is taken over, though another has its number', async () => {
    const lock = path('reused');
    for (const gone of [`${process.ppid} ${BOOT} 1`, `${process.ppid} another-boot ${START}`]) {
      await writeFile(lock, `${gone}\n`);
      (await lockFile(lock, busy))();
    }
  });
});
