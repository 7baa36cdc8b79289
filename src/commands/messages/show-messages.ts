import { canonicalPhone } from '../../identity/phone.js';
import {
  readQuotedMessages,
  type ConversationOfLead,
  type PageRow,
} from '../../store/queries/message-pages.js';
import type { Sql } from '../../store/sql.js';
import type { MessageKey } from '../../store/tables/messages.js';
import { readReactions } from '../../store/tables/amendments.js';
import type { ContactLead } from '../contacts/resolve-contact.js';
import type { MessageView, QuotedMessage } from './result.js';

/** Whose messages they are, and on which connections. */
export interface Between {
  lead: Pick<ContactLead, 'name' | 'phone'>;
  conversations: readonly ConversationOfLead[];
  withQuotes: boolean;
}

/** Rows of a page in the sync API's form, with data from other tables: reactions, and the targets of replies. */
export async function showMessages(
  sql: Sql,
  rows: readonly PageRow[],
  between: Between,
): Promise<MessageView[]> {
  const [reactions, quoted] = await Promise.all([
    reactionsTo(sql, rows),
    between.withQuotes ? quotedBy(sql, rows) : new Map<string, QuotedMessage>(),
  ]);
  const connections = new Map(between.conversations.map((each) => [each.connectionId, each]));
  return rows.map((row) => {
    const connection = connections.get(row.connectionId);
    const given = reactions.get(keyOf(row.connectionId, row.externalId));
    return {
      id: row.id,
      externalId: row.externalId,
      type: row.type,
      body: row.body,
      ...(row.media === null ? {} : { media: row.media }),
      direction: row.direction,
      timestamp: new Date(row.timestamp).toISOString(),
      status: row.status,
      ...(row.errors === null || row.status !== 'failed' ? {} : { errors: row.errors }),
      from: senderOf(row, between.lead, connection),
      ...contextOf(row, quoted),
      source: row.source,
      ...(row.provider === null ? {} : { provider: row.provider }),
      ...(row.editedAt === null ? {} : { editedAt: new Date(row.editedAt).toISOString() }),
      ...(row.deletedAt === null ? {} : { deletedAt: new Date(row.deletedAt).toISOString() }),
      ...(given === undefined ? {} : { reactions: given }),
      ...(connection === undefined || connections.size < 2 ? {} : { connection: connection.connectionName }),
    };
  });
}

function senderOf(
  { direction }: PageRow,
  lead: Between['lead'],
  connection: ConversationOfLead | undefined,
): MessageView['from'] {
  switch (direction) {
    case 'INBOUND':
      return { name: lead.name, number: lead.phone };
    case 'OUTBOUND': {
      const phone = connection?.connectionPhone ?? null;
      return {
        name: connection?.connectionName ?? null,
        // Meta writes it with spaces and dashes; programs compare it with other phones.
        number: phone === null ? null : (canonicalPhone(phone) ?? phone),
      };
    }
  }
}

function contextOf(
  { connectionId, contextExternalId }: PageRow,
  quoted: ReadonlyMap<string, QuotedMessage>,
): Pick<MessageView, 'context'> {
  if (contextExternalId === null) return {};
  const found = quoted.get(keyOf(connectionId, contextExternalId));
  return { context: { messageId: contextExternalId, ...(found === undefined ? {} : { quoted: found }) } };
}

async function reactionsTo(
  sql: Sql,
  rows: readonly PageRow[],
): Promise<Map<string, NonNullable<MessageView['reactions']>>> {
  const byMessage = new Map<string, NonNullable<MessageView['reactions']>>();
  for (const reaction of await readReactions(sql, targetsOf(rows, 'externalId'))) {
    // Without an emoji, it was removed.
    if (reaction.emoji === null) continue;
    const key = keyOf(reaction.connectionId, reaction.targetExternalId);
    const list = byMessage.get(key) ?? [];
    list.push({
      emoji: reaction.emoji,
      from: reaction.reactor,
      timestamp: new Date(reaction.at).toISOString(),
    });
    byMessage.set(key, list);
  }
  for (const list of byMessage.values()) list.sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1));
  return byMessage;
}

async function quotedBy(sql: Sql, rows: readonly PageRow[]): Promise<Map<string, QuotedMessage>> {
  const found = await readQuotedMessages(sql, targetsOf(rows, 'contextExternalId'));
  return new Map(
    found.map(({ connectionId, target, type, body, direction, deletedAt }) => [
      keyOf(connectionId, target),
      { type, body, direction, deleted: deletedAt !== null },
    ]),
  );
}

function targetsOf(rows: readonly PageRow[], of: 'externalId' | 'contextExternalId'): MessageKey[] {
  return rows.flatMap((row) => {
    const id = row[of];
    return id === null ? [] : [{ connectionId: row.connectionId, id }];
  });
}

function keyOf(connectionId: string, id: string | null): string {
  return `${connectionId}|${id ?? ''}`;
}
