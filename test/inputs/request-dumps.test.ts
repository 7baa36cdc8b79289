import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { decodeEntry } from '../../src/decode/decode-entry.js';
import { live } from '../support/webhooks.js';
import { judgeSignature } from '../../src/rules/signatures.js';
import { after, fileWith, read, readText, type ReadResult } from './support.js';

const SECRET = 'a1b2c3';
const GOOD = JSON.stringify(live('A', 0));
const FORGED = JSON.stringify(live('B', 10));
const PLAIN = JSON.stringify(live('C', 20));

function sign(body: string, secret = SECRET): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

const OTHERS = ['Host: example.test', 'Forwarded: for="[2001:db8::1]"', 'Report-To: {"group":"g"}'];

function headers(signature: string | undefined): string[] {
  return [
    ...OTHERS,
    ...(signature === undefined ? [] : [`X-Hub-Signature-256: ${signature}`]),
    'Accept: */*',
  ];
}

type Dump = (signature: string | undefined, body: string) => string;

/** How programs print a request, and what comes between two. */
const DUMPS: Record<string, Dump> = {
  raw: (signature, body) =>
    `POST /webhook HTTP/1.1\r\n${headers(signature).join('\r\n')}\r\n\r\n${body}\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK\r\n`,
  'without a line end between requests (tcpflow)': (signature, body) =>
    `127.000.000.001.40000-127.000.000.001.08080: POST /webhook HTTP/1.1\r\n${headers(signature).join('\r\n')}\r\n\r\n${body}`,
  curl: (signature, body) =>
    `* Connected to x\n> POST /webhook HTTP/2\n${headers(signature)
      .map((header) => `> ${header}`)
      .join(
        '\n',
      )}\n> \n} [${body.length} bytes data]\n* upload completely sent off\n${body}\n< HTTP/2 200\n< \n`,
  mitmproxy: (signature, body) =>
    `127.0.0.1:5000: POST https://example.test/webhook HTTP/2.0\n${headers(signature)
      .map((header) => `    ${header}`)
      .join('\n')}\n\n    ${body}\n\n << HTTP/2.0 200 OK 2b\n`,
  ngrep: (signature, body) =>
    `\nT 10.0.0.1:4000 -> 10.0.0.2:80 [AP]\nPOST /webhook HTTP/1.1.\n${headers(signature).join('.\n')}.\n.\n${body}\n\n`,
  'headers alone': (signature, body) =>
    signature === undefined
      ? `\n${body}\n`
      : `X-Hub-Signature-256: ${signature}\nContent-Type: application/json\n\n${body}\n`,
  'a line of its own before the body': (signature, body) =>
    `POST /webhook HTTP/1.1\n${headers(signature).join('\n')}\n\n--- body ---\n${body}\n`,
  Docker: (signature, body) =>
    ['POST /webhook HTTP/1.1', ...headers(signature), '', body]
      .map((line) => JSON.stringify({ log: `${line}\n`, stream: 'stdout', time: '2026-09-21T11:13:20.6Z' }))
      .join('\n') + '\n',
  'a service behind its name': (signature, body) =>
    ['POST /webhook HTTP/1.1', ...headers(signature), '', body].map((line) => `web_1  | ${line}`).join('\n') +
    '\n',
};

function verdicts({ items }: ReadResult): string[] {
  return items.flatMap((item) => {
    if (item.kind === 'problem') return [item.problem.reason];
    const decoded = decodeEntry(item.entry.bytes, { include: new Set() });
    if (decoded.kind === 'invalid') return [decoded.reason];
    const { sections, signatures, unsigned, unrecognized } = decoded.entry;
    const bodies = sections.flatMap(({ facts }) =>
      facts.flatMap((fact) => (fact.kind === 'message' ? (fact.body ?? '') : [])),
    );
    return [
      `${bodies.join(',')} ${signatures.map((signed) => judgeSignature(signed, [SECRET])).join()}${'-'.repeat(unsigned)}`,
      ...unrecognized.map(({ reason }) => reason),
    ];
  });
}

describe.each(Object.entries(DUMPS))('a dumped request, %s', (_name, dump) => {
  const file =
    dump(sign(GOOD), GOOD) +
    dump(sign(FORGED, 'guessed'), FORGED) +
    dump('sha256=zz', FORGED) +
    dump(sign(GOOD), GOOD) +
    dump(undefined, PLAIN);

  test('gives its body the signature of its own head', async () => {
    expect(verdicts(await readText(file))).toEqual(['A valid', 'B bad', 'B bad', 'A valid', 'C -']);
  });

  test('is the same in any chunks, and goes on after any entry', async () => {
    const path = await fileWith(file);
    const whole = await read(path);
    expect((await read(path, { chunkBytes: 7 })).items).toEqual(whole.items);
    for (const [i, item] of whole.items.entries()) {
      const rest = await read(path, { resume: after(item) });
      expect(rest.items).toEqual(whole.items.slice(i + 1));
    }
  });
});

test('the lines of heads are not lines without JSON', async () => {
  const dump = DUMPS.raw ?? ((): string => '');
  const { source } = await readText(dump(sign(GOOD), GOOD) + dump(undefined, PLAIN));
  // What was answered is one.
  expect(source.skippedLines()).toBe(2);
});

test('a body that a viewer has printed anew cannot be checked; one that is as it was sent can', async () => {
  const pretty = JSON.stringify(live('A', 0), null, 4);
  const viewed = `POST /w HTTP/1.1\nContent-Length: ${GOOD.length}\nX-Hub-Signature-256: ${sign(GOOD)}\n\n${pretty}\n`;
  expect(verdicts(await readText(viewed))).toEqual(['A uncheckable']);
  const sent = `POST /w HTTP/1.1\nContent-Length: ${pretty.length}\nX-Hub-Signature-256: ${sign(pretty)}\n\n${pretty}\n`;
  expect(verdicts(await readText(sent))).toEqual(['A valid']);
  expect(verdicts(await readText(sent.replace(sign(pretty), sign(pretty, 'guessed'))))).toEqual(['A bad']);
});

test('a second body or header in a request gains nothing', async () => {
  const head = (...signatures: string[]): string =>
    `POST /w HTTP/1.1\n${signatures.map((each) => `X-Hub-Signature-256: ${each}\n`).join('')}\n`;
  expect(verdicts(await readText(`${head(sign(GOOD))}${GOOD}${FORGED}\n`))).toEqual(['A,B valid,bad']);
  expect(verdicts(await readText(`${head(sign(FORGED, 'x'), sign(GOOD))}${FORGED}\n`))).toEqual(['B bad']);
  const text = JSON.stringify(live('A', 0)).replace('"body":"A"', `"body":"${sign('x')} {}"`);
  expect(verdicts(await readText(`${head(sign(text, 'x'))}${text}\n`))).toMatchObject([/ bad$/]);
});

test('a request inside JSON is one, too', async () => {
  const raw = DUMPS.raw ?? ((): string => '');
  const lines = [raw(sign(GOOD), GOOD), raw('sha256=zz', FORGED), raw(undefined, PLAIN)];
  const file = lines.map((request) => JSON.stringify({ request })).join('\n');
  expect(verdicts(await readText(file))).toEqual(['A valid', 'B bad', 'C -']);
});

test('a request beside its body is who signed it', () => {
  const request = `POST /w HTTP/1.1\r\nX-Hub-Signature-256: ${sign(FORGED, 'x')}\r\n\r\n${FORGED}`;
  for (const entry of [
    { body: FORGED, request },
    { request, body: FORGED },
  ]) {
    const decoded = decodeEntry(Buffer.from(JSON.stringify(entry)), { include: new Set() });
    const signatures = decoded.kind === 'decoded' ? decoded.entry.signatures : [];
    expect(signatures.map((signed) => judgeSignature(signed, [SECRET]))).toEqual(['bad']);
  }
});

test('what only resembles a head stays what it is', async () => {
  const { seen, source } = await readText(`Note: 1\nError: 2\n${PLAIN}\nWarning: 3\n`);
  expect(seen.map(({ at }) => at)).toEqual(['log:1', 'log:2', 'log:3', 'log:4']);
  expect(source.skippedLines()).toBe(0);
  const console = await readText(`INFO {"a":1}\nError: 2\nINFO {"a":2}\nPOST /x HTTP/1.1\nHost: x\n`);
  expect(console.texts).toEqual(['{"a":1}', '{"a":2}']);
  expect(console.source.skippedLines()).toBe(1);
});
