import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { describeOnServer } from '../support/databases.js';
import { fileWith } from '../inputs/support.js';
import { replayFiles } from '../support/replaying.js';
import { transcript } from '../support/shown.js';
import { live } from '../support/webhooks.js';

const SECRET = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';
const HEADER = 'x-hub-signature-256';

/** What a program keeps of a request, in columns. */
interface Kept {
  body: string;
  signature: string;
}

function kept(key: string, at: number, secret: string): Kept {
  const body = JSON.stringify(live(key, at, { text: { body: `it's "${key}" ção\n\t\\N` } }));
  return { body, signature: `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` };
}

const ROWS = [kept('A', 0, SECRET), kept('FORGED', 10, 'guessed'), kept('B', 20, SECRET)];

function csv(header: string, cells: (row: Kept) => string[]): string {
  const line = (row: Kept): string =>
    cells(row)
      .map((cell) => `"${cell.replaceAll('"', '""')}"`)
      .join(',');
  return `${header}${ROWS.map(line).join('\n')}\n`;
}

function copyEscaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

const headersOf = ({ signature }: Kept): string => JSON.stringify({ host: ['x'], [HEADER]: [signature] });

const TABLES: Record<string, string> = {
  'a CSV with the headers': csv('id,headers,payload\n', (row) => ['1', headersOf(row), row.body]),
  'a CSV with the header': csv(`${HEADER},payload\n`, (row) => [row.signature, row.body]),
  'a CSV with Ruby’s headers': csv('payload,env\n', (row) => [
    row.body,
    `{"HTTP_X_HUB_SIGNATURE_256"=>"${row.signature}"}`,
  ]),
  'a CSV with Python’s headers': csv('payload,headers\n', (row) => [
    row.body,
    `{'X-Hub-Signature-256': '${row.signature}', 'Via': None}`,
  ]),
  'a CSV with what PHP serialized': csv('payload,headers\n', (row) => [
    row.body,
    `a:1:{s:19:"${HEADER}";a:1:{i:0;s:71:"${row.signature}";}}`,
  ]),
  'a CSV with the headers as they were sent': csv('payload,headers\n', (row) => [
    row.body,
    `Host: x\r\nX-Hub-Signature-256: ${row.signature}\r\nAccept: */*`,
  ]),
  'a CSV without names': csv('', (row) => ['1', row.body, row.signature]),
  'a COPY block': `COPY public.calls (id, headers, payload) FROM stdin;\n${ROWS.map(
    (row) => `1\t${copyEscaped(headersOf(row))}\t${copyEscaped(row.body)}\n`,
  ).join('')}\\.\n`,
  'rows of INSERT': ROWS.map(
    (row) =>
      `INSERT INTO calls (id, headers, payload) VALUES (1,${quoted(headersOf(row))},${quoted(row.body)});\n`,
  ).join(''),
  'rows of INSERT without names': `INSERT INTO calls VALUES ${ROWS.map(
    (row) => `(1,${quoted(row.body)},${quoted(row.signature)})`,
  ).join(',')};\n`,
  'a console log with the signature before the body': ROWS.map(
    ({ body, signature }) => `2026-09-21 11:13:20 POST /webhook ${HEADER}=${signature} ${body}\n`,
  ).join(''),
  'a CRI log with the signature behind the body': ROWS.map(
    ({ body, signature }) => `2026-09-21T11:13:20.1Z stdout F POST ${body} ${HEADER}: ${signature}\n`,
  ).join(''),
  'a row as JSON with the body twice': ROWS.map(
    ({ body, signature }) =>
      `${JSON.stringify({ headers: { [HEADER]: signature }, body: JSON.parse(body) as unknown, rawBody: body })}\n`,
  ).join(''),
};

describeOnServer('signatures in rows and lines', (backend) => {
  it.each(Object.entries(TABLES))('%s: a forged body is not applied', async (_, table) => {
    const store = await backend.open();
    const result = await replayFiles(store, [await fileWith(table)], { appSecrets: [SECRET] });
    expect(result.signatures).toEqual({ valid: 2, bad: 1, uncheckable: 0, sha1: 0, unsigned: 0 });
    expect(await transcript(store)).toHaveLength(2);
    expect(result.problems).toMatchObject([{ reason: 'bad_signature' }]);
  });
});
