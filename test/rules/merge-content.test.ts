import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packEvidence } from '../../src/rules/evidence.js';
import { absorbState, stateOfFact, type MessageState } from '../../src/rules/message-state.js';
import { stableJson } from '../../src/rules/merge-values.js';
import type { Media, MessageFact } from '../../src/model/facts.js';
import type { JsonObject } from '../../src/model/json.js';
import { tries } from '../support/seed.js';

const PLACEMENT = {
  id: 'row',
  connectionId: 'connection',
  conversationId: 'conversation',
  leadId: 'lead',
  batchId: null,
  runId: 'run',
  syncSource: 'webhook',
} as const;

const maybe = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(values, { nil: undefined });
const word = fc.constantFrom('a', 'b', 'aa', 'ab');
const json: fc.Arbitrary<JsonObject> = fc.dictionary(
  fc.constantFrom('x', 'y', 'z'),
  fc.oneof(
    { arbitrary: word, weight: 3 },
    fc.constantFrom(0, 1, true, null),
    fc.array(word, { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('x', 'y'), fc.oneof(word, fc.dictionary(fc.constantFrom('k'), word))),
  ),
  { maxKeys: 3 },
);
const media: fc.Arbitrary<Media> = fc.record(
  { id: word, mimeType: word, sha256: word, fileName: word },
  { requiredKeys: [] },
);
const error = fc.record({ code: fc.constantFrom(1, 2), title: word });

const fact: fc.Arbitrary<MessageFact> = fc
  .record({
    origin: fc.constantFrom('live', 'standby', 'history', 'echo', 'follow_up' as const),
    grade: fc.constantFrom('content', 'media_without_id', 'placeholder' as const),
    type: fc.constantFrom('text', 'interactive', 'button', 'image', 'unsupported'),
    direction: fc.constantFrom('INBOUND', 'OUTBOUND' as const),
    timestamp: fc.nat(2),
    body: maybe(word),
    bodyIsLabel: maybe(fc.boolean()),
    media: maybe(media),
    contextExternalId: maybe(fc.constantFrom('K', 'L', 'wamid.a', 'wamid.b')),
    rawMeta: maybe(json),
    status: maybe(fc.constantFrom('sent', 'failed', 'read' as const)),
    errors: maybe(fc.array(error, { minLength: 1, maxLength: 2 })),
    isSyncInitial: fc.boolean(),
  })
  .map((parts): MessageFact => ({
    kind: 'message',
    path: '$',
    externalId: 'wamid.x',
    stanzaId: 'X',
    counterpart: { phone: '+5511900000001' },
    ...parts,
  }));

function merged(...facts: MessageFact[]): MessageState {
  const [first, ...others] = facts.map((one) => stateOfFact(one, PLACEMENT));
  if (first === undefined) throw new Error('nothing to merge');
  for (const other of others) absorbState(first, other);
  return first;
}

/** A state as its row would have it. */
function picture({ ranks, rawMeta, media: file, errors, ...rest }: MessageState): string {
  return [
    JSON.stringify(rest),
    packEvidence(ranks),
    stableJson(rawMeta),
    stableJson(file === null ? null : { ...file }),
    JSON.stringify(errors),
  ].join('\n');
}

describe('M2: any copies of one message merge', () => {
  test('in any order, in any groups and however often, into one row', () => {
    fc.assert(
      fc.property(fact, fact, fact, (a, b, c) => {
        const wanted = picture(merged(a, b, c));
        for (const order of [
          [a, c, b],
          [b, a, c],
          [b, c, a],
          [c, a, b],
          [c, b, a],
          [a, a, b, c, b, a],
        ]) {
          expect(picture(merged(...order))).toBe(wanted);
        }
        const right = merged(b, c);
        const grouped = merged(a);
        absorbState(grouped, right);
        expect(picture(grouped)).toBe(wanted);
      }),
      { numRuns: tries(3000) },
    );
  });

  test('and tell truly whether the row has changed', () => {
    fc.assert(
      fc.property(fact, fact, (a, b) => {
        const state = merged(a);
        const before = picture(state);
        expect(absorbState(state, merged(b))).toBe(picture(state) !== before);
      }),
      { numRuns: tries(2000) },
    );
  });
});

describe('M2: a body that only names the content', () => {
  const made = (parts: Partial<MessageFact>): MessageFact => ({
    kind: 'message',
    path: '$',
    origin: 'live',
    externalId: 'wamid.x',
    counterpart: { phone: '+5511900000001' },
    direction: 'INBOUND',
    timestamp: 1,
    grade: 'content',
    type: 'template',
    isSyncInitial: false,
    ...parts,
  });
  const label = made({ body: 'Template order_update with a long name', bodyIsLabel: true });

  test('yields to any text, also of weaker evidence', () => {
    for (const grade of ['content', 'media_without_id'] as const) {
      const text = made({ body: 'oi', grade, origin: 'echo' });
      expect(merged(label, text).body).toBe('oi');
      expect(merged(text, label).body).toBe('oi');
    }
  });

  test('is better than what a placeholder says, and than nothing', () => {
    const ghost = made({
      type: 'unsupported',
      grade: 'placeholder',
      body: 'Not supported.',
      bodyIsLabel: true,
    });
    expect(merged(ghost, label).body).toBe(label.body);
    expect(merged(ghost).body).toBe('Not supported.');
    expect(merged(ghost, made({ type: 'image', grade: 'media_without_id' })).body).toBeNull();
  });

  test('never takes the place of the text of another program', () => {
    const row = stateOfFact(made({ body: 'rendered text' }), PLACEMENT);
    row.ranks = { structure: 0, type: 0, body: 0, context: 0, media: 0, rawMeta: 0 };
    absorbState(row, stateOfFact(label, PLACEMENT));
    expect(row.body).toBe('rendered text');
  });

  test('of two equally good texts, the longer one says more', () => {
    const [short, long] = [made({ body: 'Sent' }), made({ body: 'Name: Ana' })];
    expect(merged(short, long).body).toBe('Name: Ana');
    expect(merged(long, short).body).toBe('Name: Ana');
  });
});
