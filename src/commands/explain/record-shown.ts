import { readLeadsOfMessages } from '../../store/tables/messages.js';
import { recordAccess } from '../access/record-access.js';
import type { Context } from '../../context.js';
import type { ExplainResult } from './result.js';

/**
 * Records whose words `explain --bodies` is about to show. An item that is no row belongs to the contact that was asked for, else to
 * nobody.
 */
export async function recordShown(
  ctx: Context,
  { messages, facts, contact }: Pick<ExplainResult, 'messages' | 'facts' | 'contact'>,
): Promise<void> {
  const rows = messages.filter(
    ({ excerpt, differences }) =>
      excerpt !== null || differences.some(({ row, log }) => row !== undefined || log !== undefined),
  );
  const owners = new Map<string, string | null>(rows.map(({ id, leadId }) => [id, leadId]));
  const told = facts.filter(({ excerpt }) => excerpt !== null);
  const unknown = told.flatMap(({ messageId }) =>
    messageId === null || owners.has(messageId) ? [] : [messageId],
  );
  for (const { id, leadId } of await readLeadsOfMessages(ctx.store.sql, [...new Set(unknown)]))
    owners.set(id, leadId);
  const asked = contact?.lead?.id ?? null;
  for (const { messageId, entryId, path } of told)
    if (messageId === null || !owners.has(messageId)) owners.set(messageId ?? `${entryId} ${path}`, asked);
  const counts = new Map<string | null, number>();
  for (const leadId of owners.values()) counts.set(leadId, (counts.get(leadId) ?? 0) + 1);
  await recordAccess(ctx, {
    command: 'explain',
    shown: [...counts].map(([leadId, count]) => ({ leadId, messages: count })),
  });
}
