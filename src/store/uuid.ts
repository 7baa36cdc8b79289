import { randomFillSync } from 'node:crypto';

/** Fills an array with random bytes. */
export type FillRandom = (bytes: Uint8Array) => void;

/**
 * A UUID of version 7 (RFC 9562): 48 bits of milliseconds since 1970, then 74 random bits. Keys made one after the other
 * lie side by side in an index, which random ones do not.
 */
export function uuidv7(now: number, random: FillRandom = randomFillSync): string {
  const bytes = new Uint8Array(16);
  random(bytes);
  return format(now, ((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0), bytes);
}

/**
 * Gives UUIDs of version 7, each greater than the one before, even within a millisecond or when the clock steps back: the
 * 12 bits after the time count up (RFC 9562, section 6.2, method 1), and on overflow the time runs ahead.
 *
 * @param clock milliseconds since 1970.
 */
export function createIdGenerator(clock: () => number, random: FillRandom = randomFillSync): () => string {
  // One system call for many ids: this stands in the hot path of every new row.
  const pool = new Uint8Array(16 * 256);
  let used = pool.length;
  let time = -1;
  let counter = 0;

  return function nextId() {
    if (used === pool.length) {
      random(pool);
      used = 0;
    }
    const bytes = pool.subarray(used, (used += 16));
    const now = clock();
    if (now > time) {
      time = now;
      // Half of the counter's room stays free for the ids of this millisecond.
      counter = (((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0)) & 0x7ff;
    } else if (counter === 0xfff) {
      time += 1;
      counter = 0;
    } else {
      counter += 1;
    }
    return format(time, counter, bytes);
  };
}

function format(time: number, counter: number, random: Uint8Array): string {
  const stamp = Math.floor(time).toString(16).padStart(12, '0');
  const version = (0x7000 | (counter & 0xfff)).toString(16);
  const tail = Buffer.from(random.buffer, random.byteOffset + 8, 8).toString('hex');
  const variant = (0x8 | (((random[8] ?? 0) >> 4) & 0x3)).toString(16);
  return `${stamp.slice(0, 8)}-${stamp.slice(8)}-${version}-${variant}${tail.slice(1, 4)}-${tail.slice(4)}`;
}
