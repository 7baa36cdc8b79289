import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { asArray, asObject } from '../../src/decode/read.js';
import type { JsonValue } from '../../src/model/json.js';
import { decode, only, the } from './meta-builders.js';

const SAMPLES = new URL('../samples/', import.meta.url);

function sample(name: string): string {
  return readFileSync(new URL(name, SAMPLES), 'utf8');
}

const parse: (text: string) => JsonValue = JSON.parse;
const EXPECTED = asObject(parse(sample('EXPECT.json'))) ?? {};
const META = readdirSync(SAMPLES).filter(
  (name) => name.endsWith('.json') && name !== 'EXPECT.json' && !name.startsWith('baileys-'),
);

/** Names no number: its message waits for `replay --connection`, and makes no row alone. */
const NAMELESS = new Set(['wrap-gupshup-v2.json']);

describe('every sample gives the messages that it must', () => {
  test('there are samples, and each is expected', () => {
    expect(META.length).toBeGreaterThan(70);
    for (const name of META) expect(EXPECTED, name).toHaveProperty([name]);
  });

  test.each(META)('%s', (name) => {
    const entry = decode(sample(name));
    const expected = asObject(EXPECTED[name]) ?? {};
    const messages = entry.sections.flatMap((section) => only('message', section.facts));
    const ids = (direction: string): number =>
      new Set(messages.filter((each) => each.direction === direction).map((each) => each.externalId)).size;
    const oneOf = (value: JsonValue | undefined): JsonValue[] => asArray(value) ?? [value ?? null];
    expect(entry.unrecognized).toEqual([]);
    if (NAMELESS.has(name)) {
      expect(entry.sections.map(({ connection }) => connection.phoneNumberId)).toEqual([undefined]);
      return;
    }
    expect(oneOf(expected.messages_inbound)).toContain(ids('INBOUND'));
    expect(oneOf(expected.messages_outbound)).toContain(ids('OUTBOUND'));

    const liveInbound = messages.filter((each) => each.origin === 'live' && each.direction === 'INBOUND');
    expect(liveInbound.length > 0).toBe(expected.open_tickets !== 0);
    for (const each of messages) {
      expect(each.stanzaId === undefined, each.externalId).toBe(each.externalId === 'wamid.msg-1');
    }
  });

  test('M8: a lone surrogate in a sample becomes U+FFFD', () => {
    const facts = decode(sample('messages-text-lone-surrogate.json')).sections.flatMap(
      (section) => section.facts,
    );
    expect(the('message', facts).body).toContain('\uFFFD');
  });

  test('M2: a ghost and its redelivery have one id; the redelivery has the content', () => {
    const [ghost, real] = ['1', '2-redelivery'].map((part) => {
      const name = `messages-unsupported-131060-ghost-${part}.json`;
      return the(
        'message',
        decode(sample(name)).sections.flatMap((section) => section.facts),
      );
    });
    expect(ghost?.externalId).toBe(real?.externalId);
    expect([ghost?.grade, real?.grade]).toEqual(['placeholder', 'content']);
  });
});

describe('logs of a day, in the shapes in which they were kept', () => {
  test.each(['full-day.ndjson', 'rows.ndjson'])('every line of %s is read whole', (name) => {
    const lines = sample(`logs/${name}`).trim().split('\n');
    expect(lines).toHaveLength(13);
    const counts = lines
      .map((line) => decode(line))
      .flatMap((entry) => {
        expect(entry.unrecognized).toEqual([]);
        return entry.sections.flatMap((section) => section.facts.map((fact) => fact.kind));
      });
    expect(counts.filter((kind) => kind === 'message')).toHaveLength(15);
    expect(counts).not.toContain('rejected');
  });
});
