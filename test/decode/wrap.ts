import { inspect } from 'node:util';
import { deflateSync, gzipSync } from 'node:zlib';
import type { JsonObject, JsonValue } from '../../src/model/json.js';

/** One way in which a program or log system keeps a value or a text: the result is a text where it says so. */
export type Wrap = (value: JsonValue) => JsonValue;

/** What stands in the file: a text is itself. */
export function fileOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function ruby(value: JsonValue, arrow = '=>'): string {
  if (value === null) return 'nil';
  if (typeof value === 'string') return rubyText(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map((each) => ruby(each, arrow)).join(', ')}]`;
  const members = Object.entries(value).map(([key, each]) => `${rubyText(key)}${arrow}${ruby(each, arrow)}`);
  return `{${members.join(', ')}}`;
}

function rubyText(text: string): string {
  const escaped = text
    .replace(/["\\]|#(?=[{$@])/g, (each) => `\\${each}`)
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replaceAll('\r', '\\r')
    .replaceAll('\x1b', '\\e')
    .replace(
      /[\0-\x1a\x1c-\x1f\x7f-\x9f]/g,
      (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
  return `"${escaped}"`;
}

export function python(value: JsonValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return pythonText(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, each]) => `${pythonText(key)}: ${python(each)}`)
    .join(', ')}}`;
}

function pythonText(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let written = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (character === quote || character === '\\') written += `\\${character}`;
    else if (character === '\n') written += '\\n';
    else if (character === '\t') written += '\\t';
    else if (character === '\r') written += '\\r';
    else if (code < 32 || (code >= 127 && code <= 160)) written += `\\x${code.toString(16).padStart(2, '0')}`;
    else written += character;
  }
  return quote + written + quote;
}

export function node(value: JsonValue): string {
  return inspect(value, { depth: null, maxArrayLength: null, maxStringLength: null });
}

/** `print(request.data)`: the body's bytes. */
export function pythonBytes(text: string): string {
  const bytes = [...Buffer.from(text)].map((byte) => {
    if (byte === 0x27 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
    if (byte === 0x0a) return '\\n';
    return byte < 32 || byte > 126 ? `\\x${byte.toString(16).padStart(2, '0')}` : String.fromCharCode(byte);
  });
  return `b'${bytes.join('')}'`;
}

/** nginx's default escaping of a variable. */
export function nginx(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) =>
      byte < 32 || byte > 126 || byte === 0x22 || byte === 0x5c
        ? `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`
        : String.fromCharCode(byte),
    )
    .join('');
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

export function gzipped(text: string): string {
  return gzipSync(text).toString('base64');
}

/** `flatted`: what n8n's database holds. */
export function flatted(value: JsonValue): JsonValue[] {
  const flat: JsonValue[] = [];
  const places = new Map<JsonValue, number>();
  const place = (each: JsonValue): number => {
    const known = places.get(each);
    if (known !== undefined) return known;
    const index = flat.length;
    places.set(each, index);
    flat.push(null);
    flat[index] = typeof each === 'object' && each !== null ? flatten(each) : each;
    return index;
  };
  const refer = (each: JsonValue): JsonValue =>
    typeof each === 'string' || (typeof each === 'object' && each !== null) ? String(place(each)) : each;
  const flatten = (each: JsonObject | JsonValue[]): JsonValue =>
    Array.isArray(each)
      ? each.map(refer)
      : Object.fromEntries(Object.entries(each).map(([key, member]) => [key, refer(member)]));
  place(value);
  return flat;
}

/** MongoDB's canonical extended JSON. */
export function canonical(value: JsonValue): JsonValue {
  if (typeof value === 'number') {
    if (!Number.isInteger(value)) return { $numberDouble: String(value) };
    return Math.abs(value) < 2 ** 31 ? { $numberInt: String(value) } : { $numberLong: String(value) };
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(canonical);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, canonical(each)]));
}

/** Docker's json-file: pieces of 16 KiB, here smaller. */
export function docker(text: string, size = 500): string {
  const pieces: string[] = [];
  for (const line of text.split('\n')) {
    for (let from = 0; from === 0 || from < line.length;) {
      // Docker cuts bytes, but writes whole characters.
      let to = Math.min(line.length, from + size);
      if (/[\ud800-\udbff]/.test(line.charAt(to - 1))) to++;
      const end = to >= line.length ? '\n' : '';
      pieces.push(JSON.stringify({ log: line.slice(from, to) + end, stream: 'stdout', time: TIME }));
      from = Math.max(to, 1);
    }
  }
  return pieces.join('\n');
}

const TIME = '2026-09-21T11:13:20.600000000Z';

/** Kubernetes' CRI log: parts P, and F for the last. `size`: in bytes, so that a part can end inside a character. */
export function cri(text: string, size: number): Buffer {
  const lines: Buffer[] = [];
  for (const line of text.split('\n')) {
    const bytes = Buffer.from(line);
    for (let from = 0; from === 0 || from < bytes.length; from += size) {
      const tag = from + size >= bytes.length ? 'F' : 'P';
      lines.push(Buffer.from(`${TIME} stdout ${tag} `), bytes.subarray(from, from + size), Buffer.from('\n'));
    }
  }
  return Buffer.concat(lines.slice(0, -1));
}

/** DynamoDB's typed JSON. */
export function typed(value: JsonValue): JsonValue {
  if (value === null) return { NULL: true };
  if (typeof value === 'boolean') return { BOOL: value };
  if (typeof value === 'number') return { N: String(value) };
  if (typeof value === 'string') return { S: value };
  if (Array.isArray(value)) return { L: value.map(typed) };
  return { M: Object.fromEntries(Object.entries(value).map(([key, each]) => [key, typed(each)])) };
}

/** A line of a log holds lines of another one as a text in a value. */
function lineOf(value: JsonValue): string {
  const text = fileOf(value);
  return /^(?:\{"log"|\d{4}-)/.test(text) ? JSON.stringify({ lines: text }) : text;
}

function textOf(value: JsonValue): string {
  return fileOf(value);
}

function escapedUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Notations of values need an object; a text is put into one. */
function objectOf(value: JsonValue): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : { line: value };
}

/** Each wrapper takes whatever is inside: it renders a value as JSON, or puts a text under a key. */
export const WRAPS: Readonly<Record<string, Wrap>> = {
  'a key': (value) => ({ id: 7, whatever_it_is: value, note: 'x' }),
  'a key with dots': (value) => ({ 'http.request[body]': value, level: 'info' }),
  'a list': (value) => [value],
  'a row': (value) => ({
    id: 1,
    received_at: '2026-09-21T11:13:20Z',
    event_type: 'messages',
    payload: value,
  }),
  'a text of JSON': (value) => ({ payload: JSON.stringify(value) }),
  'indented JSON': (value) => (typeof value === 'string' ? value : JSON.stringify(value, null, 2)),
  'words around': (value) => `2026-09-21T11:13:20Z [pm2] INFO {webhook} ${lineOf(value)} took 12 ms`,
  quoted: (value) => `level=info body=${JSON.stringify(lineOf(value))} took=12`,
  base64: (value) => ({ data: base64(textOf(value)), encoding: 'base64' }),
  gzip: (value) => ({ data: gzipped(textOf(value)) }),
  zlib: (value) => deflateSync(textOf(value)).toString('base64'),
  bytes: (value) => ({ MESSAGE: [...Buffer.from(textOf(value))], _PID: '1' }),
  'index bytes': (value) => ({ value: Object.fromEntries([...Buffer.from(textOf(value))].entries()) }),
  Buffer: (value) => ({ body: { type: 'Buffer', data: [...Buffer.from(textOf(value))] } }),
  flatted: (value) => ({ data: flatted(objectOf(value)) }),
  canonical: (value) => ({
    _id: { $oid: '650c' },
    at: { $date: { $numberLong: '1' } },
    doc: canonical(value),
  }),
  'DynamoDB text': (value) => ({ Item: { id: { S: 'x' }, n: { N: '1' }, payload: { S: textOf(value) } } }),
  'DynamoDB map': (value) => ({ Item: { id: { N: '7' }, seen: { BOOL: true }, payload: typed(value) } }),
  ruby: (value) => `  Parameters: ${ruby(objectOf(value))}`,
  'ruby 3.4': (value) => `  Parameters: ${ruby(objectOf(value), ' => ')}`,
  python: (value) => `INFO:root:${python(objectOf(value))}`,
  'python bytes': (value) =>
    `body ${pythonBytes(fileOf(typeof value === 'string' ? { line: value } : value))} ok`,
  inspect: (value) => `webhook ${node(objectOf(value))}`,
  nginx: (value) =>
    `10.0.0.1 - - [21/Sep/2026:08:13:20 -0300] "POST /hook HTTP/1.1" 200 "${nginx(JSON.stringify(objectOf(value)))}"`,
  csv: (value) => `7,messages,"${JSON.stringify(objectOf(value)).replaceAll('"', '""')}",f`,
  'escaped JSON': (value) => `body: ${JSON.stringify(JSON.stringify(objectOf(value))).slice(1, -1)}`,
  percent: (value) => `payload=${encodeURIComponent(JSON.stringify(objectOf(value)))}`,
  colors: (value) => `\x1b[32m[Nest] 1\x1b[39m \x1b[33mLOG\x1b[39m ${JSON.stringify(objectOf(value))}\x1b[0m`,
  docker: (value) => docker(textOf(value)),
  // In a text no part can end inside a character.
  cri: (value) => cri(JSON.stringify(value).replace(/[^\0-\x7f]/g, escapedUnit), 500).toString(),
  heroku: (value) => `2026-09-21T11:13:20.600000+00:00 app[web.1]: ${JSON.stringify(objectOf(value))}`,
};
