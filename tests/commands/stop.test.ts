/** @file Stopping a run: by a signal, and by a viewer. Whoever stops it, everything is saved. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { cli, scratch, set, start, type Running } from '../helpers/cli.js';

const { path } = scratch();

/** Starts a long run; gives the address of its live page. */
async function longRun(out: string): Promise<{ url: string; running: Running }> {
  const settings = ['steps=500', 'checkpoint.every=0', 'evaluate.harmful=null', 'evaluate.benign=null'];
  const given = set(...settings);
  const running = start(['train', 'tiny', '--out', out, '--port', '0', ...given]);
  const url = await new Promise<string>((resolve) => {
    let seen = '';
    running.child.stderr?.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      const found = /live page (\S+)/.exec(seen)?.[1];
      if (found) resolve(found);
    });
  });
  return { url, running };
}

describe('a viewer', () => {
  it('pauses, resumes and stops a run, which saves and says how to go on', async () => {
    const out = path('commanded');
    const { url, running } = await longRun(out);
    const socket = new WebSocket(`${url.replace('http', 'ws')}metrics`);
    const states: string[] = [];
    let stepAtPause = 0;
    const say = (command: string): void =>
      socket.send(JSON.stringify({ type: 'command', id: command, command }));
    socket.on('message', (data) => {
      const message = JSON.parse((data as Buffer).toString()) as Record<string, unknown>;
      const step = Number(message['step']);
      if (message['type'] === 'state') states.push(message['state'] as string);
      if (message['kind'] === 'progress' && step >= 2 && stepAtPause === 0) {
        stepAtPause = step;
        say('pause');
      }
      if (message['type'] === 'reply' && message['id'] === 'pause') say('resume');
      // A step well after the pause: the run has gone on.
      if (message['kind'] === 'progress' && step === stepAtPause + 5) say('stop');
    });
    expect(await running.ended).toMatchObject({ code: 130 });
    expect(states.filter((state) => state !== 'starting')).toEqual([
      'running',
      'paused',
      'running',
      'stopping',
      'done',
    ]);
    const [checkpoint] = await readdir(join(out, 'refusal', 'checkpoints'));
    expect(Number(checkpoint?.slice('step-'.length))).toBeGreaterThanOrEqual(stepAtPause + 5);
  });
});

/** Starts `train tiny` with a job that takes long at one place, and ends it by a signal once that place is announced. */
async function stoppedAt(out: string, note: string, settings: readonly string[]): Promise<string> {
  const given = set(...settings);
  const { child, ended } = start(['train', 'tiny', '--out', out, '--port', '0', ...given]);
  let told = false;
  child.stderr?.on('data', (chunk: Buffer) => {
    if (!told && chunk.toString().includes(note)) told = child.kill('SIGTERM');
  });
  const { code, stderr } = await ended;
  expect({ code, stderr }).toMatchObject({ code: 130 });
  expect(stderr).toContain(`latstream train --resume ${out}`);
  return stderr;
}

describe('a signal', () => {
  it('stops in the evaluation of the base model, which is made anew when the run is resumed', async () => {
    const out = path('stopped-base');
    const stderr = await stoppedAt(out, 'evaluating the base', ['steps=1', 'evaluate.batch=1']);
    expect(stderr).not.toContain('training refusal');
    await expect(readdir(join(out, 'base'))).resolves.toEqual([]);
    const { code, stderr: resumed } = await cli(['train', '--resume', out, '--port', '0']);
    expect({ code, resumed }).toMatchObject({ code: 0 });
    expect(resumed).toContain('evaluating the base model');
  });

  it("stops in an arm's last evaluation, before any other arm begins", async () => {
    const out = path('stopped-last');
    const stderr = await stoppedAt(out, 'evaluating refusal', ['steps=1', 'evaluate.batch=1']);
    expect(stderr).not.toContain('training lat');
    expect(await readdir(join(out, 'refusal'))).not.toContain('evaluation.json');
  });

  it('stops on SIGTERM with everything saved, and says how to go on', async () => {
    const out = path('stopped');
    const args = [
      'train',
      'tiny',
      '--out',
      out,
      '--port',
      '0',
      '--set',
      'steps=500',
      '--set',
      'checkpoint.every=0',
    ];
    const { child, ended } = start(args);
    child.stderr?.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('training refusal')) child.kill('SIGTERM');
    });
    expect(await ended).toMatchObject({ code: 130 });
    expect((await ended).stderr).toContain(`latstream train --resume ${out}`);
  });
});
