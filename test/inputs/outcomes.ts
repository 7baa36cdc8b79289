import { decodeEntry } from '../../src/decode/decode-entry.js';
import { only } from '../decode/meta-builders.js';
import type { ReadResult } from './support.js';

/** How a reason begins among texts, none of which does so. */
export const UNREAD = '\0';

/** The texts of the messages that a log brings, and the reasons of what is not understood. */
export function outcomes({ items }: ReadResult): string[] {
  return items.flatMap((item) =>
    item.kind === 'problem' ? [`${UNREAD}${item.problem.reason}`] : outcomesOf(item.entry.bytes),
  );
}

export function outcomesOf(bytes: Uint8Array): string[] {
  const result = decodeEntry(bytes, { include: new Set() });
  if (result.kind === 'invalid') return [`${UNREAD}${result.reason}`];
  const { sections, unrecognized } = result.entry;
  const texts = sections.flatMap(({ facts }) => only('message', facts).map(({ body }) => body ?? ''));
  return [...texts, ...unrecognized.map(({ reason }) => `${UNREAD}${reason}`)];
}
