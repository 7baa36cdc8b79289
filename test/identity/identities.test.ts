import { describe, expect, test } from 'vitest';
import {
  hasIdentity,
  identitiesOfUser,
  isBsuid,
  mergeIdentities,
  sameIdentities,
} from '../../src/identity/identities.js';

const USER_ID = 'BR.13491208655302741918';
const PARENT = 'BR.ENT.11815799212886844830';

describe('I2: a business-scoped user id', () => {
  test.each([USER_ID, PARENT, 'US.abcDEF123', `MX.${'9'.repeat(128)}`])('I2: %s is one', (value) => {
    expect(isBsuid(value)).toBe(true);
  });

  test.each([
    '',
    'BR.',
    'BR.ENT.',
    'br.123',
    'BRA.123',
    'BR-123',
    'BR.12 3',
    `MX.${'9'.repeat(129)}`,
    '0',
    'null',
  ])('I2: %j is none', (value) => {
    expect(isBsuid(value)).toBe(false);
  });
});

describe('what stands in from, to or wa_id says who is meant', () => {
  test('digits are a phone, and no wa_id beside it when they are the same', () => {
    expect(identitiesOfUser('5511900000001')).toEqual({ phone: '+5511900000001' });
    expect(identitiesOfUser('+55 11 90000-0001')).toEqual({ phone: '+5511900000001' });
  });

  test('I1: digits that differ from the canonical phone are kept as wa_id', () => {
    expect(identitiesOfUser('553190000003')).toEqual({ phone: '+5531990000003', waId: '553190000003' });
    expect(identitiesOfUser('5215500000006')).toEqual({ phone: '+525500000006', waId: '5215500000006' });
  });

  test('a short code is a wa_id without a phone', () => {
    expect(identitiesOfUser('27000')).toEqual({ waId: '27000' });
  });

  test('I2: a BSUID in place of a phone is an identity, and its digits are no phone', () => {
    expect(identitiesOfUser(USER_ID)).toEqual({ bsuids: [USER_ID] });
    expect(identitiesOfUser(USER_ID, [USER_ID, PARENT])).toEqual({ bsuids: [USER_ID, PARENT] });
  });

  test('I2: a LID is an identity, and its digits are no phone', () => {
    expect(identitiesOfUser('111000000000003:4@lid')).toEqual({ lid: '111000000000003@lid' });
  });

  test('an address of WhatsApp Web is its user’s phone', () => {
    expect(identitiesOfUser('553190000003:7@s.whatsapp.net')).toEqual({
      phone: '+5531990000003',
      waId: '553190000003',
    });
    expect(identitiesOfUser('120363040469423382@g.us')).toEqual({ waId: '120363040469423382@g.us' });
  });

  test('the ids beside it belong to the same person; placeholders are no ids', () => {
    expect(identitiesOfUser('5511900000001', [USER_ID, undefined, PARENT, '0', 'null'])).toEqual({
      phone: '+5511900000001',
      bsuids: [USER_ID, PARENT],
    });
    expect(identitiesOfUser(undefined, [USER_ID])).toEqual({ bsuids: [USER_ID] });
  });

  test.each([
    undefined,
    '',
    'thread-1',
    `${'1'.repeat(99)}@lid`,
    '1'.repeat(99),
    'null',
    'x@example.com',
    'a\0b@g.us',
  ])('%j names nobody', (value) => {
    expect(hasIdentity(identitiesOfUser(value))).toBe(false);
  });
});

describe('two sets of identities', () => {
  test('are one person when they share any', () => {
    const all = { phone: '+5511900000001', lid: '1@lid', bsuids: [USER_ID, PARENT] };
    expect(sameIdentities(all, { phone: '+5511900000001' })).toBe(true);
    expect(sameIdentities(all, { lid: '1@lid' })).toBe(true);
    expect(sameIdentities({ bsuids: [PARENT] }, all)).toBe(true);
    expect(sameIdentities({ waId: '27000' }, { waId: '27000' })).toBe(true);
    expect(sameIdentities(all, { phone: '+5511900000002' })).toBe(false);
    expect(sameIdentities({}, {})).toBe(false);
  });

  test('I1: Argentina’s two forms are one person', () => {
    expect(sameIdentities({ phone: '+5491112345678' }, { phone: '+541112345678' })).toBe(true);
  });

  test('merge without losing an id, and without changing either', () => {
    const a = Object.freeze({ phone: '+5511900000001', bsuids: Object.freeze([USER_ID]) });
    const b = Object.freeze({ waId: '27000', lid: '1@lid', bsuids: Object.freeze([USER_ID, PARENT]) });
    expect(mergeIdentities(a, b)).toEqual({
      phone: '+5511900000001',
      waId: '27000',
      lid: '1@lid',
      bsuids: [USER_ID, PARENT],
    });
  });

  test('keep the first phone where they differ', () => {
    expect(mergeIdentities({ phone: '+5491112345678' }, { phone: '+541112345678' })).toEqual({
      phone: '+5491112345678',
    });
  });
});
