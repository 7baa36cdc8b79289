import { readLeadsNamed } from '../../store/tables/leads.js';
import { readLeadsOfMessages } from '../../store/tables/messages.js';
import { recordAccess } from '../access/record-access.js';
import type { About, Investigation } from './investigation.js';
import { listFacts } from './listed-facts.js';
import type { ExplainedFact, ExplainKind, ExplainResult, MessageExplanation } from './result.js';

/** What a result shows of people. */
type Shown = Pick<ExplainResult, 'messages' | 'facts' | 'contact'> & { subject: ExplainKind | 'gone_entry' };

/**
 * Records whose words `explain --bodies` is about to show, by message: an edit is of its message, and a name or a reaction is none. The
 * words are those of the message's row, else of the person whom the item names, else of the contact that was asked for, else nobody's.
 */
export async function recordShown(inv: Investigation, shown: Shown): Promise<void> {
  const rows = rowsShown(inv, shown);
  const told = factsShown(inv, shown).filter(({ excerpt }) => excerpt !== null && excerpt !== '');
  const owners = await ownersOf(inv, told, rows);
  const asked = shown.contact?.lead?.id ?? null;
  const messages = new Map<string, string | null>(rows.map(({ id, leadId }) => [id, leadId]));
  const besides = new Set<string | null>();
  const ids = new Map(
    told.flatMap((fact) => (fact.messageId === null ? [] : [[nameOf(fact), fact.messageId]])),
  );
  for (const fact of told) {
    const owner = owners.get(fact) ?? asked;
    if (!isOfMessage(fact)) besides.add(owner);
    else {
      const key = ids.get(nameOf(fact)) ?? nameOf(fact);
      if (!messages.has(key)) messages.set(key, owner);
    }
  }
  const counts = new Map([...besides].map((leadId) => [leadId, 0]));
  for (const leadId of messages.values()) counts.set(leadId, (counts.get(leadId) ?? 0) + 1);
  await recordAccess(inv.ctx, {
    command: 'explain',
    shown: [...counts].map(([leadId, count]) => ({ leadId, messages: count, besides: besides.has(leadId) })),
  });
}

/** Rows with their text, or with a value beside that of the log. */
function rowsShown({ options }: Investigation, { messages }: Shown): MessageExplanation[] {
  return options.shows === 'facts'
    ? []
    : messages.filter(
        ({ excerpt, differences }) =>
          excerpt !== null || differences.some(({ row, log }) => row !== undefined || log !== undefined),
      );
}

function factsShown({ options }: Investigation, { subject, facts }: Shown): readonly ExplainedFact[] {
  if (options.shows !== 'document') return facts;
  const { listed, most } = listFacts(subject === 'gone_entry' ? 'entry' : subject, facts);
  return listed.slice(0, most);
}

/** Whether the words are of a message, as they were or as they are now. What was rejected may be one. */
function isOfMessage({ kind, type }: ExplainedFact): boolean {
  return kind === 'message' || kind === 'edit' || (kind === 'rejected' && type !== 'contact');
}

/** Several copies of a message, and its edits, are one. */
function nameOf({ connection, connectionHint, externalId, entryId, path }: ExplainedFact): string {
  return externalId === null
    ? `${entryId} ${path}`
    : JSON.stringify([connection ?? connectionHint, externalId]);
}

async function ownersOf(
  { sql, about }: Investigation,
  facts: readonly ExplainedFact[],
  rows: readonly MessageExplanation[],
): Promise<Map<ExplainedFact, string>> {
  const ofRows = new Map(rows.map(({ id, leadId }) => [id, leadId]));
  const unknown = facts.flatMap(({ messageId }) =>
    messageId === null || ofRows.has(messageId) ? [] : [messageId],
  );
  for (const { id, leadId } of await readLeadsOfMessages(sql, [...new Set(unknown)])) ofRows.set(id, leadId);
  const named = await readLeadsNamed(sql, [
    ...new Set(facts.flatMap((fact) => about.get(fact)?.names ?? [])),
  ]);
  const owners = new Map<ExplainedFact, string>();
  for (const fact of facts) {
    const ofMessage = isOfMessage(fact) ? ofRows.get(fact.messageId ?? '') : undefined;
    const owner = ofMessage ?? leadNamed(named, about.get(fact));
    if (owner !== undefined) owners.set(fact, owner);
  }
  return owners;
}

function leadNamed(
  named: Awaited<ReturnType<typeof readLeadsNamed>>,
  { names, organizationId }: About = { names: [], organizationId: null },
): string | undefined {
  return named.find(
    (one) => names.includes(one.value) && (organizationId === null || one.organizationId === organizationId),
  )?.leadId;
}
