import { ConfigError } from '../../model/errors.js';
import {
  countMessagesIn,
  readConversationsOfLead,
  readMessageBounds,
  readMessagePage,
  type ConversationOfLead,
  type TimeWindow,
} from '../../store/queries/message-pages.js';
import type { Sql } from '../../store/sql.js';
import { IS_ADOPTED_SQL } from '../../rules/evidence.js';
import { recordAccess } from '../access/record-access.js';
import { findConnection } from '../connections/find.js';
import { resolveContact, type ContactLead, theOneLead } from '../contacts/resolve-contact.js';
import type { Context } from '../../context.js';
import { decodeCursor, encodeCursor, type Cursor } from './cursor.js';
import { LARGEST_PAGE_LIMIT, type MessagesOptions, type MessagesResult } from './result.js';
import { showMessages } from './show-messages.js';
import { rfc3339 } from '../../model/time.js';

/**
 * One page of a contact's history, newest first, over all of the lead's conversations or those on one connection.
 * Messages stored between pages neither shift nor repeat the others: a page begins after a message, not at an offset.
 * Throws ConfigError for an unknown or ambiguous contact or connection, a limit out of range, and a cursor of another
 * request.
 */
export async function readMessages(ctx: Context, options: MessagesOptions): Promise<MessagesResult> {
  const { limit } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > LARGEST_PAGE_LIMIT) {
    throw new ConfigError(`A page holds 1 to ${LARGEST_PAGE_LIMIT} messages, not ${limit}.`);
  }
  const { sql } = ctx.store;
  const connection =
    options.connection === undefined ? undefined : await findConnection(ctx, options.connection);
  const lead = await findLead(ctx, options.contact, connection?.organizationId);
  const binding = [lead.leadId, connection?.id, windowWordsOf(options)].join('|');
  const cursor = options.cursor === undefined ? null : decodeCursor(options.cursor, binding);
  const window = cursor?.window ?? windowOf(options);
  const conversations = await readConversationsOfLead(sql, lead.leadId, connection?.id);
  const ids = conversations.map(({ id }) => id);
  const [rows, totals, bounds] = await Promise.all([
    readMessagePage(sql, ids, window, cursor?.position ?? null, limit + 1, IS_ADOPTED_SQL),
    cursor ?? countTotals(sql, ids, window),
    readMessageBounds(sql, ids),
  ]);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const hasMore = rows.length > limit && last !== undefined;
  const shown = await showMessages(sql, page, {
    lead,
    conversations,
    withQuotes: options.withQuotes === true,
  });
  await recordAccess(ctx, {
    command: 'messages',
    shown: [{ leadId: lead.leadId, messages: shown.length }],
  });
  return {
    schemaVersion: 1,
    command: 'messages',
    contact: { leadId: lead.leadId, organization: lead.organization, name: lead.name, phone: lead.phone },
    messages: shown,
    pagination: {
      cursor: hasMore ? encodeCursor({ position: last, window, ...pick(totals) }, binding) : null,
      hasMore,
      total: totals.total,
    },
    metadata: {
      firstMessageAt: rfc3339(bounds.first),
      lastMessageAt: rfc3339(bounds.last),
      totalMessages: totals.totalMessages,
      syncedUpTo: rfc3339(syncedUpTo(conversations)),
    },
  };
}

async function findLead(
  ctx: Context,
  typed: string,
  organizationId: string | undefined,
): Promise<ContactLead> {
  const { sql } = ctx.store;
  const contact = await resolveContact(sql, typed, organizationId === undefined ? {} : { organizationId });
  if (contact.notice !== undefined) ctx.emit({ event: 'notice', message: contact.notice });
  return theOneLead(sql, contact, ctx.secretKey);
}

type Totals = Pick<Cursor, 'total' | 'totalMessages'>;

async function countTotals(sql: Sql, ids: readonly string[], window: TimeWindow): Promise<Totals> {
  const everything = countMessagesIn(sql, ids, {});
  const narrowed = window.from !== undefined || window.to !== undefined;
  const [totalMessages, total] = await Promise.all([
    everything,
    narrowed ? countMessagesIn(sql, ids, window) : everything,
  ]);
  return { total, totalMessages };
}

function pick({ total, totalMessages }: Totals): Totals {
  return { total, totalMessages };
}

function windowOf({ from, to }: MessagesOptions): TimeWindow {
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

function windowWordsOf({ from, to, windowWords }: MessagesOptions): string {
  return windowWords ?? `${from ?? ''}/${to ?? ''}`;
}

/** How current every connection of the contact is: the oldest of their last runs. */
function syncedUpTo(conversations: readonly ConversationOfLead[]): number | null {
  const times = conversations.map(({ lastSyncAt }) => lastSyncAt);
  const known = times.filter((time) => time !== null);
  return known.length === 0 || known.length < times.length ? null : Math.min(...known);
}
