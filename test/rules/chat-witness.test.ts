import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatWitness } from '../../src/model/chat-line.js';
import { messageOfLine, type Rival } from '../../src/rules/chat-witness.js';
import { tries } from '../support/seed.js';

const MINUTE = 60_000;

function lines(minutes: readonly number[], index: number): ChatWitness {
  return {
    direction: 'INBOUND',
    unit: MINUTE,
    tolerance: MINUTE,
    index,
    lines: minutes.map((minute) => ({
      at: minute * MINUTE,
      content: { kind: 'text', key: 'ok', isEdited: false },
    })),
  };
}

function ok(seconds: number, parts: Partial<Rival> = {}): Rival {
  return {
    id: `${seconds}`,
    at: seconds * 1000,
    direction: 'INBOUND',
    type: 'text',
    texts: ['ok'],
    fileName: null,
    isRevoked: false,
    ...parts,
  };
}

/** Which of the lines no message shows. */
function unseen(minutes: readonly number[], rivals: readonly Rival[]): number[] {
  return minutes.flatMap((_, index) =>
    messageOfLine(lines(minutes, index), rivals) === undefined ? [index] : [],
  );
}

describe('M11: the message of a line of an exported chat', () => {
  it('counts equal texts of one minute', () => {
    expect(unseen([10, 10], [])).toEqual([0, 1]);
    expect(unseen([10, 10], [ok(605)])).toEqual([1]);
    expect(unseen([10, 10], [ok(605), ok(659)])).toEqual([]);
  });

  it('prefers the own minute, and takes the one beside it', () => {
    expect(unseen([10, 11], [ok(665)])).toEqual([0]);
    expect(unseen([10], [ok(599)])).toEqual([]);
    expect(unseen([10], [ok(660)])).toEqual([]);
    expect(unseen([10], [ok(720), ok(539)])).toEqual([0]);
  });

  it('is of the same direction and says the same, now or before an edit', () => {
    expect(unseen([10], [ok(605, { direction: 'OUTBOUND' })])).toEqual([0]);
    expect(unseen([10], [ok(605, { texts: ['okay'] })])).toEqual([0]);
    expect(unseen([10], [ok(605, { texts: ['okay', 'ok'] })])).toEqual([]);
  });

  it('never loses its message to one message more, in whatever order they come', () => {
    const seconds = fc.array(fc.integer({ min: 480, max: 1000 }), { maxLength: 8 });
    const minutes = fc.array(fc.integer({ min: 9, max: 15 }), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(minutes, seconds, fc.integer({ min: 480, max: 1000 }), (unsorted, times, more) => {
        const own = unsorted.toSorted((a, b) => a - b);
        const rivals = times.map((time, index) => ok(time, { id: `m${index}` }));
        const before = unseen(own, rivals);
        expect(unseen(own, rivals.toReversed())).toEqual(before);
        const after = unseen(own, [...rivals, ok(more, { id: 'more' })]);
        expect(before).toEqual(expect.arrayContaining(after));
        expect(before.length - after.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: tries(5000) },
    );
  });
});
