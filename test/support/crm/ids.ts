import type { Random } from '../../bench/random.js';

/** As Prisma makes them: 25 characters, which do not sort by time here. */
export function cuid(random: Random): string {
  return `cm${random.hex(23).toLowerCase()}`;
}

/** A random UUID. */
export function uuid(random: Random): string {
  const hex = random.hex(32).toLowerCase();
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20),
  ].join('-');
}

/** Seconds since 1970, as a column of time takes them. */
export function toTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
