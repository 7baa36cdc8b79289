import { describe, expect, test } from 'vitest';
import { decodeEntry } from '../../src/decode/decode-entry.js';
import { live } from '../support/webhooks.js';
import { after, fileWith, read, type ReadResult } from './support.js';

const TEXT = 'Olá 😀 "aspas" \'x\' \\barra {chave} [1] > # \x1b[31m\nlinha 2\r\n> linha 3';

function body(key: string): string {
  return JSON.stringify(live(key, 0), null, 2).replace(
    `"body": "${key}"`,
    `"body": ${JSON.stringify(key + TEXT)}`,
  );
}

/** As `jq -C` prints a value. */
function colored(json: string): string {
  return json
    .replace(/^(\s*)("(?:[^"\\]|\\.)*")(: )?/gm, '$1\x1b[34;1m$2\x1b[0m$3')
    .replace(/: ("(?:[^"\\]|\\.)*")/g, '\x1b[1;39m: \x1b[0;32m$1\x1b[0m')
    .replace(/^(\s*)([}\]])/gm, '$1\x1b[1;39m$2\x1b[0m')
    .replace(/([{[])$/gm, '\x1b[1;39m$1\x1b[0m');
}

function lines(text: string, prefix: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? prefix.trimEnd() : prefix + line))
    .join('\n');
}

const FORMS: Record<string, (json: string) => string> = {
  'colored over several lines': (json) => `${colored(json)}\n`,
  'colored behind words': (json) => `2026-09-21 got: ${colored(json)}\nnext line\n`,
  'colored in a line': (json) => `${colored(JSON.stringify(JSON.parse(json)))}\n`,
  'quoted in a mail': (json) =>
    `On Monday Ana wrote:\n> Hello,\n> \n${lines(json, '> ')}\n>\n> Bye\n\nThanks!\n`,
  'quoted twice': (json) => `${lines(json, '> > ')}\n`,
  'quoted without a space': (json) => `${lines(json, '>')}\n`,
  'in comments': (json) => `${lines(json, '# ')}\n`,
  'behind bars': (json) => `${lines(json, '| ')}\n`,
  'in comments of a program': (json) => `code();\n${lines(json, '// ')}\n`,
  'added by a diff': (json) => `${lines(json, '+')}\n`,
};

function texts({ items }: ReadResult): string[] {
  return items.flatMap((item) => {
    if (item.kind === 'problem') return [item.problem.reason];
    const decoded = decodeEntry(item.entry.bytes, { include: new Set() });
    if (decoded.kind === 'invalid') return [decoded.reason];
    return decoded.entry.sections.flatMap(({ facts }) =>
      facts.flatMap((fact) => (fact.kind === 'message' ? (fact.body ?? '') : [])),
    );
  });
}

describe.each(Object.entries(FORMS))('a body %s', (_name, form) => {
  const file = ['A', 'B', 'C'].map((key) => form(body(key))).join('');

  test('is what it was, to the byte', async () => {
    expect(texts(await read(await fileWith(file)))).toEqual(['A', 'B', 'C'].map((key) => key + TEXT));
  });

  test('is the same in any chunks, and after any entry', async () => {
    const path = await fileWith(file);
    const whole = await read(path);
    expect((await read(path, { chunkBytes: 5 })).items).toEqual(whole.items);
    const rest = await read(path, { resume: after(whole.items[0]) });
    expect(rest.items).toEqual(whole.items.slice(1));
  });
});
