import type { ExplainedFact, ExplainKind } from './result.js';

/** As many problems of a contact are listed. */
export const PROBLEMS_SHOWN = 20;

const FACTS_SHOWN = 40;

/** More problems of a contact than these are counted per day, and the first few listed. */
const LISTED_ONE_BY_ONE = 8;
const FIRST = 3;

/** The facts that a document for people is about, how many of them it lists, and whether it counts the others per day. */
export interface ListedFacts {
  listed: readonly ExplainedFact[];
  most: number;
  perDay: boolean;
}

/** All facts of a message or an entry; of a contact only the problems. */
export function listFacts(subject: ExplainKind, facts: readonly ExplainedFact[]): ListedFacts {
  if (subject !== 'contact') return { listed: facts, most: FACTS_SHOWN, perDay: false };
  const listed = facts.filter(isProblem);
  const perDay = listed.length > LISTED_ONE_BY_ONE;
  return { listed, most: perDay ? FIRST : PROBLEMS_SHOWN, perDay };
}

function isProblem({ outcome }: ExplainedFact): boolean {
  switch (outcome) {
    case 'missing':
    case 'different':
    case 'pending':
    case 'rejected':
    case 'skipped':
    case 'unread':
      return true;
    default:
      return false;
  }
}
