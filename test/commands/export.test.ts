import { expect, test } from 'vitest';
import { exportMessages } from '../../src/commands/export/export-messages.js';
import type {
  ExportedConversation,
  ExportedMessage,
  ExportOptions,
} from '../../src/commands/export/types.js';
import type { Context } from '../../src/context.js';
import { readAccess } from '../../src/store/tables/access-log.js';
import type { Store } from '../../src/store/store.js';
import { describeOnBackends } from '../support/databases.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { storeContact, storeMessages } from '../support/stored-messages.js';
import { ANA, echo, edit, live, reaction, revoke, wamid } from '../support/webhooks.js';

interface Given {
  conversations: { conversation: ExportedConversation; messages: ExportedMessage[] }[];
}

async function exported(
  ctx: Context,
  options: Partial<ExportOptions> = {},
  onBegin: () => Promise<void> = () => Promise.resolve(),
) {
  const given: Given = { conversations: [] };
  const summary = await exportMessages(
    ctx,
    { contact: ANA, connection: undefined, from: undefined, to: undefined, separate: false, ...options },
    {
      begin: async (conversation) => {
        given.conversations.push({ conversation, messages: [] });
        await onBegin();
      },
      messages: async (messages) => {
        given.conversations.at(-1)?.messages.push(...messages);
        return Promise.resolve();
      },
      end: () => Promise.resolve(),
    },
  );
  return { summary, ...given, messages: given.conversations.flatMap(({ messages }) => messages) };
}

function accesses(store: Store) {
  return readAccess(store.sql, { leadIds: null, since: null, until: null, command: null, limit: 100 });
}

describeOnBackends('an export', (backend) => {
  test('has everything that is stored of a message: versions, reactions, replies, what a revoked one said', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      live('first', 0),
      echo('answer', 60, { context: { id: wamid('first') } }),
      edit('first', 'edited', 90, { type: 'text', text: { body: 'better' } }),
      live('gone', 100),
      revoke('gone', 120),
      reaction('answer', 130, '👍'),
    ]);
    const { messages, summary } = await exported(testContext(store));
    expect(summary).toMatchObject({ messages: 3, conversations: 1 });
    expect(messages.map(({ externalId }) => externalId)).toEqual(
      ['first', 'answer', 'gone'].map((key) => wamid(key)),
    );
    const [first, answer, gone] = messages;
    expect(first).toMatchObject({ body: 'better', revisions: [{ version: 'original' }] });
    expect(first?.revisions[0]?.body).not.toBe('better');
    expect(answer).toMatchObject({
      context: { messageId: wamid('first'), quoted: { body: 'better' } },
      reactions: [{ emoji: '👍' }],
    });
    expect(gone?.body).toBe(null);
    expect(gone?.deletedAt).toBeDefined();
    expect(gone?.revisions).toMatchObject([{ version: 'original', type: 'text' }]);
    expect(gone?.revisions[0]?.body).toMatch(/./);
  });

  test('is complete and in order, whatever the pages, also of equal times and of several connections', async () => {
    const store = await backend.open();
    const contact = await storeContact(store, `+${ANA}`, ['loja', 'filial']);
    const start = Date.UTC(2026, 0, 1);
    const many = Array.from({ length: 1300 }, (_, index) => ({
      at: start + (index % 7 === 0 ? 0 : Math.floor(index / 3)) * 1000,
      body: `m${index}`,
      connection: index % 2 === 0 ? 'loja' : 'filial',
    }));
    await storeMessages(store, contact, many);
    await store.sql.execute(
      `update messages set timestamp = case body when 'm1' then '-infinity'::timestamptz else 'infinity' end
       where body in ('m1', 'm2')`,
    );
    const expected = await store.sql.query('select body from messages order by timestamp, id');
    const whole = await exported(testContext(store));
    expect(whole.messages.map(({ body }) => body)).toEqual(expected.map(({ body }) => body));
    const separate = await exported(testContext(store), { contact: undefined, separate: true });
    expect(separate.conversations.map(({ messages }) => messages.length)).toEqual([650, 650]);
    expect(new Set(separate.messages.map(({ id }) => id)).size).toBe(1300);
    const some = await exported(testContext(store), {
      from: start + 10_000,
      to: start + 20_000,
      connection: 'loja',
    });
    const inside = await store.sql.query(
      `select body from messages m join connections c on c.id = m.connection_id
       where c.name = 'loja' and timestamp >= '2026-01-01T00:00:10Z' and timestamp < '2026-01-01T00:00:20Z'
       order by timestamp, m.id`,
    );
    expect(some.messages.map(({ body }) => body)).toEqual(inside.map(({ body }) => body));
    expect(some.messages.length).toBeGreaterThan(10);
  });

  test('is recorded before anything is given, and refused where it cannot be', async () => {
    const store = await backend.open();
    const contact = await storeContact(store, `+${ANA}`);
    const other = await storeContact(store, '+5511988887777');
    await storeMessages(store, contact, [{ at: 1000 }, { at: 2000 }]);
    await storeMessages(store, other, [{ at: 1000 }]);
    const killed = exported({ ...testContext(store), actor: 'Maria' }, {}, () =>
      Promise.reject(new Error('killed')),
    );
    await expect(killed).rejects.toThrow('killed');
    expect(await accesses(store)).toMatchObject([
      { command: 'export', actor: 'Maria', leadId: contact.leadId, messages: 2 },
    ]);
    await exported(testContext(store), { contact: undefined, separate: true });
    const rows = (await accesses(store)).map(({ leadId, messages }) => ({ leadId, messages }));
    expect(rows).toHaveLength(3);
    expect(rows).toContainEqual({ leadId: other.leadId, messages: 1 });
  });

  test('of nothing that was asked for is empty, and of nobody an error', async () => {
    const store = await backend.open();
    await storeContact(store, `+${ANA}`);
    expect((await exported(testContext(store))).summary).toMatchObject({
      messages: 0,
      firstMessageAt: null,
    });
    await expect(exported(testContext(store), { contact: '+5511911112222' })).rejects.toMatchObject({
      code: 'unknown_contact',
    });
    const stop = new AbortController();
    stop.abort();
    await expect(exported({ ...testContext(store), signal: stop.signal })).rejects.toMatchObject({
      code: 'interrupted',
    });
  });
});
