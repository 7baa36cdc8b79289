import { ENFORCE_VALUES_REMEDY, judgeLeadValues } from '../../audit/derived-rows.js';
import { amount } from '../../model/amount.js';
import { countLeads, readLeadIds } from '../../store/checks/conversations.js';
import type { Scope } from '../../store/checks/scope.js';
import type { Sql } from '../../store/sql.js';
import { scopeOf, type Check } from './check.js';

/** Leads per page. */
const PAGE = 1_000;

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
 * A lead's phone, source and first-seen time are those that its identities and messages give. A program that changes
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
        const detail = `differs from its identities and messages in ${words.join(', ')}`;
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
