import { describe, expect, test } from 'vitest';
import { decodeEntry } from '../../src/decode/decode-entry.js';
import { message, only, wamid, webhook } from '../decode/meta-builders.js';
import { readText } from './support.js';

/** What comes of a file: the texts of its messages, what is not understood, and how many lines were skipped. */
interface Outcome {
  texts: (string | undefined)[];
  notUnderstood: string[];
  skipped: number;
}

async function outcomeOf(content: string | Uint8Array): Promise<Outcome> {
  const { items, problems, source } = await readText(content);
  const outcome: Outcome = { texts: [], notUnderstood: [...problems], skipped: source.skippedLines() };
  for (const item of items) {
    if (item.kind === 'problem') continue;
    const result = decodeEntry(item.entry.bytes, { include: new Set() });
    if (result.kind === 'invalid') {
      outcome.notUnderstood.push(result.reason);
      continue;
    }
    const { sections, unrecognized } = result.entry;
    for (const { facts } of sections) for (const { body } of only('message', facts)) outcome.texts.push(body);
    outcome.notUnderstood.push(...unrecognized.map(({ reason }) => reason));
  }
  return outcome;
}

/** A webhook with one message. */
function body(text: string, id = 'A1') {
  return webhook('messages', { messages: [message({ id: wamid(id), text: { body: text } })] });
}

describe('a literal of SQL or YAML, in which an apostrophe is written twice', () => {
  const TEXT = "it's O'Neil, '' and ' \u00e7";
  const doubled = JSON.stringify(body(TEXT)).replaceAll("'", "''");
  const lines = JSON.stringify(body(TEXT), null, 2).replaceAll("'", "''");
  const csv = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
  test.each([
    ['gcloud’s YAML', `---\ninsertId: a1\ntextPayload: '${doubled}'\n---\ninsertId: a2\n`],
    ['PostgreSQL’s log', `2026-09-21 14:25:00 UTC [7] DETAIL:  parameters: $1 = '${doubled}', $2 = 'x'\n`],
    [
      'PostgreSQL’s statement',
      `2026-09-21 14:25:00 UTC [7] LOG:  execute: INSERT INTO w VALUES ('${doubled}')\n`,
    ],
    ['PostgreSQL’s log, over several lines', `[7] DETAIL:  parameters: $1 = '${lines}'\nnext\n`],
    ['PostgreSQL’s csvlog', `2026-09-21 14:25:00,"p","db",${csv(`parameters: $1 = '${doubled}'`)},""\n`],
    ['syslog', `<13>1 2026-09-21T11:13:20Z db postgres 7 - - DETAIL:  parameters: $1 = '${doubled}'\n`],
  ])('%s', async (_, content) => {
    expect(await outcomeOf(content)).toMatchObject({ texts: [TEXT], notUnderstood: [] });
  });

  test.each([
    ['outside of one', (json: string) => `got ${json}\n`],
    ['where one stands alone, too', (json: string) => `got '${json.replace('end', "e'nd")}'\n`],
  ])('two of them stay two %s', async (_, line) => {
    const content = line(JSON.stringify(body("a '' b end")));
    const [text] = (await outcomeOf(content)).texts;
    expect(text).toMatch(/^a '' b e'?nd$/);
  });
});
