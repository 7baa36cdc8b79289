import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { decodeEntry } from '../../src/decode/decode-entry.js';
import { only } from '../decode/meta-builders.js';
import { ruby } from '../decode/wrap.js';
import { bodyOf, PRINTS, raw } from './prints.js';
import { readText, type ReadResult } from './support.js';

/** What console.log of Node and mongosh print over several lines. */

const TEXTS = ['Oi\nsegunda linha', 'preço \\ barra', 'diz "sim" {\nok', "it's `here`"];
function textsIn({ items }: ReadResult): (string | undefined)[] {
  return items.flatMap((item) => {
    if (item.kind === 'problem') return [];
    const decoded = decodeEntry(item.entry.bytes, { include: new Set() });
    if (decoded.kind === 'invalid') return [decoded.reason];
    const { sections, unrecognized } = decoded.entry;
    const bodies = sections.flatMap(({ facts }) => only('message', facts).map(({ body }) => body ?? ''));
    return [...bodies, ...unrecognized.map(({ reason }) => reason)];
  });
}

describe.each(Object.entries(PRINTS))('%s', (_, write) => {
  test('is read, an entry for each print', async () => {
    const text = `${TEXTS.map(write).join('\n')}\n`;
    const result = await readText(text);

    expect(result.problems).toEqual([]);
    expect(result.items).toHaveLength(TEXTS.length);
    expect(textsIn(result)).toEqual(TEXTS);
  });

  test('is read between lines of other kinds', async () => {
    const prints = TEXTS.map((text) => `listening on 3000\n${write(text)}\n${raw('x')}\n`);
    const result = await readText(`started\n${prints.join('')}`);

    expect(textsIn(result)).toEqual(TEXTS.flatMap((text) => [text, 'x']));
  });
});

test('a print that is cut by other lines is split into its lines', async () => {
  const cut = `got {\n  headers: { a: 'b' },\n  body: ${inspect(raw('Oi\nlá'))},\n2026-09-21 next line\n`;
  const result = await readText(`${cut}${inspect({ body: raw('x') })}\n${cut.slice(0, cut.indexOf('2026'))}`);

  expect(textsIn(result)).toEqual(['Oi\nlá', 'x', 'Oi\nlá']);
});

test('a print that leaves parts out is one problem; one without a body is none', async () => {
  const abridged = inspect(bodyOf('Oi'));
  const config = inspect({
    port: 3000,
    database: 'postgresql://localhost/crm',
    origin: 'https://crm.example.test',
    workers: [1, 2],
  });
  expect(config).toContain('\n');
  const result = await readText(`started ${config}\n${abridged}\n`);

  expect(textsIn(result)).toEqual(['abridged']);
  expect(result.source.skippedLines()).toBe(config.split('\n').length);
});

describe('lines of Rails', () => {
  test.each(['=>', ' => '])('in a row (%s), whatever a customer wrote, are an entry each', async (arrow) => {
    const texts = ['Oi', '{"a" => "b"}', '  Parameters: {"a"=>', "it's {'a' => 1}"];
    const lines = texts.map((text) => `  Parameters: ${ruby(bodyOf(text), arrow)}`);
    const plain = await readText(`${lines.join('\n\n')}\n`);
    expect(textsIn(plain)).toEqual(texts);
    const docker = lines.map((line) =>
      JSON.stringify({ log: `${line}\n`, stream: 'stdout', time: '2025-09-16T05:00:00Z' }),
    );
    expect(textsIn(await readText(`${docker.join('\n')}\n`))).toEqual(texts);
  });
});
