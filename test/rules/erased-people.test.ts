import { describe, expect, it } from 'vitest';
import { countNamesInText, namesInText } from '../../src/ingest/batch/names-in-text.js';
import { ErasedPeople, erasedName } from '../../src/rules/erased-people.js';

/** A key that counts how often it is asked. */
function counting(): { nameOf: (what: readonly string[]) => string; asked: () => number } {
  let asked = 0;
  return {
    nameOf: (what) => {
      asked += 1;
      return `#${what.join('|')}`;
    },
    asked: () => asked,
  };
}

describe('erased people in texts', () => {
  const ANA = '5511900000001';

  it('are found by any of their words, and each word is asked for once', () => {
    const key = counting();
    const erased = new ErasedPeople(key, new Set([erasedName(key, `+${ANA}`)]));
    const before = key.asked();
    const text = `{"from":"${ANA}","to":"5521900000002","timestamp":"1758000079","id":"BR.99"}`;
    expect(namesInText(text, erased)).toBe(true);
    expect(countNamesInText(text, erased)).toBe(1);
    const once = key.asked() - before;
    for (let n = 0; n < 50; n++) namesInText(text.replace('1758000079', String(1_758_000_000 + n)), erased);
    // Neither the same numbers nor the times of other messages are hashed again.
    expect(key.asked() - before).toBe(once);
    expect(namesInText(text.replace(ANA, '5531900000003'), erased)).toBe(false);
  });

  it('are found by a name that was learned after a text with it alone had been read', () => {
    const key = counting();
    const erased = new ErasedPeople(key, new Set([erasedName(key, `+${ANA}`)]));
    const text = 'BR.13491208655302741918 wrote';
    expect(namesInText(text, erased)).toBe(false);
    erased.learn([`+${ANA}`, 'BR.13491208655302741918']);
    expect(namesInText(text, erased)).toBe(true);
  });

  it('are told apart from times, and found where a longer number begins like one', () => {
    const key = counting();
    const erased = new ErasedPeople(key, new Set([erasedName(key, '+17580000791')]));
    expect(namesInText('1758000079', erased)).toBe(false);
    expect(namesInText('17580000791', erased)).toBe(true);
  });
});
