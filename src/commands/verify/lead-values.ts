import { amount } from '../../model/amount.js';
import { groupBy } from '../../rules/group-by.js';
import { projectLead, type LeadColumns } from '../../rules/lead-projection.js';
import { storedIdentity } from '../../rules/people.js';
import { countLeads, readLeadIds } from '../../store/checks/conversations.js';
import type { Scope } from '../../store/checks/scope.js';
import type { Sql } from '../../store/sql.js';
import { readConversationsOfLeads } from '../../store/tables/conversations.js';
import { readIdentitiesOfPeople, readLeadsById, type LeadRow } from '../../store/tables/leads.js';
import { ENFORCE_VALUES_REMEDY, scopeOf, type Check } from './check.js';

/** Leads per page. */
const PAGE = 1_000;

/**
 * The columns that only the log decides. People may give a lead another name or put it away; `conversation_times` checks
 * its last message.
 */
const WORDS = [
  ['phoneNumber', 'phone'],
  ['source', 'source'],
  ['firstSeenAt', 'first-seen time'],
] as const satisfies readonly (readonly [keyof LeadColumns, string])[];

/** A lead that differs from what its identities and conversations give. */
export interface WrongLead {
  corrected: LeadRow;
  /** The columns that differ, readable. */
  words: string[];
}

/** The wrong ones among these leads. A lead without identities is another program's, and right as it is. */
export async function judgeLeadValues(sql: Sql, leadIds: readonly string[]): Promise<WrongLead[]> {
  const leads = await readLeadsById(sql, leadIds);
  const identities = groupBy(await readIdentitiesOfPeople(sql, leadIds), ({ personId }) => personId);
  const conversations = groupBy(await readConversationsOfLeads(sql, leadIds), ({ leadId }) => leadId);
  return leads.flatMap((lead) => {
    const known = identities.get(lead.id);
    if (known === undefined) return [];
    const { phoneNumber, source, firstSeenAt } = projectLead(
      known.map(storedIdentity),
      conversations.get(lead.id) ?? [],
      lead,
    );
    const corrected = { ...lead, phoneNumber, source, firstSeenAt };
    const words = WORDS.flatMap(([column, word]) => (lead[column] === corrected[column] ? [] : [word]));
    return words.length === 0 ? [] : [{ corrected, words }];
  });
}

/** Pages of lead ids in their order. */
export async function* leadPages(sql: Sql, scope: Scope): AsyncGenerator<string[], void, undefined> {
  let after: string | null = null;
  for (;;) {
    const ids: string[] = await readLeadIds(sql, scope, after, PAGE);
    if (ids.length > 0) yield ids;
    if (ids.length < PAGE) return;
    after = ids.at(-1) ?? null;
  }
}

/**
 * A lead's phone, source and first-seen time are those that its identities and conversations give. A program that changes
 * them in the table gives a contact a stranger's phone.
 */
export const leadValuesCheck: Check = {
  severity: 'degraded',
  async run(view, recorder) {
    const scope = scopeOf(view);
    recorder.checked = await countLeads(view.sql, scope);
    for await (const ids of leadPages(view.sql, scope)) {
      if (view.signal.aborted) break;
      for (const { corrected, words } of await judgeLeadValues(view.sql, ids)) {
        const detail = `differs from its identities in ${words.join(', ')}`;
        await recorder.finding('*', { connectionId: null, subject: `lead ${corrected.id}`, detail });
      }
    }
    const { checked, found } = recorder;
    return found === 0
      ? { summary: `Phone, source and first-seen time are correct in ${amount(checked, 'lead')}` }
      : {
          summary: `${amount(found, 'lead has', 'leads have')} a phone, source or first-seen time that the log does not give`,
          remedy: ENFORCE_VALUES_REMEDY,
        };
  },
};
