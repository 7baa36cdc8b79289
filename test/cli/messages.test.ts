import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { renderChat } from '../../src/cli/views/chat.js';
import { createLook } from '../../src/cli/ui/look.js';
import { cutText, widthOf, wrapText } from '../../src/cli/ui/width.js';
import type { MessagesResult, MessageView } from '../../src/commands/messages/result.js';
import { useServer } from './database-home.js';

const LOG = new URL('../../fixtures/demo-day.ndjson', import.meta.url).pathname;
const ANA = '+55 11 90000-0001';

const PAGE = z.object({
  messages: z.array(z.object({ id: z.string(), timestamp: z.string() })),
  pagination: z.object({ cursor: z.string().nullable(), hasMore: z.boolean(), total: z.number() }),
});

describe('messages on the command line', () => {
  const server = useServer();

  test('read like a chat: by day, theirs left, ours right, with quotes, edits and ticks', async () => {
    const run = await server.prepare();
    await run(['replay', LOG, '--register']);
    const { code, stdout, stderr } = await run(['messages', ANA, '--tz', 'America/Sao_Paulo']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.split('\n');
    expect(lines.slice(0, 2)).toEqual([
      'Ana Souza  +5511900000001',
      '12 messages, times in America/Sao_Paulo',
    ]);
    expect(stdout).toContain('─ Wed, 27 August 2025 ─');
    expect(stdout).toContain('on +5511900000000\n10:00  Oi! Vocês entregam em Pinheiros?\n');
    expect(stdout).toMatch(/\n {30,}Que bom, Ana! 💚 {2}18:02 · ✓✓ played\n/);
    expect(stdout).toContain('09:12  [image] É essa aqui, está com manchas');
    expect(stdout).toContain('09:06  │ you: Bom dia, Ana! Tem sim, R$ 18 cada. Quer que eu s');
    expect(stdout).toContain('       Quero duas, por favor 🙏  edited\n');
    expect(stdout).toContain('❤️ Ana Souza\n');
    expect(lines.filter((line) => widthOf(line) > 80)).toEqual([]);
    expect(lines.indexOf(lines.find((line) => line.includes('27 August')) ?? '')).toBeLessThan(
      lines.indexOf(lines.find((line) => line.includes('16 September')) ?? ''),
    );
  });

  test('lead from page to page with the command that is printed', async () => {
    const run = await server.prepare();
    await run(['replay', LOG, '--register']);
    const first = await run(['messages', ANA, '--limit', '5', '--tz', 'UTC']);
    expect(first.stdout).toContain('5 of 12 messages, times in UTC');
    const command = /Next\n {2}wa-reconcile (messages .*)\n/.exec(first.stdout)?.[1] ?? '';
    expect(command).toContain(`messages '${ANA}' --limit 5 --tz UTC --cursor `);
    const argv = ['messages', ANA, ...command.split(' ').slice(4)];
    const second = await run(argv);
    expect(second.stdout).toContain('5 of 12 messages');
    const last = /--cursor (\S+)\n/.exec(second.stdout)?.[1] ?? '';
    const third = await run(['messages', ANA, `--cursor=${last}`]);
    expect(third.stdout).toContain('2 of 12 messages');
    expect(third.stdout).not.toContain('Next');
  });

  test('come as pages for programs, newest first, with a cursor, and as lines', async () => {
    const run = await server.prepare();
    await run(['replay', LOG, '--register']);
    const read = async (...flags: string[]) =>
      PAGE.parse(JSON.parse((await run(['messages', ANA, '--json', ...flags])).stdout));
    const all = await read();
    const ids: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await read('--limit', '5', ...(cursor === '' ? [] : ['--cursor', cursor]));
      expect(page.pagination.total).toBe(12);
      ids.push(...page.messages.map(({ id }) => id));
      cursor = page.pagination.cursor;
    }
    expect(ids).toEqual(all.messages.map(({ id }) => id));
    const times = all.messages.map(({ timestamp }) => timestamp);
    expect(times).toEqual([...times].sort().toReversed());

    const lines = await run(['messages', ANA, '--format', 'ndjson', '--limit', '5'], {
      terminals: ['stderr'],
    });
    expect(
      lines.stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { id: string }).id),
    ).toEqual(ids.slice(0, 5));
    expect(lines.stderr).toContain('Older messages: wa-reconcile messages ');
    const csv = await run(['messages', ANA, '--format', 'csv', '--limit', '1']);
    expect(csv.stdout).toMatch(
      /^id,external_id,timestamp,direction,.*\n.*,2025-09-16T20:30:00.000Z,INBOUND,Ana Souza,'\+5511900000001,text,/,
    );
    const markdown = await run(['messages', ANA, '--format', 'markdown', '--limit', '1']);
    expect(markdown.stdout).toMatch(/^\| timestamp \| from \|/);
  });

  test('of a time are found by its words, and the pages keep the window', async () => {
    const run = await server.prepare();
    await run(['replay', LOG, '--register']);
    const now = Date.UTC(2025, 8, 17, 12);
    const window = ['--from-date', '2d', '--tz', 'America/Sao_Paulo', '--limit', '3'];
    const first = await run(['messages', ANA, ...window], { now, terminals: ['stderr'] });
    expect(first.stderr).toBe('Messages from 2025-09-15T12:00:00Z (UTC; dates read in America/Sao_Paulo).\n');
    expect(first.stdout).toContain('3 of 8 messages');
    const cursor = /--cursor (\S+)\n/.exec(first.stdout)?.[1] ?? '';
    // Two days later, when `2d` is another time.
    const later = await run(['messages', ANA, ...window, '--cursor', cursor], { now: now + 2 * 86_400_000 });
    expect(later.stdout).toContain('3 of 8 messages');
    const day = ['--from-date', '2025-09-14', '--to-date', '2025-09-15', '--tz', 'America/Sao_Paulo'];
    expect((await run(['messages', ANA, ...day])).stdout).toContain('\n2 messages, ');
    const none = await run(['messages', ANA, '--to-date', '2020-01-01']);
    expect(none).toMatchObject({
      code: 0,
      stdout: 'Ana Souza  +5511900000001\nNone of 12 messages was sent in this period.\n',
    });
  });

  test('are refused with exit 2 and a reason, for what cannot be right', async () => {
    const run = await server.prepare();
    await run(['replay', LOG, '--register']);
    const page = await run(['messages', ANA, '--limit', '1', '--json']);
    const cursor = PAGE.parse(JSON.parse(page.stdout)).pagination.cursor ?? '';
    const refused: [string[], string][] = [
      [[ANA, '--limit', '0'], 'a whole number from 1 to 1000'],
      [[ANA, '--limit', '5000'], 'a whole number from 1 to 1000'],
      [[ANA, '--limit', 'ten'], 'a whole number from 1 to 1000'],
      [[ANA, '--from-date', 'tomorrowish'], 'is not a time'],
      [[ANA, '--to-date', '2026-02-30'], 'is not a time'],
      [[ANA, '--from-date', '2026-02-02', '--to-date', '2026-02-01'], 'nothing would be in between'],
      [[ANA, '--tz', 'Mars/Base'], 'is not a time zone'],
      [[ANA, '--connection', 'none'], `There is no connection 'none'`],
      [[ANA, '--cursor', cursor.slice(2)], 'This cursor is damaged'],
      [['+5521900000002', '--cursor', cursor], 'belongs to another contact'],
      [[ANA, '--from-date', '2020-01-01', '--cursor', cursor], 'belongs to another contact'],
      [['+5511912121212'], 'No contact found'],
      [['Ana'], `'Ana' is not a valid contact`],
      [[], 'argument'],
    ];
    for (const [argv, reason] of refused) {
      const { code, stdout, stderr } = await run(['messages', ...argv]);
      expect({ argv, code, stdout }).toEqual({ argv, code: 2, stdout: '' });
      expect(stderr).toContain(reason);
    }
    const json = await run(['messages', '+5511912121212', '--json']);
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'unknown_contact' } });
  });

  test('are not looked for in a database of another program, or in one without tables', async () => {
    const run = await server.prepare('empty');
    const empty = await run(['messages', ANA]);
    expect(empty).toMatchObject({ code: 2, stdout: '' });
    expect(empty.stderr).toContain('wa-reconcile db migrate');
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString: run.url });
    await client.connect();
    await client.query('create table messages (id int, body text)').finally(() => client.end());
    const foreign = await run(['messages', ANA]);
    expect(foreign).toMatchObject({ code: 2, stdout: '' });
    expect(foreign.stderr).toContain('messages');
    expect(foreign.stderr).not.toContain('This is a bug');
  });
});

function resultOf(
  messages: Partial<MessageView>[],
  contact: Partial<MessagesResult['contact']> = {},
): MessagesResult {
  return {
    schemaVersion: 1,
    command: 'messages',
    contact: { leadId: 'l', organization: 'default', name: 'Ana', phone: '+5511900000001', ...contact },
    messages: messages.map((message, index) => ({
      id: String(index),
      externalId: null,
      type: 'text',
      body: null,
      direction: 'INBOUND',
      timestamp: '2026-01-01T12:00:00.000Z',
      status: null,
      from: { name: null, number: null },
      source: 'live',
      ...message,
    })),
    pagination: { cursor: null, hasMore: false, total: messages.length },
    metadata: { firstMessageAt: null, lastMessageAt: null, totalMessages: messages.length, syncedUpTo: null },
  };
}

function chat(messages: Partial<MessageView>[], width = 60, contact = {}): string {
  return renderChat(resultOf(messages, contact), 'UTC', createLook(false, width)).join('\n');
}

describe('a chat on a terminal', () => {
  test('fits the width, with wide characters, emoji and words without end', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc
        .array(
          fc.constantFrom(
            '你好',
            '👩‍👩‍👧 family',
            '🇧🇷',
            'https://example.com/a-long-path/'.repeat(4),
            'ok',
            ' ',
            '\n',
            'e\u0301',
          ),
        )
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(
        text,
        fc.constantFrom('INBOUND' as const, 'OUTBOUND' as const),
        fc.integer({ min: 30, max: 120 }),
        (body, direction, width) => {
          const lines = chat(
            [
              {
                body,
                direction,
                status: 'read',
                reactions: [{ emoji: '👍', from: 'customer', timestamp: '' }],
              },
            ],
            width,
          ).split('\n');
          expect(lines.slice(2).filter((line) => widthOf(line) > width)).toEqual([]);
          // What a terminal would obey: control characters but the line breaks.
          expect(lines.join('')).not.toMatch(/\p{Cc}/u);
        },
      ),
    );
  });

  test('never obeys what a message, a name or a file says', () => {
    const evil = '\u001b]0;owned\u0007\u001b[2J\u202eevil\u0008';
    const shown = chat(
      [
        { body: evil, connection: evil, reactions: [{ emoji: evil, from: evil, timestamp: '' }] },
        {
          type: evil,
          media: { fileName: evil },
          context: {
            messageId: evil,
            quoted: { type: 'text', body: evil, direction: 'INBOUND', deleted: false },
          },
        },
      ],
      60,
      { name: evil },
    );
    expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/u);
    expect(shown).toContain('evil');
  });

  test('marks what is no text: media, what was deleted, what failed, and what is not stored', () => {
    const shown = chat(
      [
        { direction: 'OUTBOUND', body: 'too late', status: 'failed' },
        {
          type: 'image',
          body: 'line one\nline two',
          media: { fileName: 'a.jpg' },
          context: { messageId: 'x' },
        },
        { body: null, deletedAt: '2026-01-01T12:01:00.000Z', editedAt: '2026-01-01T12:00:30.000Z' },
        { type: 'location' },
      ],
      50,
    ).split('\n');
    expect(shown.slice(2)).toEqual([
      '',
      '────────────── Thu, 1 January 2026 ───────────────',
      '12:00  [location]',
      '12:00  [deleted]',
      '12:00  │ a message that is not stored',
      '       [image a.jpg] line one',
      '       line two',
      '                        too late  12:00 · ✗ failed',
    ]);
  });
});

describe('text on a terminal', () => {
  test.each([
    ['abc', 3],
    ['ção', 3],
    ['你好', 4],
    ['👍🏽', 2],
    ['👩‍👩‍👧', 2],
    ['🇧🇷', 2],
    ['e\u0301', 1],
    ['❤️', 2],
    ['1️⃣', 2],
    ['한글', 4],
    ['', 0],
  ])('%s is %i columns wide', (text, width) => {
    expect(widthOf(text)).toBe(width);
  });

  test('is broken between words, and inside those that are too long', () => {
    expect(wrapText('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrapText('abcdefgh ij', 3)).toEqual(['abc', 'def', 'gh', 'ij']);
    expect(wrapText('你好吗', 4)).toEqual(['你好', '吗']);
    expect(wrapText('', 10)).toEqual(['']);
    expect(cutText('a long sentence', 7)).toBe('a long…');
    expect(cutText('short', 7)).toBe('short');
  });
});
