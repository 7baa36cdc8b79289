import type { LeadSource } from '../../model/enumerations.js';
import type { ConversationCount } from '../../store/queries/explain.js';
import type { IdentityRow } from '../../store/tables/leads.js';
import { iso } from './fact-view.js';
import type { ContactExplanation } from './result.js';

/** In a tie of times, as rule I6 has it. */
const TIE_ORDER: readonly LeadSource[] = ['live_message', 'history_sync', 'state_sync'];

interface Evidence {
  at: number;
  source: LeadSource;
  what: string;
  connection: string | null;
}

/** The evidence on which a lead's source rests (I6): the earliest by event time. Null where a person or a program said so. */
export function sourceBecause(
  source: LeadSource,
  identities: readonly IdentityRow[],
  conversations: readonly ConversationCount[],
  nameOf: (connectionId: string) => string,
): NonNullable<ContactExplanation['lead']>['sourceBecause'] {
  if (source === 'direct_creation') return null;
  const [earliest] = evidence(identities, conversations, nameOf)
    .filter((one) => one.source === source)
    .sort((a, b) => a.at - b.at || TIE_ORDER.indexOf(a.source) - TIE_ORDER.indexOf(b.source));
  return earliest === undefined
    ? null
    : { what: earliest.what, at: iso(earliest.at), connection: earliest.connection };
}

function evidence(
  identities: readonly IdentityRow[],
  conversations: readonly ConversationCount[],
  nameOf: (connectionId: string) => string,
): Evidence[] {
  const found: Evidence[] = [];
  for (const { firstMessageAt, firstMessageSource, connectionId } of conversations) {
    if (firstMessageAt === null || firstMessageSource === null) continue;
    const isHistory = firstMessageSource === 'history';
    found.push({
      at: firstMessageAt,
      source: isHistory ? 'history_sync' : 'live_message',
      what: isHistory ? 'history message' : firstMessageSource === 'live' ? 'live message' : 'echo',
      connection: nameOf(connectionId),
    });
  }
  for (const { bookFirstAt, liveFirstAt } of identities) {
    if (bookFirstAt !== null) {
      found.push({ at: bookFirstAt, source: 'state_sync', what: 'address-book entry', connection: null });
    }
    if (liveFirstAt !== null) {
      found.push({ at: liveFirstAt, source: 'live_message', what: 'live reaction', connection: null });
    }
  }
  return found;
}
