import { expect, test } from 'vitest';
import { decodeEntry } from '../../src/decode/decode-entry.js';
import { message, webhook } from './meta-builders.js';

const BODY = JSON.stringify(webhook('messages', { messages: [message({})] }));

test.each([
  ['nginx', { http_x_hub_signature_256: '', request_body: BODY }],
  ['blanks', { http_x_hub_signature_256: ' ', request_body: BODY }],
  ['a list', { headers: { 'X-Hub-Signature-256': [''] }, body: BODY }],
  ['a dash', { http_x_hub_signature_256: '-', request_body: BODY }],
])('an empty signature header is none: %s', (_, line) => {
  const result = decodeEntry(Buffer.from(JSON.stringify(line)), { include: new Set() });
  expect(result).toMatchObject({ kind: 'decoded', entry: { signatures: [], unsigned: 1 } });
});
