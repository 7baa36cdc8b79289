import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { describeOnServer } from '../support/databases.js';
import { replayBodies, replayFiles } from '../support/replaying.js';
import { leads, select, transcript, value } from '../support/shown.js';
import { ANA, BRU, history, item, live, old, seconds, wamid, webhook } from '../support/webhooks.js';

/** Another vendor's own format. */
const foreign = {
  id: 'evt_1',
  type: 'whatsapp.inbound_message.received',
  app: 'LojaTeste',
  whatsappInboundMessage: { id: '63f5', from: ANA, type: 'text', text: { body: 'oi' } },
};

const directories: string[] = [];
afterEach(async () => {
  await Promise.all(directories.splice(0).map((path) => rm(path, { recursive: true, force: true })));
});

async function logOf(lines: readonly string[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'wa-reconcile-'));
  directories.push(directory);
  const path = join(directory, 'webhooks.ndjson');
  await writeFile(path, lines.join('\n'));
  return path;
}

describeOnServer('what a log may hold', (backend) => {
  it('H3: wrappers that are known to hold no webhook are ignored', async () => {
    const store = await backend.open();
    const check = {
      messageType: 'CONTROL_MESSAGE',
      logGroup: '',
      logEvents: [{ id: '', timestamp: 1, message: 'CWL CONTROL MESSAGE: Checking health of Firehose.' }],
    };
    const log = [check, { index: { _index: 'hooks' } }, live('A1', 0), { data: [], nextCursor: null }];
    const { entries, problems } = await replayBodies(store, log);
    expect(entries).toMatchObject({ read: 4, processed: 1, ignored: 3, unrecognized: 0 });
    expect(problems).toEqual([]);
  });

  it('E1: every entry, change, thread and element of one body is read', async () => {
    const store = await backend.open();
    const one = live('A1', 0);
    const two = webhook('messages', {
      messages: [item('A2', 1), item('A3', 2)],
      statuses: [{ id: wamid('A1'), status: 'read', timestamp: seconds(9) }],
    });
    const three = webhook('history', {
      history: [
        {
          metadata: { phase: 0, chunk_order: 1, progress: 1 },
          threads: [{ id: ANA, messages: [old('A4', 3)] }],
        },
        {
          metadata: { phase: 0, chunk_order: 2, progress: 2 },
          threads: [
            { id: ANA, messages: [old('A5', 4)] },
            { id: BRU, messages: [old('B6', 5, { from: BRU })] },
          ],
        },
      ],
    });
    const body = {
      object: 'whatsapp_business_account',
      entry: [one, two, three].flatMap(({ entry }) => (Array.isArray(entry) ? entry : [])),
    };
    const result = await replayBodies(store, [body]);
    expect(result.messages).toMatchObject({ seen: 6, created: 6 });
    expect(result.statuses).toMatchObject({ seen: 1, applied: 1 });
    expect(await transcript(store)).toEqual(['> A1', '> A2', '> A3', '> A4', '> A5', '> B6']);
    expect(await value(store, 'select count(*)::int from history_chunks')).toBe(2);
  });

  it('E1: what nobody recognizes is stored, counted, shown with file and line, and makes the run partial', async () => {
    const store = await backend.open();
    const path = await logOf([live('A1', 0), foreign, live('A2', 5)].map((body) => JSON.stringify(body)));
    const result = await replayFiles(store, [path]);
    expect(result.status).toBe('partial');
    expect(result.entries).toMatchObject({ read: 3, stored: 3, processed: 2, unrecognized: 1 });
    expect(result.problems).toMatchObject([{ origin: `${path}:2`, path: '$' }]);
    expect(result.problems[0]?.excerpt).toContain('LojaTeste');
    expect(await transcript(store)).toEqual(['> A1', '> A2']);
    expect(
      await select(
        store,
        `select convert_from(raw_body, 'UTF8')::jsonb->>'app' as app from webhook_log where status = 'unrecognized'`,
      ),
    ).toEqual([{ app: 'LojaTeste' }]);
  });

  it('E1: a line that is no JSON is stored as failed, with its number', async () => {
    const store = await backend.open();
    const cut = JSON.stringify(live('A2', 5)).slice(0, 150);
    const path = await logOf([JSON.stringify(live('A1', 0)), cut, JSON.stringify(live('A3', 9))]);
    const result = await replayFiles(store, [path]);
    expect(result.status).toBe('partial');
    expect(result.problems.map((problem) => problem.origin)).toEqual([`${path}:2`]);
    expect(await transcript(store)).toEqual(['> A1', '> A3']);
    expect(await value(store, `select count(*)::int from webhook_log where status = 'failed'`)).toBe(1);
  });

  it('E1: a field that nobody knows is shown; the known ones beside it are read', async () => {
    const store = await backend.open();
    const body = {
      object: 'whatsapp_business_account',
      entry: [webhook('field_of_2031', { things: [1] }), live('A1', 0)].flatMap(({ entry }) =>
        Array.isArray(entry) ? entry : [],
      ),
    };
    const result = await replayBodies(store, [body]);
    expect(result.status).toBe('partial');
    expect(result.entries).toMatchObject({ partial: 1 });
    expect(result.problems).toHaveLength(1);
    expect(await transcript(store)).toEqual(['> A1']);
  });

  it.each([
    ['bare', (body: object): unknown => body],
    [
      'a row with an object',
      (body: object): unknown => ({ id: 1, payload: body, received_at: '2025-09-16T05:00:00Z' }),
    ],
    ['a row with text', (body: object): unknown => ({ id: 1, payload: JSON.stringify(body) })],
    [
      'a row of an event log',
      (body: object): unknown => ({ payload: body, eventType: 'messages', processed: true }),
    ],
    ['n8n', (body: object): unknown => [{ headers: {}, params: {}, query: {}, body }]],
    [
      'an API gateway',
      (body: object): unknown => ({
        headers: {},
        body: Buffer.from(JSON.stringify(body)).toString('base64'),
        isBase64Encoded: true,
      }),
    ],
  ])('E1: a known wrapper is unwrapped: %s', async (_name, wrap) => {
    const store = await backend.open();
    const result = await replayBodies(store, [wrap(live('A1', 0))]);
    expect(result.status).toBe('completed');
    expect(await transcript(store)).toEqual(['> A1']);
    expect(await leads(store)).toHaveLength(1);
  });

  it('E1: a webhook in which nothing is found is shown, not imported in silence', async () => {
    const store = await backend.open();
    const result = await replayBodies(store, [webhook('messages', {})]);
    expect(result.status).toBe('partial');
    expect(result.messages.seen).toBe(0);
    expect(result.problemCount).toBe(1);
  });

  it('E1: a body larger than a batch is one stored entry, and all of it is in', async () => {
    const store = await backend.open();
    const messages = Array.from({ length: 25 }, (_, index) =>
      old(`H${String(index).padStart(2, '0')}`, index),
    );
    const result = await replayBodies(store, [history(messages), live('A1', 99)], { batchSize: 10 });
    expect(result.messages).toMatchObject({ seen: 26, created: 26 });
    expect(result.entries).toMatchObject({ read: 2, stored: 2, duplicate: 0, processed: 2 });
    expect(await value(store, 'select count(distinct batch_id)::int from messages')).toBe(2);
  });

  it('E1: a dry run counts the same and stores nothing', async () => {
    const store = await backend.open();
    const log = [live('A1', 0), foreign, history([old('A0', -60)]), live('A1', 0)];
    const dry = await replayBodies(store, log, { dryRun: true });
    expect(await value(store, 'select count(*)::int from webhook_log')).toBe(0);
    expect(await value(store, 'select count(*)::int from connections')).toBe(0);
    const wet = await replayBodies(store, log);
    expect(dry.messages).toEqual(wet.messages);
    expect(dry.entries).toEqual(wet.entries);
    expect(dry.tickets).toEqual(wet.tickets);
    expect(dry.status).toBe(wet.status);
  });
});
