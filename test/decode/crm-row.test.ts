import { describe, expect, it } from 'vitest';
import { decodeEntry } from '../../src/decode/decode-entry.js';
import type { Fact } from '../../src/model/facts.js';

function decode(entry: object): { provider: string; facts: readonly Fact[]; unrecognized: number } {
  const decoded = decodeEntry(Buffer.from(JSON.stringify(entry)), { include: new Set() });
  if (decoded.kind === 'invalid') throw new Error(decoded.message);
  const { provider, sections, unrecognized } = decoded.entry;
  return { provider, facts: sections.flatMap(({ facts }) => facts), unrecognized: unrecognized.length };
}

const MESSAGE = {
  external_id: '3EB0AB12CD34EF560001',
  direction: 'OUTBOUND',
  people: ['+5511900000001', '271828182845904@lid'],
  timestamp: 1_758_000_000,
  stored_at: 1_758_000_900,
  type: 'text',
  body: 'Oi',
};

describe('a row of a CRM', () => {
  it('is a message of the weakest kind, and a link of the names in it', () => {
    const { provider, facts } = decode({ crm: 'evolution', message: MESSAGE, row: { id: 'cm1' } });
    expect(provider).toBe('crm:evolution');
    expect(facts).toMatchObject([
      {
        kind: 'message',
        origin: 'adopted',
        externalId: MESSAGE.external_id,
        stanzaId: MESSAGE.external_id,
        counterpart: { phone: '+5511900000001', lid: '271828182845904@lid' },
        direction: 'OUTBOUND',
        timestamp: 1_758_000_000_000,
        body: 'Oi',
        grade: 'media_without_id',
      },
      { kind: 'identity_link' },
    ]);
  });

  it('has the time of its storing, marked as such, where it has none of its own', () => {
    const message = { ...MESSAGE, timestamp: undefined };
    const { facts } = decode({ crm: 'chatwoot', message, row: {} });
    expect(facts[0]).toMatchObject({
      timestamp: 1_758_000_900_000,
      rawMeta: { timestampFrom: 'crm_stored_at' },
    });
  });

  it('is rejected without an id or any time', () => {
    const withoutId = { ...MESSAGE, external_id: undefined };
    const withoutTime = { ...MESSAGE, timestamp: undefined, stored_at: undefined };
    expect(decode({ crm: 'evolution', message: withoutId, row: {} }).facts).toMatchObject([
      { kind: 'rejected', reason: 'missing_id' },
    ]);
    expect(decode({ crm: 'evolution', message: withoutTime, row: {} }).facts).toMatchObject([
      { kind: 'rejected', reason: 'bad_timestamp' },
    ]);
  });

  it('is nothing else: not of an unknown CRM, and no webhook that stands in its text', () => {
    expect(decode({ crm: 'nobody', message: MESSAGE, row: {} }).facts).toEqual([]);
    const webhook = JSON.stringify({ object: 'whatsapp_business_account', entry: [] });
    const { facts, provider } = decode({
      crm: 'evolution',
      message: { ...MESSAGE, body: webhook },
      row: { message: { conversation: webhook } },
    });
    expect(provider).toBe('crm:evolution');
    expect(facts[0]).toMatchObject({ kind: 'message', body: webhook });
  });
});
