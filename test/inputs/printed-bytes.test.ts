import { gzipSync } from 'node:zlib';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/model/json.js';
import { decode, message, only, webhook } from '../decode/meta-builders.js';
import { ruby } from '../decode/wrap.js';
import { readText } from './support.js';

const BODY = webhook('messages', { messages: [message({ text: { body: 'açúcar "x"' } })] });
const BYTES = Buffer.from(JSON.stringify(BODY));
const RAILS = 'I, [2026-09-21T14:13:57.6 #1]  INFO -- : [x]   Parameters: ';

/** `<Buffer 7b 22 …>` with all of its bytes. */
function buffer(bytes: Uint8Array): string {
  return `<Buffer ${Buffer.from(bytes)
    .toString('hex')
    .replace(/..(?!$)/g, '$& ')}>`;
}

/** What the lines of a log bring, and how many of them are skipped. */
async function read(...lines: string[]): Promise<{ bodies: unknown[]; reasons: string[]; skipped: number }> {
  const { texts, source } = await readText(`${lines.join('\n')}\n`);
  const entries = texts.map((text) => decode(Buffer.from(text, 'latin1').toString()));
  return {
    bodies: entries.flatMap(({ sections }) => sections.flatMap(({ facts }) => only('message', facts))),
    reasons: entries.flatMap(({ unrecognized }) => unrecognized.map(({ reason }) => reason)),
    skipped: source.skippedLines(),
  };
}

describe('E1: a body as the bytes that a program printed is an entry of a console log', () => {
  const places = Object.fromEntries(BYTES.entries());
  test.each<[string, string]>([
    ['a list in a hash', `${RAILS}${ruby({ buf: [...BYTES] })}`],
    ['a list in a hash of Ruby 3.4', `${RAILS}${ruby({ buf: [...BYTES] }, ' => ')}`],
    ['an object by place in a hash', `${RAILS}${ruby({ buf: places })}`],
    ['an object by place, alone', `${RAILS}${ruby(places)}`],
    ['gzip in a list', `${RAILS}${ruby({ buf: [...gzipSync(BYTES)] })}`],
    ['a Buffer', `hook ${buffer(BYTES)}`],
    ['a Buffer of gzip', `hook ${buffer(gzipSync(BYTES))} ok`],
    ['a Buffer in an object', `hook { id: 1, body: ${buffer(BYTES)} }`],
  ])('%s', async (_what, line) => {
    const rails = `${RAILS}${ruby(BODY)}`;
    const { bodies, reasons, skipped } = await read('INFO started', rails, line, 'INFO done');
    expect(bodies).toMatchObject([{ body: 'açúcar "x"' }, { body: 'açúcar "x"' }]);
    expect({ reasons, skipped }).toEqual({ reasons: [], skipped: 2 });
    expect((await read(line)).bodies).toHaveLength(1);
  });

  test('a Buffer that Node cut is reported', async () => {
    for (const line of [
      `hook body ${inspect(BYTES)}`,
      `hook ${inspect({ id: 1, body: BYTES }, { breakLength: Infinity })}`,
    ]) {
      expect(await read('INFO started', `x ${JSON.stringify(BODY)}`, line)).toMatchObject({
        bodies: [{ body: 'açúcar "x"' }],
        reasons: ['abridged'],
        skipped: 1,
      });
      expect(await read(line)).toMatchObject({ bodies: [], reasons: ['abridged'] });
    }
  });

  test('other bytes are none', async () => {
    const image = Buffer.alloc(200, 'ÿØÿà');
    const lines = [`got ${inspect(image)}`, `got ${buffer(image)}`, `${RAILS}${ruby({ image: [...image] })}`];
    expect(await read(`x ${JSON.stringify(BODY)}`, ...lines)).toMatchObject({ reasons: [], skipped: 3 });
  });

  test('a person’s text of them stays a text', async () => {
    for (const text of [buffer(BYTES), JSON.stringify([...BYTES])]) {
      const holding: JsonValue = webhook('messages', { messages: [message({ text: { body: text } })] });
      const { bodies, reasons } = await read(`${RAILS}${ruby(holding)}`, `x ${JSON.stringify(holding)}`);
      expect(bodies).toMatchObject([{ body: text }, { body: text }]);
      expect(reasons).toEqual([]);
    }
  });
});
