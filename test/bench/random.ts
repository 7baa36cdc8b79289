/** Random numbers that are the same for the same seed, so that two machines measure the same log. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A whole number in [low, high], both included. */
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly [T, ...T[]]): T;
  /** So many upper-case hexadecimal digits. */
  hex(digits: number): string;
}

/** Mulberry32: 32 bits of state, and far more than good enough to vary texts. */
export function createRandom(seed: number): Random {
  let state = seed | 0;

  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  function between(low: number, high: number): number {
    return low + Math.floor(next() * (high - low + 1));
  }

  return {
    next,
    between,
    chance: (probability) => next() < probability,
    pick: ([first, ...rest]) => rest[between(0, rest.length) - 1] ?? first,
    hex(digits) {
      let text = '';
      while (text.length < digits) text += between(0, 0xffff).toString(16).padStart(4, '0');
      return text.slice(0, digits).toUpperCase();
    },
  };
}
