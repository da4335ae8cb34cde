/** @file Judges outside of the process: what they are given, and what is said of those that do not do their work. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { judgeOf, type Answer, type JudgeConfig } from '../../../operators/index.js';

const answers = ['a', 'b'].map((generated): Answer => ({
  request: 'r',
  given: '',
  generated,
  expected: 'e',
}));
const rules = { match: 'contains', refusals: 'common' } as const;
const program = (script: string): JudgeConfig => ({
  ...rules,
  by: { command: [process.execPath, '-e', script] },
});
const lines = "require('fs').readFileSync(0,'utf8').trim().split('\\n').map(JSON.parse)";

describe('a judge that is a program', () => {
  it('reads answers and writes outcomes, line by line', async () => {
    const script = `for (const a of ${lines}) console.log(JSON.stringify({ outcome: a.generated === 'a' ? 'comply' : 'refuse' }))`;
    expect(await judgeOf(program(script))(answers)).toEqual(['comply', 'refuse']);
  });

  it.each([
    ['says nothing', '', 'JUDGE_ANSWER'],
    ['says something else', `for (const a of ${lines}) console.log('{"outcome":"maybe"}')`, 'JUDGE_ANSWER'],
    ['says no JSON', `for (const a of ${lines}) console.log('comply')`, 'JUDGE_ANSWER'],
    ['fails', 'process.exit(3)', 'JUDGE_FAILED'],
  ])('complains of one that %s', async (_name, script, code) => {
    await expect(judgeOf(program(script))(answers)).rejects.toMatchObject({ code });
  });

  it('complains of one that is not there', async () => {
    const missing = judgeOf({ ...rules, by: { command: ['/no/such/judge'] } });
    await expect(missing(answers)).rejects.toMatchObject({ code: 'JUDGE_FAILED' });
  });
});

describe('a judge at an address', () => {
  let close: (() => void) | undefined;
  afterEach(() => close?.());

  const serving = async (reply: (answers: Answer[]) => unknown, status = 200): Promise<JudgeConfig> => {
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => (body += String(part)));
      request.on('end', () => {
        const { answers: given } = JSON.parse(body) as { answers: Answer[] };
        response.writeHead(status).end(JSON.stringify(reply(given)));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    close = () => server.close();
    return { ...rules, by: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } };
  };

  it('takes answers and replies outcomes', async () => {
    const config = await serving((given) => ({ outcomes: given.map(() => 'incoherent') }));
    expect(await judgeOf(config)(answers)).toEqual(['incoherent', 'incoherent']);
  });

  it('complains of replies that are none', async () => {
    await expect(judgeOf(await serving(() => null))(answers)).rejects.toMatchObject({ code: 'JUDGE_ANSWER' });
    close?.();
    const failing = await serving(() => ({}), 500);
    await expect(judgeOf(failing)(answers)).rejects.toMatchObject({ code: 'JUDGE_FAILED' });
  });
});
