import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { decodeEntry } from '../../src/decode/decode-entry.js';
import type { JsonValue } from '../../src/model/json.js';
import type { SourceItem } from '../../src/model/raw-entry.js';
import { readText } from '../inputs/support.js';
import { message, only, webhook } from './meta-builders.js';

/** What a customer may write: a webhook, which would bring a message of somebody else. */
const TRAP = JSON.stringify(webhook('messages', { messages: [message({ text: { body: 'trap' } })] }));
const RUBY_TRAP = TRAP.replaceAll('":', '"=>');
const BASE64_TRAP = Buffer.from(TRAP).toString('base64');

const TEXTS: readonly string[] = [
  `oi ${TRAP} fim`,
  `oi\n${TRAP}\nfim`,
  `oi\n\n${TRAP}\n`,
  TRAP,
  `it's ${TRAP} 'x'`,
  `é\n)\n${TRAP}`,
  `oi\n${RUBY_TRAP}\n`,
  `oi ${BASE64_TRAP} fim`,
  `oi\n${BASE64_TRAP}\nfim`,
  `s:3:"${TRAP}";`,
  `oi\n    [payload] => ${TRAP}\n`,
  `oi\n  'payload' => '${TRAP}',\n`,
  `oi\n                                                                )\n${TRAP}`,
];

function bodyWith(text: string): JsonValue {
  return webhook('messages', {
    contacts: [{ profile: { name: 'Eve' }, wa_id: '5511988880001' }],
    messages: [message({ text: { body: text } })],
  });
}

function entriesOf(value: JsonValue): [string, JsonValue][] | undefined {
  return typeof value === 'object' && value !== null ? Object.entries(value) : undefined;
}

function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function printR(value: JsonValue, indent = ''): string {
  const entries = entriesOf(value);
  if (entries === undefined) return textOf(value);
  const inner = `${indent}    `;
  const lines = entries.map(([key, each]) => `${inner}[${key}] => ${printR(each, `${inner}    `)}\n`);
  return `Array\n${indent}(\n${lines.join('')}${indent})\n`;
}

function varExport(value: JsonValue, indent = ''): string {
  const entries = entriesOf(value);
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  if (entries === undefined) return quoted(textOf(value));
  const lines = entries.map(([key, each]) => {
    const start = entriesOf(each) === undefined ? ' ' : `\n${indent}  `;
    return `${indent}  ${Array.isArray(value) ? key : quoted(key)} =>${start}${varExport(each, `${indent}  `)},\n`;
  });
  return `array (\n${lines.join('')}${indent})`;
}

function varDump(value: JsonValue, indent = ''): string {
  const entries = entriesOf(value);
  if (entries === undefined) {
    const text = textOf(value);
    return `${indent}string(${Buffer.byteLength(text)}) "${text}"\n`;
  }
  const lines = entries.map(([key, each]) => `${indent}  ["${key}"]=>\n${varDump(each, `${indent}  `)}`);
  return `${indent}array(${entries.length}) {\n${lines.join('')}${indent}}\n`;
}

function serialize(value: JsonValue): string {
  const string = (text: string): string => `s:${Buffer.byteLength(text)}:"${text}";`;
  const entries = entriesOf(value);
  if (entries === undefined) return string(textOf(value));
  const members = entries.map(([key, each]) => {
    return `${Array.isArray(value) ? `i:${key};` : string(key)}${serialize(each)}`;
  });
  return `a:${entries.length}:{${members.join('')}}`;
}

/** Python's pprint: a text over its width is several pieces, cut after a space or a line end. */
function pprint(value: JsonValue, indent = ' '): string {
  const entries = entriesOf(value);
  if (entries === undefined) {
    const pieces = textOf(value).match(/[^ \n]*[ \n]+|[^ \n]+$/g) ?? [''];
    return pieces
      .map((piece) => `'${piece.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`)
      .join(`\n${indent}`);
  }
  const inner = `${indent}        `;
  const members = entries.map(([key, each]) =>
    Array.isArray(value) ? pprint(each, inner) : `'${key}': ${pprint(each, inner)}`,
  );
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return `${open}${members.join(`,\n${indent}`)}${close}`;
}

const PRINTS: readonly (readonly [string, string, (value: JsonValue) => string])[] = [
  ['print_r', 'php_print_r', printR],
  ['var_export', 'php_var_export', varExport],
  ['var_dump', 'php_var_dump', varDump],
  ['serialize', 'php_serialize', serialize],
  ['pprint', 'printed_by_python', pprint],
];

const FRAMES: readonly (readonly [string, (line: string) => string])[] = [
  ['none', (line) => line],
  ['docker', (line) => JSON.stringify({ log: `${line}\n`, stream: 'stdout', time: '2026-09-21T11:13:20Z' })],
  ['compose', (line) => `web_1  | ${line}`],
];

/** The bodies of the messages that a log brings, and why the rest of it brings none. */
async function read(
  log: string,
): Promise<{ bodies: (string | null)[]; reasons: string[]; items: SourceItem[] }> {
  const bodies: (string | null)[] = [];
  const reasons: string[] = [];
  const { texts, items } = await readText(log);
  for (const text of texts) {
    // The helper shows an entry byte for byte.
    const result = decodeEntry(Buffer.from(text, 'latin1'), { include: new Set() });
    if (result.kind === 'invalid') reasons.push(result.reason);
    else {
      for (const { facts } of result.entry.sections)
        for (const { body } of only('message', facts)) bodies.push(body ?? null);
      reasons.push(...result.entry.unrecognized.map(({ reason }) => reason));
    }
  }
  return { bodies, reasons, items };
}

const NEXT = `INFO webhook ${JSON.stringify(webhook('messages', { messages: [message({ text: { body: 'next' } })] }))}`;

describe.each(PRINTS)('E1: a print by %s', (_name, form, print) => {
  test.each(FRAMES)('holds no webhook of a customer, frame: %s', async (frame, framed) => {
    for (const text of TEXTS) {
      const lines = ['INFO start', ...`[2026-09-21 14:13:20] ${print(bodyWith(text))}`.split('\n'), NEXT];
      const { bodies, reasons } = await read(`${lines.map(framed).join('\n')}\n`);
      // Only pprint says where its texts end.
      if (form === 'printed_by_python') {
        expect(bodies, text).toEqual([text, 'next']);
        continue;
      }
      expect(bodies, text).toEqual(['next']);
      if (frame === 'none') expect(reasons, text).toContain(form);
      else expect(reasons, text).not.toEqual([]);
    }
  });

  test('holds none where it is a field of a line', async () => {
    for (const text of TEXTS) {
      const row = JSON.stringify({ level: 'info', message: print(bodyWith(text)) });
      const { bodies, reasons } = await read(`${row}\n`);
      // What can be read as a whole is.
      if (bodies.length > 0) expect(bodies, text).toEqual([text]);
      else expect(reasons, text).toHaveLength(1);
    }
  });

  test('is read from any resume point as from the beginning', async () => {
    for (const text of TEXTS.slice(0, 3)) {
      const log = `INFO start\n${print(bodyWith(text))}\n${NEXT}\n`;
      const { items, seen } = await readText(log);
      for (const [i, item] of items.entries()) {
        const resume = 'after' in item ? item.after : undefined;
        const rest = await readText(log, { resume, chunkBytes: 7 });
        expect(rest.seen).toEqual(seen.slice(i + 1));
      }
    }
  });
});

describe('E1: a print without its head', () => {
  test.each<[string, (value: JsonValue) => string]>([
    ['print_r', printR],
    ['var_export', varExport],
    ['pprint', pprint],
    ['inspect', (value) => inspect(value, { depth: null })],
    ['inspect, compact', (value) => inspect(value, { depth: null, compact: false, breakLength: 80 })],
  ])('%s: a text stays one', async (_name, print) => {
    for (const text of TEXTS.slice(0, 3)) {
      const lines = print(bodyWith(text)).split('\n');
      const holding = lines.findIndex((line) => /^[^{]*body/.test(line.trim()));
      for (let from = 1; from <= holding; from++) {
        const { bodies } = await read(`${lines.slice(from).join('\n')}\n${NEXT}\n`);
        expect(
          bodies.filter((body) => body === 'trap'),
          `${text} from ${from}`,
        ).toEqual([]);
      }
    }
  });
});

describe('a body that fills the string of a print is read', () => {
  const body = JSON.stringify(webhook('messages', { messages: [message({ text: { body: 'found' } })] }));
  const encoded = Buffer.from(body).toString('base64');
  const event = {
    version: '2.0',
    headers: { 'x-a': `sha256=${'a1'.repeat(32)}` },
    context: { a: { b: { c: {} } } },
  };
  test.each([
    `Array\n(\n    [id] => 7\n    [payload] => ${body}\n)\n`,
    `array (\n  'id' => 7,\n  'payload' => '${body}',\n)`,
    `a:1:{s:7:"payload";s:${Buffer.byteLength(body)}:"${body}";}`,
    `string(${Buffer.byteLength(body)}) "${body}"`,
    `    payload: '${body}',`,
    inspect({ ...event, body }),
    inspect({ ...event, headers: {}, body: encoded, isBase64Encoded: true }),
    inspect({ ...event, body }, { compact: false }),
    inspect({ req: { ...event, body } }),
    `INFO bot: got ${body}`,
    `INFO body: '${body}'`,
    `INFO bot: 'got ${body}'`,
    `it's body='${body}'`,
    `    body: ${body}`,
  ])('%#', async (log) => {
    expect((await read(`INFO start\n${log}\nINFO end\n`)).bodies).toEqual(['found']);
  });
});
