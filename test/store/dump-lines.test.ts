import { describe, expect, it } from 'vitest';
import { copyOfNdjson, NotARow } from '../../src/store/dump/copy-of-ndjson.js';
import { NdjsonOfCopy } from '../../src/store/dump/ndjson-of-copy.js';
import { readLines } from '../../src/store/dump/read-rows.js';
import { readTables, type ColumnShape } from '../../src/store/dump/tables.js';
import { readMigrations } from '../../src/store/migrations/status.js';
import type { DatabaseConfig } from '../../src/store/open-store.js';
import type { Sql } from '../../src/store/sql.js';
import { uuidv7 } from '../../src/store/uuid.js';
import { backUp, fillEverything, restoreInto, tableDigests, withStore } from '../support/backups.js';
import { useBackend } from '../support/databases.js';

const COLUMNS: readonly ColumnShape[] = [
  { name: 'id', type: 'integer', asText: false },
  { name: 'ok', type: 'boolean', asText: false },
  { name: 'at', type: 'timestamp(3) with time zone', asText: false },
  { name: 'raw', type: 'text', asText: false },
  { name: 'body "b"', type: 'text', asText: false },
];

/** A line as COPY writes it, and as the backup has it. */
const LINES: readonly (readonly [copy: string, ndjson: string])[] = [
  ['\\N\t\\N\t\\N\t\\N\t\\N', '{}'],
  ['\\N\t\\N\t\\N\t\\N\t', '{"body \\"b\\"":""}'],
  [
    '-7\tt\t2026-01-31 23:59:59.5+00\t\\\\x00ff\ta',
    '{"id":-7,"ok":true,"at":"2026-01-31T23:59:59.5+00:00","raw":"\\\\x00ff","body \\"b\\"":"a"}',
  ],
  ['1\tf\tinfinity\t\\\\x\t\\N', '{"id":1,"ok":false,"at":"infinity","raw":"\\\\x"}'],
  ['\\N\t\\N\t0044-03-15 12:00:00.123+00 BC\t\\N\t\\N', '{"at":"0044-03-15T12:00:00.123+00:00 BC"}'],
  ['\\N\t\\N\t-infinity\t\\N\t\\N', '{"at":"-infinity"}'],
  [
    '\\N\t\\N\t\\N\t\\N\t\\\\N "q" \\t\\n\\r\\b\\f\\v\\\\ \u0001\u001f\u007f / 🚲',
    '{"body \\"b\\"":"\\\\N \\"q\\" \\t\\n\\r\\b\\f\\u000b\\\\ \\u0001\\u001f\u007f / 🚲"}',
  ],
];

const copied = (lines: readonly string[]): Buffer => Buffer.from(lines.map((line) => `${line}\n`).join(''));
const COPY = copied(LINES.map(([copy]) => copy));
const NDJSON = copied(LINES.map(([, ndjson]) => ndjson));

function ndjsonOf(pieces: readonly Uint8Array[]): { text: string; rows: number } {
  const lines = new NdjsonOfCopy(COLUMNS);
  const done = [...pieces.flatMap((piece) => [...lines.push(piece)]), ...lines.end()];
  return {
    text: Buffer.concat(done.map(({ ndjson }) => ndjson)).toString('utf8'),
    rows: done.reduce((sum, { rows }) => sum + rows, 0),
  };
}

const copyOf = (ndjson: Buffer | string): string =>
  Buffer.concat([...copyOfNdjson(COLUMNS, Buffer.from(ndjson))].map(({ text }) => text)).toString('utf8');

describe('the output of COPY', () => {
  it('becomes lines of NDJSON, wherever a piece ends', () => {
    for (let at = 0; at <= COPY.length; at += 1) {
      const { text, rows } = ndjsonOf([COPY.subarray(0, at), COPY.subarray(at)]);
      expect(text).toBe(NDJSON.toString('utf8'));
      expect(rows).toBe(LINES.length);
    }
    expect(ndjsonOf([...COPY].map((byte) => Uint8Array.of(byte))).text).toBe(NDJSON.toString('utf8'));
    for (const line of NDJSON.toString('utf8').split('\n').slice(0, -1)) JSON.parse(line);
  });

  it('has room for values that become six times as long, and for none that do not', () => {
    const most = '\u0001'.repeat(3_000_000);
    const { text } = ndjsonOf([copied([`1\tt\t\\N\t\\N\t${most}`, '\\N\t\\N\t\\N\t\\N\t\\N'])]);
    expect(text.length).toBe('{"id":1,"ok":true,"body \\"b\\"":""}\n{}\n'.length + 6 * most.length);
    const raw = `\\\\x${'ab'.repeat(3_000_000)}`;
    expect(ndjsonOf([copied([`\\N\t\\N\t\\N\t${raw}\t\\N`])]).text).toBe(`{"raw":"${raw}"}\n`);
  });

  it('is refused if it ends within a line, or has another number of values', () => {
    expect(() => ndjsonOf([COPY.subarray(0, -1)])).toThrow(/within a line/);
    expect(() => ndjsonOf([copied(['1\tt'])])).toThrow(/number of values/);
    expect(() => ndjsonOf([copied(['1\tt\t\\N\t\\N\t\\N\t\\N'])])).toThrow(/number of values/);
  });
});

describe('lines of a backup', () => {
  it('become what COPY reads', () => {
    // COPY takes a control character that has no letter with a backslash before it, too.
    const loose = (text: string): string =>
      text.replaceAll(/\\?([\u0001\u001f\u000b])|\\v/g, (_, it?: string) => it ?? '\u000b');
    const asRead = LINES.map(([copy]) =>
      copy
        .replace(/(\d\d-\d\d) (\d\d:.*\+00)/, '$1T$2:00')
        .replace('\tt\t', '\ttrue\t')
        .replace('\tf\t', '\tfalse\t'),
    );
    expect(loose(copyOf(NDJSON))).toBe(loose(copied(asRead).toString('utf8')));
  });

  it('may lack keys, and have values of null and every escape of JSON', () => {
    expect(copyOf('{"id":2,"at":null,"raw":null}')).toBe('2\t\\N\t\\N\t\\N\t\\N\n');
    expect(copyOf('{"body \\"b\\"":"\\/\\u0041\\u005c\\u0009\\u00fc\\ud83d\\udeB2\\u2028"}\n')).toBe(
      '\\N\t\\N\t\\N\t\\N\t/A\\\\\\\tü🚲\u2028\n',
    );
  });

  it('come in pieces of some hundred kilobytes, whole lines each, however long one is', () => {
    const lines = Array.from(
      { length: 9_000 },
      (_, id) => `{"id":${id},"body \\"b\\"":"${'x'.repeat(id % 97)}"}\n`,
    );
    lines.splice(50, 0, `{"body \\"b\\"":"${'y'.repeat(3_000_000)}"}\n`);
    const pieces = [...copyOfNdjson(COLUMNS, Buffer.from(lines.join('')))];
    expect(pieces.length).toBeGreaterThan(3);
    for (const { text, rows } of pieces) expect(text.toString('utf8').split('\n').length).toBe(rows + 1);
    expect(pieces.reduce((sum, { rows }) => sum + rows, 0)).toBe(lines.length);
  });

  it.each([
    '7',
    '[]',
    'null',
    '',
    '{',
    '{"id"',
    '{"id":',
    '{"id":}',
    '{"id":1',
    '{"id":1} ',
    '{"id": 1}',
    '{"id":1,}',
    '{"id":1 "ok":true}',
    '{"id":tru}',
    '{"id":01x}',
    '{"id":{"a":1}}',
    '{"id":[1]}',
    '{"other":1}',
    '{"ok":true,"id":1}',
    '{"id":1,"id":2}',
    '{"id":1,"ok":true,"other":1}',
    '{"id":truest}',
    '{"ok":nul}',
    '{id:1}',
    '{"id":"a',
    '{"id":"a\\"}',
    '{"id":"a\tb"}',
    '{"id":"a\u0000b"}',
    '{"id":"\\q"}',
    '{"id":"\\u00g0"}',
    '{"id":"\\u0000"}',
    '{"id":"\\ud83d"}',
    '{"id":"\\udeb2\\ud83d"}',
  ])('are refused if they are none: %j', (line) => {
    expect(() => copyOf(`{}\n${line}\n{}\n`)).toThrow(NotARow);
  });
});

describe('rows of every table', () => {
  const backend = useBackend('postgresql');

  it('are the same lines by COPY and by cursors, and the same rows again', async () => {
    const store = await backend.open();
    await fillEverything(store);
    const tables = await readTables(store.sql, await readMigrations());
    await store.transaction(async (tx) => {
      const { copyOut, ...without } = tx;
      expect(copyOut).toBeDefined();
      for (const table of tables) {
        const lines = async (sql: Sql): Promise<string> => {
          const pieces: Buffer[] = [];
          for await (const { ndjson } of readLines(sql, table)) pieces.push(ndjson);
          return Buffer.concat(pieces).toString('utf8');
        };
        const byCopy = await lines(tx);
        expect(byCopy, table.name).toBe(await lines(without));
        expect(byCopy === '', table.name).toBe(table.name === 'access_log');
      }
    });
  });

  it('leave the connection usable where the reader stops early', async () => {
    const store = await backend.open();
    const many = `copy (select repeat('x', 1000) from generate_series(1, 200000)) to stdout`;
    const stopped = store.transaction(async (tx) => {
      for await (const piece of tx.copyOut?.(many) ?? []) {
        expect(piece.length).toBeGreaterThan(0);
        throw new Error('enough');
      }
    });
    await expect(stopped).rejects.toThrow('enough');
    const failed = store.transaction(async (tx) => {
      for await (const piece of tx.copyOut?.(
        `copy (select 1 / (g - 5) from generate_series(1, 9) g) to stdout`,
      ) ?? []) {
        expect(piece).toBeDefined();
      }
    });
    await expect(failed).rejects.toMatchObject({ code: '22012' });
    await store.transaction(async (tx) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of tx.copyOut?.('copy (select 7) to stdout') ?? []) pieces.push(piece);
      expect(Buffer.concat(pieces).toString('latin1')).toBe('7\n');
      expect(await tx.query('select 1 as one')).toEqual([{ one: 1 }]);
    });
  });

  it('are refused where row-level security holds for the owner, too', async () => {
    const store = await backend.open();
    await fillEverything(store);
    const { bytes } = await backUp(store);
    const config = await backend.config();
    if (config.kind !== 'postgresql') throw new Error('no server');
    const role = `owner_${uuidv7(Date.now()).replaceAll('-', '')}`;
    const name = new URL(config.url).pathname.slice(1);
    await withStore(config, async ({ sql }) => {
      await sql.execute(`create role ${role} login`);
      await sql.execute(`grant all on database "${name}" to ${role}`);
      await sql.execute(`grant create on schema public to ${role}`);
      for (const table of (await readTables(sql, await readMigrations())).map((shape) => shape.name))
        await sql.execute(`alter table ${table} owner to ${role}`);
      await sql.execute(`alter table _prisma_migrations owner to ${role}`);
      await sql.execute(`alter table leads enable row level security`);
      await sql.execute(`alter table leads force row level security`);
    });
    const url = new URL(config.url);
    url.username = role;
    const owned: DatabaseConfig = { kind: 'postgresql', url: url.toString() };
    await expect(restoreInto(owned, bytes)).rejects.toMatchObject({ code: 'restore_row_security' });
    await withStore(config, ({ sql }) => sql.execute(`alter table leads no force row level security`));
    await restoreInto(owned, bytes);
    await withStore(config, async (restored) => {
      expect(await tableDigests(restored)).toEqual(await tableDigests(store));
      await restored.sql.execute(`drop owned by ${role} cascade`);
      await restored.sql.execute(`drop role ${role}`);
    });
  });
});
