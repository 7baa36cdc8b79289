import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalPhone, phoneEquivalents, phoneSpellings } from '../../src/identity/phone.js';

describe('I1: phones are E.164, one form per person', () => {
  test.each([
    ['5511900000001', '+5511900000001', 'a Brazilian mobile with its ninth digit'],
    ['553190000003', '+5531990000003', 'a Brazilian mobile without it'],
    ['553160000003', '+5531960000003', 'the lowest Brazilian mobile prefix'],
    ['551140000000', '+551140000000', 'a Brazilian landline, which never gains a 9'],
    ['551150000000', '+551150000000', 'the highest Brazilian landline prefix'],
    ['5215500000006', '+525500000006', 'a Mexican mobile in the old form'],
    ['525500000006', '+525500000006', 'a Mexican mobile in the new form'],
    ['5491100000007', '+5491100000007', 'an Argentine mobile, left alone'],
    ['541100000007', '+541100000007', 'an Argentine number without the 9, left alone'],
    ['15550100005', '+15550100005', 'a fictional number'],
    ['+55 11 90000-0000', '+5511900000000', 'a formatted number'],
    ['+1 (555) 010.0829', '+15550100829', 'a number with brackets and dots'],
    ['12345678', '+12345678', 'the shortest phone'],
    ['123456789012345', '+123456789012345', 'the longest phone'],
  ])('I1: %s becomes %s: %s', (raw, canonical) => {
    expect(canonicalPhone(raw)).toBe(canonical);
  });

  test('I1: a canonical phone is its own canonical form', () => {
    const digits = fc.stringMatching(/^(?:55|52|54|1)?\d{6,15}$/);
    fc.assert(
      fc.property(digits, (raw) => {
        const phone = canonicalPhone(raw);
        if (phone === undefined) return;
        expect(phone).toMatch(/^\+[1-9]\d{7,14}$/);
        expect(canonicalPhone(phone)).toBe(phone);
      }),
    );
  });

  test('I1: Argentina has two forms of one phone, each known to be equivalent to the other', () => {
    expect(phoneEquivalents('+5491112345678')).toEqual(['+541112345678']);
    expect(phoneEquivalents('+541112345678')).toEqual(['+5491112345678']);
    expect(phoneEquivalents('+5411123456789')).toEqual([]);
    expect(phoneEquivalents('+5511900000001')).toEqual([]);
  });
});

describe('I2: what is no phone never becomes one', () => {
  test.each([
    'BR.13491208655302741918',
    'US.ENT.11815799212886844830',
    '123456789012@lid',
    '5511900000001@s.whatsapp.net',
    'thread-1',
    '1234567',
    '1234567890123456',
    '011900000001',
    '5511+900000001',
    '++5511900000001',
    '',
    '+',
    '٥٥١١٩٠٠٠٠٠٠٠',
  ])('I2: %j is no phone', (raw) => {
    expect(canonicalPhone(raw)).toBeUndefined();
  });

  test('I2: nothing with a letter in it is a phone', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\d+ ()-]*[A-Za-z@][\d.]*$/), (raw) => {
        expect(canonicalPhone(raw)).toBeUndefined();
      }),
    );
  });

  test('I1: a phone may be stored in the spellings that canonicalise to it, and in no other', () => {
    expect(phoneSpellings('+5511987654321')).toEqual(['+5511987654321', '+551187654321']);
    expect(phoneSpellings('+525512345678')).toEqual(['+525512345678', '+5215512345678']);
    // A landline in Brazil, and a number that only looks like a mobile.
    expect(phoneSpellings('+551132654321')).toEqual(['+551132654321']);
    expect(phoneSpellings('+5511912345678')).toEqual(['+5511912345678']);
    expect(phoneSpellings('+5491112345678')).toEqual(['+5491112345678']);
  });
});
