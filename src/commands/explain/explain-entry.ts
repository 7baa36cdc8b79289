import type { LoggedEntry } from '../../store/tables/stored-entries.js';
import { iso, originOf, unreadableView, viewOf } from './fact-view.js';
import type { Investigation } from './investigation.js';
import type { LoggedItem } from './read-items.js';
import type { EntryExplanation, ExplainedFact } from './result.js';

export interface EntryFindings {
  entry: EntryExplanation;
  items: LoggedItem[];
  facts: ExplainedFact[];
  /** Parts that nobody understood. */
  unread: { path: string; reason: string }[];
}

/** Explains one raw entry: what it says, item by item, and what became of each. */
export async function explainEntry(inv: Investigation, found: LoggedEntry): Promise<EntryFindings> {
  const [logged] = await inv.decode([found], (entry) => entry);
  const items = logged?.items ?? [];
  const fates = await inv.fatesOf(items);
  const [run] = await inv.runs([found.runId]);
  const { bodies } = inv.options;
  const facts = [...fates].map(([item, fate]) => viewOf(item, fate, { bodies }));
  const unread = (logged?.unrecognized ?? []).map(({ path, reason }) => ({ path, reason }));
  if (logged?.failure != null && found.isIntact) unread.push({ path: '$', reason: logged.failure });
  return {
    entry: {
      id: found.id,
      origin: originOf(found),
      provider: found.provider,
      status: found.status,
      error: found.error,
      fields: found.fields,
      phoneNumberIds: found.phoneNumberIds,
      receivedAt: iso(found.receivedAt),
      storedAt: iso(found.createdAt),
      processedAt: iso(found.processedAt),
      attempts: found.attempts,
      bytes: found.bytes,
      isIntact: found.isIntact,
      run: run ?? null,
    },
    items,
    facts: [...facts, ...unread.map(({ path, reason }) => ({ ...unreadableView(found, reason), path }))],
    unread,
  };
}
