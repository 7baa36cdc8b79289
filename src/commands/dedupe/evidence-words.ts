import type { Candidate } from './candidate.js';
import type { Cluster } from './cluster.js';
import { isPlaceholder, isSameContent } from './compare-content.js';

/** The same id on all of them, and why what they say is no contradiction. No words of the messages. */
export function wordsOfOneId([kept, ...lost]: Cluster): string[] {
  const { externalId } = kept.state;
  const rows = lost.length + 1;
  return [
    rows === 2 ? `both have the id ${externalId}` : `all ${rows} have the id ${externalId}`,
    ...new Set(lost.map((other) => wordsOfContent(kept, other))),
    ...wordsOfTimes([kept, ...lost]),
  ];
}

/** What makes two rows of one conversation one message, said of the copy. */
export function wordsOfContent(kept: Candidate, other: Candidate): string {
  if (isSameContent(kept.original, other.original)) return 'same type, text and media';
  for (const [row, title] of [
    [other, 'one'],
    [kept, 'one'],
  ] as const) {
    if (isPlaceholder(row.original.type)) return `${title} is a placeholder (${row.original.type})`;
  }
  if (kept.edited.length + other.edited.length > 0) return 'one is an edited version of the other';
  if (hasNothing(kept) || hasNothing(other)) return 'one has no content';
  return 'what both say agrees; one says less';
}

/** Nothing is said of times that are the same. */
export function wordsOfTimes(rows: readonly Candidate[]): string[] {
  const times = rows.map(({ row }) => row.timestamp);
  const apart = Math.max(...times) - Math.min(...times);
  return apart === 0 ? [] : [`times ${apart / 1000} s apart`];
}

function hasNothing({ original }: Candidate): boolean {
  return (original.body === null || original.body === '') && original.media === null;
}
