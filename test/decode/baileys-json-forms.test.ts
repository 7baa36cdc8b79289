import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import { ANA, decode, history, ofKind, theOnly, toJson } from './baileys-builders.js';

const SHA256 = Array.from({ length: 32 }, (_, i) => i);
const SHA256_BASE64 = Buffer.from(SHA256).toString('base64');
const SECONDS = 1757900010;

/** The same message as each way of writing it down has it. */
const FORMS: [string, { timestamp: JsonValue; status: JsonValue; bytes: JsonValue; length: JsonValue }][] = [
  [
    'toJSON of a protobuf object',
    { timestamp: String(SECONDS), status: 'READ', bytes: SHA256_BASE64, length: '123456' },
  ],
  [
    'toObject with Baileys’ replacer',
    {
      timestamp: { low: SECONDS, high: 0, unsigned: true },
      status: 4,
      bytes: { type: 'Buffer', data: SHA256_BASE64 },
      length: { low: 123456, high: 0, unsigned: true },
    },
  ],
  [
    'toObject without a replacer',
    {
      timestamp: { low: SECONDS, high: 0, unsigned: false },
      status: 4,
      bytes: { type: 'Buffer', data: SHA256 },
      length: { low: 123456, high: 0, unsigned: true },
    },
  ],
  [
    'a structured clone',
    { timestamp: SECONDS, status: 4, bytes: Object.fromEntries(SHA256.entries()), length: 123456 },
  ],
  ['a list of bytes', { timestamp: SECONDS * 1000, status: '4', bytes: SHA256, length: 123456 }],
];

function messageIn(form: (typeof FORMS)[number][1]): JsonObject {
  const file = {
    mimetype: 'image/jpeg',
    fileSha256: form.bytes,
    mediaKey: form.bytes,
    fileLength: form.length,
  };
  return {
    key: { remoteJid: ANA, fromMe: true, id: '3EB04814D92093AC8A0F4A' },
    message: { imageMessage: file },
    messageTimestamp: form.timestamp,
    status: form.status,
  };
}

describe('the JSON forms of Baileys', () => {
  it.each(FORMS)('M8: reads %s', (_title, form) => {
    expect(theOnly(decode(history([messageIn(form)])), 'message')).toMatchObject({
      timestamp: SECONDS * 1000,
      status: 'read',
      media: { mimeType: 'image/jpeg', sha256: SHA256_BASE64 },
      rawMeta: { mediaKeys: { mediaKey: SHA256_BASE64, fileLength: 123456 } },
    });
  });

  it('reads the counters of history in every form', () => {
    const counters: JsonObject[] = [
      { syncType: 3, chunkOrder: 2, progress: 60 },
      { syncType: 'RECENT', chunkOrder: '2', progress: '60' },
      {
        syncType: 3,
        chunkOrder: { low: 2, high: 0, unsigned: true },
        progress: { low: 60, high: 0, unsigned: true },
      },
    ];
    for (const fields of counters) {
      expect(
        theOnly(decode(history([], { ...fields, contacts: [{ id: ANA }] })), 'history_chunk'),
      ).toMatchObject({
        phase: 3,
        chunkOrder: 2,
        progress: 60,
      });
    }
  });

  it('takes no file’s hash from what is no hash', () => {
    const junk: JsonValue[] = [
      { '0': 1, '2': 3 },
      { '0': 256 },
      [1, 'a'],
      [],
      {},
      { type: 'Buffer', data: { type: 'Buffer', data: 'AA==' } },
      { type: 'Buffer' },
      'A'.repeat(5000),
      Array(5000).fill(1),
      7.5,
      null,
    ];
    const messages = junk.map((fileSha256, i) => ({
      key: { remoteJid: ANA, id: `A${i}` },
      message: { imageMessage: { fileSha256 } },
      messageTimestamp: SECONDS,
    }));
    const facts = ofKind(decode(toJson(history(messages))), 'message');
    expect(facts).toHaveLength(junk.length);
    expect(facts.map((fact) => fact.media)).toEqual(junk.map(() => ({})));
  });
});
