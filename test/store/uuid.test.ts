import fc from 'fast-check';
import { expect, test } from 'vitest';
import { entryIdOf } from '../../src/store/entry-id.js';
import { createIdGenerator, uuidv7 } from '../../src/store/uuid.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('an id is a UUID of version 7 that begins with its time', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (now) => {
      const id = uuidv7(now);
      expect(id).toMatch(UUID);
      expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(now);
    }),
  );
});

test('an id with known random digits is laid out as RFC 9562 says', () => {
  // The value of the RFC's appendix A.6: time 0x017F22E279B0, rand_a 0xCC3, variant 0b10, rand_b 0x18C4DC0C0C07398F.
  const id = uuidv7(0x017f22e279b0, (bytes) => {
    bytes.set(Buffer.from('cc31' + '8c4' + 'dc0c0c07398f' + '0', 'hex'));
  });
  expect(id).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
});

test('ids of one generator rise, within a millisecond and when the clock steps back', () => {
  let now = 1_772_000_000_000;
  const next = createIdGenerator(() => now);
  const ids = Array.from({ length: 20_000 }, (_, index) => {
    if (index === 9_000) now -= 5_000;
    if (index === 15_000) now += 60_000;
    return next();
  });
  expect(ids).toEqual([...ids].sort());
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => !UUID.test(id))).toEqual([]);
});

test('ids of two generators differ', () => {
  const [one, other] = [createIdGenerator(() => 1), createIdGenerator(() => 1)];
  const ids = Array.from({ length: 1000 }, () => [one(), other()]).flat();
  expect(new Set(ids).size).toBe(ids.length);
});

test('the id of a raw entry says which bytes are the same entry, and keeps its place in time', () => {
  const next = createIdGenerator(() => 1_772_000_000_000);
  const [one, other] = [Buffer.alloc(32, 0xab), Buffer.alloc(32, 0xcd)];
  const [first, second, third] = [one, other, one].map((hash) => entryIdOf(next(), hash));
  expect([first, second, third].sort()).toEqual([first, second, third]);
  expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab]aba-babababababa$/);
});
