import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { GraphClient } from '../../src/graph/client.js';
import { GraphError } from '../../src/graph/errors.js';
import type { Proxy } from '../../src/model/proxy.js';
import { healthyAccount, TOKEN } from '../support/fake-graph/account.js';
import { refusal, startFakeGraph, type Fault } from '../support/fake-graph/server.js';

const NUMBER = '106540352242922';
const Anything = z.looseObject({});
const OK: Fault = { kind: 'answer', status: 200, body: { id: NUMBER } };

function clientFor(
  url: string,
  {
    clock = Date.now,
    signal = new AbortController().signal,
    token = TOKEN,
    proxy = null as Proxy | null,
  } = {},
) {
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(line) });
  const client = new GraphClient({ url, version: 'v25.0', userAgent: 'wa-reconcile/test', proxy }, token, {
    log,
    clock,
    signal,
  });
  onTestFinished(() => client.close());
  return { client, lines };
}

async function failureOf(work: Promise<unknown>): Promise<GraphError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof GraphError))
    throw new Error('this did not fail as the Graph API does', { cause: error });
  return error;
}

describe('the client of the Graph API', () => {
  test('asks with version, bearer and user agent, and reads what it asked for', async () => {
    const fake = await startFakeGraph(healthyAccount());
    const { client, lines } = clientFor(fake.url);
    const answer = await client.get(
      NUMBER,
      { fields: 'is_on_biz_app' },
      z.object({ is_on_biz_app: z.boolean() }),
    );
    expect(answer).toEqual({ value: { is_on_biz_app: true }, fbtraceId: 'AbCdEfTrace1' });
    expect(fake.requests).toHaveLength(1);
    expect(fake.requests[0]).toMatchObject({
      method: 'GET',
      url: `/v25.0/${NUMBER}?fields=is_on_biz_app`,
      headers: { authorization: `Bearer ${TOKEN}`, 'user-agent': 'wa-reconcile/test' },
    });
    expect(lines.join('')).toContain('AbCdEfTrace1');
    expect(lines.join('')).not.toContain(TOKEN);
  });

  test('puts a question that is a secret into no URL', async () => {
    const fake = await startFakeGraph(healthyAccount());
    const { client } = clientFor(fake.url);
    const answer = await client.ask('debug_token', { input_token: TOKEN }, Anything);
    expect(answer.value).toMatchObject({ data: { is_valid: true } });
    expect(fake.requests[0]?.url).toBe('/v25.0/debug_token');
  });

  test.each([
    [400, 4],
    [400, 80007],
    [400, 130429],
    [400, 131056],
    [400, 133016],
    [400, 131000],
    [400, 131016],
    [503, 133004],
    [500, 131057],
    [500, 1],
    [500, 2],
    [502, 999_999],
  ])('asks again after HTTP %i, code %i', async (status, code) => {
    const fake = await startFakeGraph(healthyAccount());
    fake.fail(NUMBER, refusal(status, code, 'later'));
    const { client } = clientFor(fake.url);
    await client.get(NUMBER, {}, Anything);
    expect(fake.requests).toHaveLength(2);
  });

  test.each([
    [401, 190, 'token'],
    [401, 0, 'token'],
    [403, 3, 'rights'],
    [403, 10, 'rights'],
    [403, 200, 'rights'],
    [403, 299, 'rights'],
    [400, 100, 'parameter'],
    [403, 368, 'restricted'],
    [400, 131031, 'restricted'],
    [400, 131005, 'rights'],
    [400, 131008, 'parameter'],
    [400, 131009, 'parameter'],
    [400, 131021, 'refused'],
    [400, 131048, 'refused'],
    [400, 131052, 'refused'],
    [400, 131053, 'refused'],
    [400, 131047, 'refused'],
    [400, 131026, 'refused'],
    [400, 131049, 'refused'],
    [400, 131051, 'refused'],
    [400, 131060, 'refused'],
    [400, 131062, 'refused'],
    [400, 2593107, 'history_limit'],
    [400, 2593108, 'history_window'],
  ] as const)('asks once where Meta refuses: HTTP %i, code %i, %s', async (status, code, reason) => {
    const fake = await startFakeGraph(healthyAccount());
    fake.fail(NUMBER, refusal(status, code, 'no'));
    const { client } = clientFor(fake.url);
    const error = await failureOf(client.get(NUMBER, {}, Anything));
    expect(error).toMatchObject({ reason, graphCode: code, status, fbtraceId: 'AbCdEfTrace2' });
    expect(error.message).toContain(`code ${code}, fbtrace_id AbCdEfTrace2`);
    expect(fake.requests).toHaveLength(1);
  });

  test('asks again when the connection is cut, also in the middle of an answer', async () => {
    const fake = await startFakeGraph(healthyAccount());
    fake.fail(NUMBER, { kind: 'cut' }, { kind: 'cut', afterBytes: 5 });
    const { client } = clientFor(fake.url);
    const { value } = await client.get(NUMBER, { fields: 'status' }, Anything);
    expect(value).toEqual({ status: 'CONNECTED', id: NUMBER });
    expect(fake.requests).toHaveLength(3);
  });

  test('gives up after a storm of 429, in the end', async () => {
    const fake = await startFakeGraph(healthyAccount());
    const storm: Fault = { kind: 'answer', status: 429, body: 'slow down', headers: { 'retry-after': '0' } };
    fake.fail(NUMBER, ...Array.from({ length: 20 }, () => storm));
    const { client } = clientFor(fake.url);
    expect(await failureOf(client.get(NUMBER, {}, Anything))).toMatchObject({
      reason: 'rate_limit',
      status: 429,
    });
    expect(fake.requests).toHaveLength(5);
  });

  test('sends what changes something once, unless it surely had no effect', async () => {
    const fake = await startFakeGraph(healthyAccount());
    const path = `${NUMBER}/smb_app_data`;
    const { client } = clientFor(fake.url);
    const send = () => client.post(path, { messaging_product: 'whatsapp', sync_type: 'history' }, Anything);

    fake.fail(path, { kind: 'cut' });
    expect(await failureOf(send())).toMatchObject({ reason: 'unreachable', hadNoEffect: false });
    fake.fail(path, refusal(500, 2, 'a fault'));
    expect(await failureOf(send())).toMatchObject({ reason: 'temporary', hadNoEffect: false });
    fake.fail(path, refusal(400, 2593107, 'limit'));
    expect(await failureOf(send())).toMatchObject({ reason: 'history_limit', hadNoEffect: true });
    expect(fake.requests).toHaveLength(3);

    expect([...fake.account.granted]).toEqual([['history', 'req-history-1']]);
    fake.account.granted.clear();
    fake.fail(path, refusal(400, 130429, 'too fast'));
    expect((await send()).value).toMatchObject({ request_id: expect.any(String) as string });
    expect(fake.requests).toHaveLength(5);
  });

  test('heeds the quota: after an answer that says it is used up, nothing is asked until it is free', async () => {
    const fake = await startFakeGraph(healthyAccount());
    let now = Date.UTC(2026, 10, 29, 3);
    const { client } = clientFor(fake.url, { clock: () => now });
    const usage = { [NUMBER]: [{ type: 'whatsapp', call_count: 100, estimated_time_to_regain_access: 7 }] };
    fake.fail(NUMBER, {
      kind: 'answer',
      status: 200,
      body: {},
      headers: { 'x-business-use-case-usage': JSON.stringify(usage) },
    });
    await client.get(NUMBER, {}, Anything);
    expect(client.usage).toEqual({ percent: 100, regainMs: 7 * 60_000 });
    now += 6 * 60_000;
    const error = await failureOf(client.get(NUMBER, {}, Anything));
    expect(error.message).toContain('none until 2026-11-29T03:07:00Z');
    expect(fake.requests).toHaveLength(1);
    now += 61_000;
    await client.get(NUMBER, {}, Anything);
    expect(fake.requests).toHaveLength(2);
  });

  test('does not wait for a quota that is used up for long', async () => {
    const fake = await startFakeGraph(healthyAccount());
    const usage = JSON.stringify({ call_count: 110, total_time: 20, total_cputime: 3 });
    fake.fail(NUMBER, refusal(400, 4, 'limit', { 'x-app-usage': usage }), OK);
    const { client } = clientFor(fake.url);
    expect(await failureOf(client.get(NUMBER, {}, Anything))).toMatchObject({
      reason: 'rate_limit',
      waitMs: 3_600_000,
    });
    expect(await failureOf(client.get(NUMBER, {}, Anything))).toMatchObject({ reason: 'rate_limit' });
    expect(fake.requests).toHaveLength(1);
  });

  test('follows no redirect, so that the token goes nowhere else', async () => {
    const seen: string[] = [];
    const elsewhere = createServer((request, response) => {
      seen.push(JSON.stringify(request.headers));
      response.end('{}');
    });
    await new Promise<void>((listening) => elsewhere.listen(0, '127.0.0.1', listening));
    onTestFinished(() => void elsewhere.close());
    const { port } = elsewhere.address() as AddressInfo;
    const fake = await startFakeGraph(healthyAccount());
    const { client } = clientFor(fake.url);
    for (const status of [301, 302, 307, 308]) {
      const location = `http://127.0.0.1:${port}/`;
      fake.fail(NUMBER, { kind: 'answer', status, body: '', headers: { location } });
      expect((await failureOf(client.get(NUMBER, {}, Anything))).message).toContain(`HTTP ${status}`);
    }
    expect(seen).toEqual([]);
  });

  test('repeats no token that Meta repeats, in any message or log line', async () => {
    const fake = await startFakeGraph(healthyAccount());
    const odd = 'a+token/that=looks~like~nothing';
    for (const token of [odd, `EAAG${'x'.repeat(40)}`]) {
      const { client, lines } = clientFor(fake.url, { token });
      const error = await failureOf(client.get(NUMBER, {}, Anything));
      expect(error.message).toContain('Malformed access token ***');
      expect(`${error.message}${error.stack ?? ''}${lines.join('')}`).not.toContain(token);
    }
  });

  test.each<[string, Fault]>([
    ['no JSON', { kind: 'answer', status: 200, body: '<html>' }],
    ['another shape', { kind: 'answer', status: 200, body: { id: 5 } }],
  ])('does not take %s for an answer', async (_what, fault) => {
    const fake = await startFakeGraph(healthyAccount());
    fake.fail(NUMBER, fault);
    const { client } = clientFor(fake.url);
    const error = await failureOf(client.get(NUMBER, {}, z.object({ id: z.string() })));
    expect(error.reason).toBe('unreadable');
  });

  test('reads an answer of a megabyte, and stops at one without end', async () => {
    const fake = await startFakeGraph(healthyAccount());
    fake.fail(
      NUMBER,
      { kind: 'answer', status: 200, body: { text: 'x'.repeat(1_000_000) } },
      { kind: 'answer', status: 200, body: { text: 'x'.repeat(5_000_000) } },
    );
    const { client } = clientFor(fake.url);
    const { value } = await client.get(NUMBER, {}, z.object({ text: z.string() }));
    expect(value.text).toHaveLength(1_000_000);
    expect((await failureOf(client.get(NUMBER, {}, Anything))).message).toContain('larger than 4 MB');
    expect(fake.requests).toHaveLength(2);
  });

  test('says when nobody is there', async () => {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    await new Promise((closed) => server.close(closed));
    const { client } = clientFor(`http://127.0.0.1:${port}`);
    // The shortest pauses that there are between its attempts.
    const random = vi.spyOn(Math, 'random').mockReturnValue(0);
    onTestFinished(() => {
      random.mockRestore();
    });
    const error = await failureOf(client.post('x', {}, Anything));
    expect(error).toMatchObject({ reason: 'unreachable', hadNoEffect: true });
    expect(error.message).toBe(`127.0.0.1:${port} cannot be reached: ECONNREFUSED.`);
  });

  test('stops at once when the command is stopped, also while it waits to ask again', async () => {
    const fake = await startFakeGraph(healthyAccount());
    const stop = new AbortController();
    const { client } = clientFor(fake.url, { signal: stop.signal });
    fake.fail(NUMBER, { kind: 'answer', status: 503, body: '', headers: { 'retry-after': '25' } });
    const began = Date.now();
    const work = client.get(NUMBER, {}, Anything);
    setTimeout(() => {
      stop.abort(new Error('stopped'));
    }, 100);
    await expect(work).rejects.toMatchObject({ code: 'interrupted', exitCode: 130 });
    expect(Date.now() - began).toBeLessThan(5000);
    expect(fake.requests).toHaveLength(1);
  });
});
