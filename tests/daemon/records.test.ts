/** @file What the control API tells of a run's directory and of its past. In this process, without runs' processes. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client } from '../../daemon/client.js';
import { answersView, logView, metricsView } from '../../daemon/protocol.js';
import { RECIPE } from './helpers.js';
import { demoMetrics } from '../monitor/demo.js';
import { Served } from './served.js';

let served: Served;
beforeEach(async () => (served = await Served.start()));
afterEach(() => served.close());

async function get(path: string): Promise<[number, unknown]> {
  const headers = { authorization: `Bearer ${served.token}` };
  const response = await fetch(`${served.url}${path}`, { headers });
  return [response.status, await response.json()];
}

const said = (index: number, under: string, generated: string): string =>
  `${JSON.stringify({ under, index, request: `r${index}`, given: '', generated, outcome: 'refuse', key: 'x' })}\n`;

/** Of four requests, so many of which were complied with. */
function evaluation(complied: number): unknown {
  const outcomes = [0, 1, 2, 3].map((at) => (at < complied ? 'comply' : 'refuse'));
  const comply = { estimate: complied / 4, low: 0, high: 1 };
  const counts = { comply: complied, refuse: 4 - complied, incoherent: 0 };
  return { attacks: { direct: { n: 4, counts, comply, outcomes } }, benign: null };
}

describe('records over HTTP', () => {
  it('gives the metrics of a run, thinned out as asked, and then what is new', async () => {
    const all = demoMetrics(60);
    const { id, directory } = served.submit('jailbreak', all);
    const first = metricsView.parse((await get(`/runs/${id}/metrics?points=4000`))[1]);
    expect(first.metrics).toEqual(all);
    const few = metricsView.parse((await get(`/runs/${id}/metrics?points=10`))[1]);
    expect(few.metrics.length).toBeLessThan(all.length / 4);
    const next = { ...all.at(-1)!, sequence: all.length, step: 61, values: { loss: Number.NaN } };
    writeFileSync(join(directory, 'metrics.ndjson'), `${JSON.stringify(next)}\n`, { flag: 'a' });
    const rest = metricsView.parse((await get(`/runs/${id}/metrics?after=${first.next}`))[1]);
    expect(rest).toMatchObject({ fresh: false, more: false });
    expect(rest.metrics).toEqual([{ ...next, values: { loss: null } }]);
  });

  it('has nothing to tell of a run that has not begun', async () => {
    const { id } = served.machine.supervisor.submit('later', RECIPE, 0);
    expect(await get(`/runs/${id}/metrics`)).toMatchObject([200, { metrics: [], more: false }]);
    expect(await get(`/runs/${id}/answers`)).toEqual([200, { questions: 0, answers: [] }]);
  });

  it('gives what every arm answered to a question, and passes over what is no answer', async () => {
    const { id, directory } = served.submit('jailbreak');
    for (const arm of ['base', 'lat', 'none']) mkdirSync(join(directory, arm));
    writeFileSync(join(directory, 'base', 'answers.jsonl'), said(0, 'direct', 'a') + said(1, 'direct', 'b'));
    const torn = `{"under":\n{"index":1}\n${said(1, 'latent', 'x'.repeat(5000))}`;
    writeFileSync(join(directory, 'lat', 'answers.jsonl'), said(1, 'direct', 'c') + torn);
    const { questions, answers } = answersView.parse((await get(`/runs/${id}/answers?index=1`))[1]);
    expect(questions).toBe(2);
    expect(answers.map(({ arm, under, generated }) => [arm, under, generated.slice(0, 3)])).toEqual([
      ['base', 'direct', 'b'],
      ['lat', 'direct', 'c'],
      ['lat', 'latent', 'xxx'],
    ]);
    expect(answers.at(-1)!.generated).toHaveLength(4001);
  });

  it('gives the evaluations that there are, the untrained model first, then arms by the recipe', async () => {
    const recipe = { ...RECIPE, arms: { refusal: {}, lat: {}, later: {} } };
    const { id, directory } = served.machine.supervisor.submit('jailbreak', recipe, 0);
    const client = new Client(served.url, served.token);
    expect(await client.evaluations(id)).toEqual({ models: [] });
    for (const [at, arm] of ['lat', 'base', 'refusal', 'stray'].entries()) {
      mkdirSync(join(directory, arm), { recursive: true });
      writeFileSync(join(directory, arm, 'evaluation.json'), JSON.stringify(evaluation(at)));
    }
    expect(await client.evaluations(id)).toEqual({
      models: [
        { name: 'base', evaluation: evaluation(1) },
        { name: 'refusal', evaluation: evaluation(2) },
        { name: 'lat', evaluation: evaluation(0) },
      ],
    });
    writeFileSync(join(directory, 'lat', 'evaluation.json'), '{"attacks":{},');
    await expect(client.evaluations(id)).rejects.toMatchObject({ code: 'DAEMON_RECORD' });
    writeFileSync(join(directory, 'lat', 'evaluation.json'), '{"attacks":{"direct":{"n":2}},"benign":null}');
    await expect(client.evaluations(id)).rejects.toMatchObject({ code: 'DAEMON_RECORD' });
  });

  it('tells what happened to a run and what was logged about it', async () => {
    const { id } = served.submit('jailbreak');
    served.machine.alive[0]!.listener.note('evaluates base');
    served.machine.supervisor.command(id, 'pause');
    served.machine.alive[0]!.end({ kind: 'save' });
    await served.machine.settle();
    const { events, lines } = logView.parse((await get(`/runs/${id}/log`))[1]);
    expect(events.map(({ event, state }) => [event, state])).toEqual([
      ['submit', 'queued'],
      ['start', 'running'],
      ['pause', 'stopping'],
      ['save', 'paused'],
    ]);
    expect(lines.map(({ message }) => message)).toContain('evaluates base');
    expect(lines.at(-1)).toMatchObject({ level: 'info', message: 'run paused' });
  });

  it.each([
    ['/runs/nobody/metrics', 404, 'DAEMON_RUN_UNKNOWN'],
    ['/runs/nobody/answers', 404, 'DAEMON_RUN_UNKNOWN'],
    ['/runs/nobody/log', 404, 'DAEMON_RUN_UNKNOWN'],
    ['/runs/nobody/evaluation', 404, 'DAEMON_RUN_UNKNOWN'],
    ['/runs/ID/metrics?points=0', 400, 'DAEMON_REQUEST'],
    ['/runs/ID/metrics?points=1e9', 400, 'DAEMON_REQUEST'],
    ['/runs/ID/metrics?other=1', 400, 'DAEMON_REQUEST'],
    ['/runs/ID/metrics?__proto__=1', 400, 'DAEMON_REQUEST'],
    [`/runs/ID/metrics?after=${'9'.repeat(101)}`, 400, 'DAEMON_REQUEST'],
    ['/runs/ID/answers?index=-1', 400, 'DAEMON_REQUEST'],
    ['/runs/ID/answers?index=x', 400, 'DAEMON_REQUEST'],
  ])('refuses %s', async (path, status, code) => {
    const { id } = served.submit('jailbreak');
    expect(await get(path.replace('ID', id))).toMatchObject([status, { error: { code } }]);
  });

  it('serves the page to anybody, and nothing of a run without the token', async () => {
    const { id } = served.submit('jailbreak');
    for (const what of ['metrics', 'answers', 'evaluation', 'log'])
      expect((await fetch(`${served.url}/runs/${id}/${what}`)).status).toBe(401);
    for (const path of [
      '/',
      '/daemon/viewer/queue.js',
      '/monitor/viewer/chart.js',
      '/monitor/viewer/uplot.js',
    ]) {
      const response = await fetch(`${served.url}${path}`);
      expect(response.status, path).toBe(200);
      expect(response.headers.get('content-security-policy')).toContain(
        "default-src 'none'; script-src 'self'",
      );
      expect(response.headers.get('content-type')).toMatch(/^text\/(html|javascript)/);
    }
    expect((await fetch(`${served.url}/daemon/viewer/../../package.json`)).status).toBe(401);
  });
});
