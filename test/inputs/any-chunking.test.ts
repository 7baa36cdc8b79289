import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { after, fileWith, read, type Seen, expectResumed } from './support.js';
import { anyCharacter } from '../support/any-text.js';
import { tries } from '../support/seed.js';

/** A log being written by a test: its text, and the entries that must be found in it. */
class Log {
  text = '';
  entries: { line: number; text: string }[] = [];

  add(text: string): this {
    this.text += text;
    return this;
  }

  /** `written`: how the entry stands in the file. */
  entry(text: string, written = text): this {
    this.entries.push({ line: this.text.split('\n').length, text });
    return this.add(written);
  }
}

const compact = (value: unknown): string => JSON.stringify(value);
const pretty = (value: unknown): string => JSON.stringify(value, null, 2);

/** With a layer of escapes, as COPY writes a cell. */
const doubled = (text: string): string => text.replaceAll('\\', '\\\\');

type Write = (values: unknown[]) => Log;

function lines(write: (log: Log, value: unknown, index: number) => void, head = ''): Write {
  return (values) => {
    const log = new Log().add(head);
    for (const [index, value] of values.entries()) write(log, value, index);
    return log;
  };
}

function array(stringify: (value: unknown) => string): Write {
  return (values) => {
    const log = new Log().add('[\n');
    for (const [index, value] of values.entries()) log.add(index === 0 ? '' : ',\n').entry(stringify(value));
    return log.add('\n]\n');
  };
}

const FORMATS: Record<string, Write> = {
  ndjson: lines((log, value) => log.entry(compact(value)).add('\n')),
  'ndjson with CRLF and blank lines': lines((log, value) => log.entry(compact(value)).add('\r\n\r\n')),
  'ndjson with a byte order mark': lines((log, value) => log.entry(compact(value)).add('\n'), '\uFEFF'),
  'bodies pretty-printed': lines((log, value) => log.entry(pretty(value)).add('\n')),
  'bodies pretty-printed with CRLF': lines((log, value) =>
    log.entry(pretty(value).replaceAll('\n', '\r\n')).add('\r\n'),
  ),
  'bodies without anything between': lines((log, value) => log.entry(compact(value))),
  'rows of one column, every other one JSON either way': lines((log, value, index) => {
    const text = compact(index % 2 === 0 ? { value, a: '"' } : { value, a: '\n' });
    log.entry(text, doubled(text)).add('\n');
  }),
  'ndjson with a COPY block in it': (values) => {
    const log = new Log().entry('{"a":"\\n"}').add('\nCOPY hooks (id, payload) FROM stdin;\n');
    for (const [id, value] of values.entries()) {
      const text = compact({ value, a: '\n' });
      log.add(`${id}\t`).entry(text, doubled(text)).add('\n');
    }
    return log.add('\\.\n').entry('{"a":"\\\\n"}').add('\n').entry('{"a":"\\n"}').add('\n');
  },
  array: array(compact),
  'array pretty-printed': array(pretty),
  csv: lines((log, value, index) => {
    const text = index % 2 === 0 ? pretty(value) : compact(value);
    log
      .add(`${index},`)
      .entry(text, `"${text.replaceAll('"', '""')}"`)
      .add(',2025-09-16 05:00:00+00\n');
  }, 'id,payload,created_at\n'),
  'console log': lines((log, value, index) => {
    const prefix = index % 2 === 0 ? '[pm2] ' : '2025-09-16T05:00:00Z INFO webhook: ';
    log.add('GET /health 200\n').add(prefix).entry(compact(value)).add(' done\n');
  }),
  'console log with several bodies in a line': lines((log, value) =>
    log.add('2025-09-16T05:00:00Z got ').entry(compact(value)).entry(compact(value)).add('\n'),
  ),
  'ndjson with several bodies in a line': lines((log, value, index) => {
    if (index > 0) log.entry(compact(value));
    log.entry(compact(value)).add('\n');
  }),
  'console log pretty-printed': lines((log, value) => log.add('got ').entry(pretty(value)).add('\n')),
};

const ENCODINGS: Record<string, (text: string) => Uint8Array> = {
  plain: (text) => Buffer.from(text),
  gzip: (text) => gzipSync(text),
  'gzip of several members': (text) => {
    const bytes = Buffer.from(text);
    const middle = bytes.length >> 1;
    return Buffer.concat([gzipSync(bytes.subarray(0, middle)), gzipSync(bytes.subarray(middle))]);
  },
  'UTF-16': (text) => Buffer.from(`\uFEFF${text.replace(/^\uFEFF/, '')}`, 'utf16le'),
};

const value = fc.dictionary(
  fc.string({ unit: anyCharacter }),
  fc.jsonValue({ stringUnit: 'binary', maxDepth: 2 }),
  {
    minKeys: 1,
  },
);
const chunkBytes = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 9, max: 2000 }));

test.each(Object.entries(FORMATS))(
  '%s: any cutting into chunks and any resume point give the same entries',
  async (_, write) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(value, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(...Object.values(ENCODINGS)),
        chunkBytes,
        chunkBytes,
        fc.nat(),
        async (values, encode, firstChunks, secondChunks, point) => {
          const log = write(values);
          const file = await fileWith(encode(log.text));
          const { items, seen, problems } = await read(file, { chunkBytes: firstChunks });
          expect(problems).toEqual([]);
          expect(seen.map((entry) => ({ line: lineOf(entry), text: utf8(entry) }))).toEqual(log.entries);
          await expectResumed(file, { items, seen }, point, { chunkBytes: secondChunks });
        },
      ),
      { numRuns: tries(25) },
    );
  },
);

function lineOf({ at }: Seen): number {
  return Number(/:(\d+)/.exec(at)?.[1]);
}

function utf8({ text = '' }: Seen): string {
  return Buffer.from(text, 'latin1').toString();
}

const FRAGMENTS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  '\\',
  ',',
  ':',
  '\n',
  '\n',
  ' ',
  'a',
  '1',
  '{"a":1}',
  '{"a"=>',
  'web | ',
  '{"log":"{\\"a\\":1}\\n","time":""}\n',
  '{"log":"{\\"a\\":","time":""}\n',
  'whatsapp_business_account',
  '"a":',
  'x,y\n',
  '\r',
];

test('no text, however broken, depends on the cutting into chunks or on a resume point', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 60 }),
      chunkBytes,
      fc.nat(),
      async (fragments, chunks, point) => {
        const file = await fileWith(fragments.join(''));
        const limits = { maxEntryBytes: 40 };
        const { items, seen } = await read(file, limits);
        const cutOtherwise = await read(file, { ...limits, chunkBytes: chunks });
        expect(cutOtherwise.items).toEqual(items);
        const resumeAt = point % items.length;
        const rest = await read(file, { ...limits, chunkBytes: chunks, resume: after(items[resumeAt]) });
        // What the end of a file or of a list cut off is given again: the file may have grown. Only what the resume
        // point does not cover is given again, one entry of each stream at most; inside the file that is a problem.
        const again = Math.min(resumeAt + 1, Math.max(0, seen.length - rest.seen.length));
        for (const item of items.slice(again, resumeAt + 1)) {
          const from = item.kind === 'problem' ? items[resumeAt] : items.at(-1);
          expect(item.after).toEqual(from?.after);
        }
        expect(rest.seen).toEqual(seen.slice(again));
      },
    ),
    {
      numRuns: tries(1000),
      // A list without its end, then another line: the problem of the list shares its resume point with the entry before.
      examples: [[['{', '[', '{"a":1}', ',', '{"log":"{\\"a\\":1}\\n","time":""}\n', '{'], 9, 31731254]],
    },
  );
});
