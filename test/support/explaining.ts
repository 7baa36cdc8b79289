import { explain } from '../../src/commands/explain/explain.js';
import type { ExplainedFact, ExplainOptions, ExplainResult } from '../../src/commands/explain/result.js';
import type { Store } from '../../src/store/store.js';
import { testContext } from './replaying.js';

/** Explains as the command does without flags. */
export function ask(
  store: Store,
  subject: string,
  options: Partial<Omit<ExplainOptions, 'subject'>> = {},
): Promise<ExplainResult> {
  return explain(testContext(store), { subject, limit: 5000, scan: false, bodies: false, ...options });
}

/** A fact in a few words: `history message created`, `status read changed: status sent → read`. */
export function told(fact: ExplainedFact): string {
  const what =
    fact.kind === 'message'
      ? `${fact.origin ?? ''} message`
      : [fact.kind, fact.status].filter(Boolean).join(' ');
  const changes = fact.changes.map(({ field, from, to }) =>
    to === undefined || from === undefined ? field : `${field} ${from ?? '–'} → ${to ?? '–'}`,
  );
  const why = fact.reason === null ? '' : ` (${fact.reason})`;
  return `${what} ${fact.outcome}${why}${changes.length === 0 ? '' : `: ${changes.join(', ')}`}`;
}
