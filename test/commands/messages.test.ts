import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeCursor, encodeCursor } from '../../src/commands/messages/cursor.js';
import type { MessagesOptions, MessagesResult } from '../../src/commands/messages/result.js';
import { readMessages } from '../../src/commands/messages/read-messages.js';
import type { Store } from '../../src/store/store.js';
import { uuidv7 } from '../../src/store/uuid.js';
import { describeOnServer } from '../support/databases.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { storeContact, storeMessages, type StoredMessage } from '../support/stored-messages.js';
import { ANA, echo, edit, live, reaction, revoke, status, T0, wamid } from '../support/webhooks.js';
import { tries } from '../support/seed.js';

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 1);

function read(store: Store, options: Partial<MessagesOptions> = {}): Promise<MessagesResult> {
  return readMessages(testContext(store), { contact: ANA, limit: 100, ...options });
}

/** Turns pages until the last one; `between` runs before each next page. */
async function walk(
  store: Store,
  options: Partial<MessagesOptions>,
  between: (page: number) => Promise<void> = () => Promise.resolve(),
): Promise<MessagesResult[]> {
  const pages: MessagesResult[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page = await read(store, { ...options, ...(cursor === '' ? {} : { cursor }) });
    pages.push(page);
    cursor = page.pagination.cursor;
    if (cursor !== null) await between(pages.length);
  }
  return pages;
}

function idsOf(pages: readonly MessagesResult[]): string[] {
  return pages.flatMap((page) => page.messages.map((message) => message.id));
}

describeOnServer('the messages of a contact', (backend) => {
  test('have the shape of the sync API', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      live('first', 0),
      echo('answer', 60, { context: { id: wamid('first') } }),
      live('photo', 120, {
        type: 'image',
        text: undefined,
        image: { id: '12345', mime_type: 'image/jpeg', sha256: 'abc=', caption: 'the receipt' },
      }),
      status('answer', 'read', 90),
    ]);
    const result = await read(store);
    const anybody = expect.any(String) as unknown;
    expect(result).toEqual({
      schemaVersion: 1,
      command: 'messages',
      contact: { leadId: anybody, organization: 'default', name: null, phone: `+${ANA}` },
      messages: [
        {
          id: anybody,
          externalId: wamid('photo'),
          type: 'image',
          body: 'the receipt',
          media: { id: '12345', mimeType: 'image/jpeg', sha256: 'abc=' },
          direction: 'INBOUND',
          timestamp: new Date((T0 + 120) * 1000).toISOString(),
          status: 'delivered',
          from: { name: null, number: `+${ANA}` },
          source: 'live',
        },
        {
          id: anybody,
          externalId: wamid('answer'),
          type: 'text',
          body: 'answer',
          direction: 'OUTBOUND',
          timestamp: new Date((T0 + 60) * 1000).toISOString(),
          status: 'read',
          from: { name: anybody, number: '+5511900000000' },
          context: { messageId: wamid('first') },
          source: 'app_echo',
        },
        expect.objectContaining({ externalId: wamid('first'), direction: 'INBOUND' }),
      ],
      pagination: { cursor: null, hasMore: false, total: 3 },
      metadata: {
        firstMessageAt: new Date(T0 * 1000).toISOString(),
        lastMessageAt: new Date((T0 + 120) * 1000).toISOString(),
        totalMessages: 3,
        syncedUpTo: anybody,
      },
    });
    const quoting = await read(store, { withQuotes: true });
    expect(quoting.messages[1]?.context).toEqual({
      messageId: wamid('first'),
      quoted: { type: 'text', body: 'first', direction: 'INBOUND', deleted: false },
    });
  });

  test('say that they were edited, taken back or reacted to', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      live('A', 0),
      live('B', 10),
      edit('A', 'A2', 20, { type: 'text', text: { body: 'A, corrected' } }),
      revoke('B', 30),
      reaction('A', 40, '👍'),
      live('C', 50),
      reaction('C', 60, '🎉'),
      reaction('C', 70),
    ]);
    const [c, b, a] = (await read(store)).messages;
    expect(a).toMatchObject({
      body: 'A, corrected',
      editedAt: new Date((T0 + 20) * 1000).toISOString(),
      reactions: [{ emoji: '👍', from: 'customer', timestamp: new Date((T0 + 40) * 1000).toISOString() }],
    });
    expect(b).toMatchObject({ body: null, deletedAt: new Date((T0 + 30) * 1000).toISOString() });
    expect(c).not.toHaveProperty('reactions');
  });

  test('come newest first, page after page, and every page knows the total', async () => {
    const store = await backend.open();
    const contact = await storeContact(store, `+${ANA}`);
    const ids = await storeMessages(
      store,
      contact,
      Array.from({ length: 25 }, (_, i) => ({ at: START + i * MINUTE })),
    );
    const pages = await walk(store, { limit: 10 });
    expect(pages.map((page) => page.messages.length)).toEqual([10, 10, 5]);
    expect(pages.map((page) => page.pagination.hasMore)).toEqual([true, true, false]);
    expect(pages.map((page) => page.pagination.total)).toEqual([25, 25, 25]);
    expect(pages.map((page) => page.metadata.totalMessages)).toEqual([25, 25, 25]);
    expect(idsOf(pages)).toEqual(ids.toReversed());
    expect((await walk(store, { limit: 25 })).map((page) => page.pagination.hasMore)).toEqual([false]);
  });

  test('can be narrowed to a window, half-open, and to one connection', async () => {
    const store = await backend.open();
    const contact = await storeContact(store, `+${ANA}`, ['loja', 'suporte']);
    const ids = await storeMessages(
      store,
      contact,
      Array.from({ length: 10 }, (_, i) => ({
        at: START + i * MINUTE,
        connection: i % 2 === 0 ? 'loja' : 'suporte',
      })),
    );
    const window = { from: START + 2 * MINUTE, to: START + 7 * MINUTE };
    const pages = await walk(store, { ...window, limit: 2 });
    expect(idsOf(pages)).toEqual(ids.slice(2, 7).toReversed());
    expect(pages[1]).toMatchObject({
      pagination: { total: 5 },
      metadata: { totalMessages: 10, firstMessageAt: new Date(START).toISOString() },
    });
    expect(pages[0]?.messages.map((message) => message.connection)).toEqual(['loja', 'suporte']);
    const one = await walk(store, { ...window, connection: 'suporte', limit: 1 });
    expect(idsOf(one)).toEqual([ids[5], ids[3]]);
    expect(one[0]).toMatchObject({ pagination: { total: 2 }, metadata: { totalMessages: 5 } });
    expect(one[0]?.messages[0]).not.toHaveProperty('connection');
  });

  test('of one moment are all shown once, wherever the page ends', async () => {
    const store = await backend.open();
    const contact = await storeContact(store, `+${ANA}`, ['loja', 'suporte']);
    const ids = await storeMessages(
      store,
      contact,
      Array.from({ length: 9 }, (_, i) => ({ at: START, connection: i % 3 === 0 ? 'suporte' : 'loja' })),
    );
    for (const limit of [1, 2, 4, 8, 9]) {
      expect(idsOf(await walk(store, { limit }))).toEqual([...ids].sort().toReversed());
    }
  });

  test('are neither lost nor repeated while others are stored between the pages', async () => {
    const store = await backend.open();
    const moment = fc.integer({ min: 0, max: 12 }).map((n) => START + n * 1000);
    const messages = fc.array(fc.record({ at: moment, connection: fc.constantFrom('loja', 'suporte') }), {
      maxLength: 30,
    });
    let phone = 5511900001000;
    await fc.assert(
      fc.asyncProperty(
        messages,
        fc.array(
          messages.map((list) => list.slice(0, 6)),
          { maxLength: 6 },
        ),
        fc.integer({ min: 1, max: 9 }),
        async (before, between, limit) => {
          const contact = `+${(phone += 1)}`;
          const stored = await storeContact(store, contact, ['loja', 'suporte']);
          const withIds = (list: readonly StoredMessage[]): StoredMessage[] =>
            list.map((message) => ({ ...message, id: uuidv7(message.at) }));
          const there = await storeMessages(store, stored, withIds(before));
          const pages = await walk(store, { contact, limit }, async (page) => {
            await storeMessages(store, stored, withIds(between[page - 1] ?? []));
          });
          const seen = pages.flatMap((page) => page.messages);
          const shown = new Set(seen.map(({ id }) => id));
          expect(shown.size).toBe(seen.length);
          expect(there.filter((id) => !shown.has(id))).toEqual([]);
          const keys = seen.map(({ timestamp, id }) => `${timestamp} ${id}`);
          expect(keys).toEqual([...keys].sort().toReversed());
          expect(pages.slice(0, -1).every((page) => page.messages.length === limit)).toBe(true);
          expect(pages[0]?.pagination.total).toBe(before.length);
        },
      ),
      { numRuns: tries(60) },
    );
  });

  test('are found under every name of the contact, with the same cursor', async () => {
    const store = await backend.open();
    const contact = await storeContact(store, '+5511987654321');
    await storeMessages(store, contact, [{ at: START }, { at: START + 1 }, { at: START + 2 }]);
    const first = await read(store, { contact: '55 11 98765-4321', limit: 1 });
    const cursor = first.pagination.cursor ?? '';
    for (const typed of ['+551187654321', '5511987654321@s.whatsapp.net', contact.leadId]) {
      expect((await read(store, { contact: typed, limit: 1, cursor })).messages).toHaveLength(1);
    }
  });

  test('of a phone that two organizations know are told apart by a connection', async () => {
    const store = await backend.open();
    const ours = await storeContact(store, `+${ANA}`);
    await storeMessages(store, ours, [{ at: START, body: 'ours' }]);
    await store.sql.execute(
      `insert into organizations (id, slug, name) values (gen_random_uuid(), 'acme', 'Acme')`,
    );
    await store.sql.execute(
      `insert into leads (id, organization_id, phone_number, push_name, source, first_seen_at)
       select gen_random_uuid(), id, '+${ANA}', 'Ana of Acme', 'direct_creation', '2026-01-01'
       from organizations where slug = 'acme'`,
    );
    await expect(read(store)).rejects.toMatchObject({
      code: 'ambiguous_contact',
      exitCode: 2,
      message: expect.stringContaining('Ana of Acme') as unknown,
    });
    expect((await read(store, { connection: 'loja' })).messages).toMatchObject([{ body: 'ours' }]);
    expect((await read(store, { contact: ours.leadId })).contact.organization).toBe('default');
  });

  test('may be none: a contact without any, or with none on that connection', async () => {
    const store = await backend.open();
    await storeContact(store, `+${ANA}`, []);
    await storeContact(store, '+5511900000009', ['loja']);
    for (const options of [{}, { connection: 'loja' }, { from: START }]) {
      expect(await read(store, options)).toMatchObject({
        messages: [],
        pagination: { cursor: null, hasMore: false, total: 0 },
        metadata: { firstMessageAt: null, lastMessageAt: null, totalMessages: 0, syncedUpTo: null },
      });
    }
  });

  test('are refused for a limit, a connection, a contact or a cursor that cannot be right', async () => {
    const store = await backend.open();
    const contact = await storeContact(store, `+${ANA}`);
    await storeContact(store, '+5511900000009');
    await storeMessages(store, contact, [{ at: START }, { at: START + 1 }]);
    const { cursor } = (await read(store, { limit: 1 })).pagination;
    const given = cursor ?? '';
    const refused: [Partial<MessagesOptions>, string][] = [
      [{ limit: 0 }, 'usage'],
      [{ limit: 5000 }, 'usage'],
      [{ limit: 1.5 }, 'usage'],
      [{ connection: 'nobody' }, 'connection_unknown'],
      [{ contact: 'nobody' }, 'invalid_contact'],
      [{ contact: '+5511900000008' }, 'unknown_contact'],
      [{ cursor: given, contact: '+5511900000009' }, 'invalid_cursor'],
      [{ cursor: given, from: START }, 'invalid_cursor'],
      [{ cursor: given, connection: 'loja' }, 'invalid_cursor'],
      [{ cursor: given.slice(0, -1) }, 'invalid_cursor'],
      [{ cursor: `${given}A` }, 'invalid_cursor'],
      [{ cursor: given.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) }, 'invalid_cursor'],
      [{ cursor: 'eyJpZCI6MX0' }, 'invalid_cursor'],
      [{ cursor: ' ' }, 'invalid_cursor'],
    ];
    for (const [options, code] of refused) {
      await expect(read(store, options), JSON.stringify(options)).rejects.toMatchObject({
        code,
        exitCode: 2,
      });
    }
  });

  test('show what other programs wrote, also without an id', async () => {
    const store = await backend.open();
    const contact = await storeContact(store, `+${ANA}`);
    await storeMessages(store, contact, [{ at: START, body: 'there' }]);
    await store.sql.execute(`update messages set external_id = null`);
    expect((await read(store)).messages).toMatchObject([{ externalId: null, body: 'there' }]);
  });

  test('keep a window that was said in words as the first page read it', async () => {
    const store = await backend.open();
    const contact = await storeContact(store, `+${ANA}`);
    await storeMessages(store, contact, [{ at: START }, { at: START + 1000 }, { at: START + 2000 }]);
    const words = { windowWords: '2d/', limit: 2 };
    const first = await read(store, { ...words, from: START });
    const second = await read(store, { ...words, from: START + 1500, cursor: first.pagination.cursor ?? '' });
    expect(idsOf([first, second])).toHaveLength(3);
  });
});

describe('a cursor', () => {
  test('gives back what it was made of, for the same contact and filters only', () => {
    const time = fc.integer({ min: -1e12, max: 1e14 });
    const count = fc.integer({ min: 0, max: 1e12 });
    fc.assert(
      fc.property(
        fc.record({
          position: fc.record({ timestamp: time, id: fc.uuid() }),
          window: fc.record({ from: time, to: time }, { requiredKeys: [] }),
          total: count,
          totalMessages: count,
        }),
        fc.string(),
        (cursor, binding) => {
          const text = encodeCursor(cursor, binding);
          expect(text).toMatch(/^[\w-]+$/);
          expect(decodeCursor(text, binding)).toEqual(cursor);
          expect(() => decodeCursor(text, `${binding}.`)).toThrow('another contact');
        },
      ),
    );
  });

  test('is refused whatever character of it is changed, and however it is cut', () => {
    const cursor = {
      position: { timestamp: START, id: uuidv7(START) },
      window: {},
      total: 5,
      totalMessages: 7,
    };
    const text = encodeCursor(cursor, 'x');
    for (let i = 0; i < text.length; i += 1) {
      const other = text[i] === 'A' ? 'B' : 'A';
      expect(() => decodeCursor(text.slice(0, i) + other + text.slice(i + 1), 'x')).toThrow('damaged');
      expect(() => decodeCursor(text.slice(0, i), 'x')).toThrow('damaged');
    }
  });
});
