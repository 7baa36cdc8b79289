import { ConfigError } from '../../model/errors.js';
import type { DedupeResult } from './result.js';

/** More of a connection's messages than this share going is more likely a mistake than a double (a restored dump apart). */
export const LARGEST_SHARE = 0.05;

/** A person has to say that so many messages may go. Nothing has been changed. */
export class TooManyDuplicates extends ConfigError {
  /** Messages that would go, of all connections. */
  readonly rows: number;

  constructor(readonly connections: DedupeResult['connections']) {
    const figures = connections
      .slice(0, SHOWN)
      .map(
        ({ name, doubled, messages, share }) =>
          `${format(doubled)} of ${format(messages)} messages of '${name}' (${(share * 100).toFixed(1)} %)`,
      );
    const more = connections.length - figures.length;
    super(
      `${figures.join(', ')}${more > 0 ? ` and ${more} more connections` : ''} would go: more than ${LARGEST_SHARE * 100} %. Nothing was changed.`,
      {
        code: 'too_many_duplicates',
        remedy: 'Look at the plan first (dedupe without --apply). If it is right, add --force.',
      },
    );
    this.rows = connections.reduce((sum, { doubled }) => sum + doubled, 0);
  }
}

const SHOWN = 3;

/** Throws {@link TooManyDuplicates} when a connection would lose more than {@link LARGEST_SHARE} of its messages. */
export function assertFewEnough(connections: DedupeResult['connections']): void {
  const emptied = connections.filter(({ share }) => share > LARGEST_SHARE);
  if (emptied.length > 0) throw new TooManyDuplicates(emptied);
}

function format(count: number): string {
  return count.toLocaleString('en-US');
}
