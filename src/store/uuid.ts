import { randomFillSync } from 'node:crypto';

/** Fills an array with random bytes. */
type FillRandom = (bytes: Uint8Array) => void;

/** Random bytes are drawn for this many ids at once: one call per id would cost more than the rest. */
const DRAW = 256;

/**
 * Random hex digits of one id: 3 for the counter's start, 1 for the variant's two bits, 15 for the tail, 1 to spare.
 */
const DIGITS = 20;

/**
 * A UUID of version 7 (RFC 9562): 48 bits of milliseconds since 1970, then 74 random bits. Consecutive keys are
 * adjacent in an index; random ones are not. For many ids, see {@link createIdGenerator}.
 */
export function uuidv7(now: number, random: FillRandom = randomFillSync): string {
  const bytes = new Uint8Array(DIGITS / 2);
  random(bytes);
  const digits = hexOf(bytes);
  return layOut(timePart(now), Number.parseInt(digits.slice(0, 3), 16), digits, 0);
}

/**
 * Generates UUIDs of version 7, each greater than the one before, even within a millisecond or when the clock steps
 * back: the 12 bits after the time count up (RFC 9562, section 6.2, method 1), and on overflow the time runs ahead.
 *
 * @param clock milliseconds since 1970.
 */
export function createIdGenerator(clock: () => number, random: FillRandom = randomFillSync): () => string {
  const pool = new Uint8Array((DRAW * DIGITS) / 2);
  let digits = '';
  let at = 0;
  let time = -1;
  let stamp = '';
  let counter = 0;

  return function nextId() {
    if (at === digits.length) {
      random(pool);
      digits = hexOf(pool);
      at = 0;
    }
    const now = clock();
    if (now > time || counter === 0xfff) {
      // Half of the counter's room stays free for the ids of this millisecond.
      counter = now > time ? Number.parseInt(digits.slice(at, at + 3), 16) & 0x7ff : 0;
      time = Math.max(now, time + 1);
      stamp = timePart(time);
    } else {
      counter += 1;
    }
    const id = layOut(stamp, counter, digits, at);
    at += DIGITS;
    return id;
  };
}

function timePart(time: number): string {
  const hex = Math.floor(time).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

/** The random digits of the id start at `at` in `digits`: see {@link DIGITS}. */
function layOut(stamp: string, counter: number, digits: string, at: number): string {
  const version = (0x7000 | counter).toString(16);
  const variant = '89ab'.charAt(digits.charCodeAt(at + 3) & 3);
  return `${stamp}-${version}-${variant}${digits.slice(at + 4, at + 7)}-${digits.slice(at + 7, at + 19)}`;
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
