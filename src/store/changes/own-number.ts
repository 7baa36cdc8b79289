import type { PendingFactKind } from '../../model/enumerations.js';
import type { RemovedRows } from '../../model/run-result.js';
import { arrayLiteral } from '../array-literal.js';
import { journaled } from '../journal/journal.js';
import { textOf, textOrNull, booleanOf } from '../row.js';
import type { Sql } from '../sql.js';
import { recomputeConversations, updateConversations } from '../tables/conversations.js';
import { releaseMessages } from '../tables/expected-messages.js';
import { HAS_BODY_SQL, requeueEntriesNaming, requeueStatuses } from '../tables/webhook-log.js';
import { requeueCollisions } from './merge-leads.js';

/** A connection and its own number in all of its forms. */
interface OwnNumber {
  connectionId: string;
  organizationId: string;
  phoneNumberId: string | null;
  phones: readonly string[];
  /** The number has just become known: also remove people with this number and no conversation. */
  isNew: boolean;
}

/**
 * Removes what was stored about a connection's own number before it was known as such (rule I4): the conversation with
 * its messages and tickets, and the lead, if nothing else is known of it. Journaled. Every entry that names the number
 * is due again: now it is skipped, and its other items are reapplied. Rows of other programs, and values entered by
 * people, stay.
 */
export async function retractOwnNumber(tx: Sql, runId: string, own: OwnNumber): Promise<Retracted> {
  const { connectionId, phoneNumberId, phones, isNew } = own;
  const retracted = await retractPeople(tx, runId, await readPeople(tx, own), {
    connectionId,
    phoneNumberId,
  });
  if (!isNew) return retracted;
  // Statuses to the number wait for messages that are skipped, also where nothing else named it.
  const requeued = await requeueEntriesNaming(tx, phones);
  await deletePendingFacts(tx, connectionId, phones, ['status']);
  return { ...retracted, requeued: retracted.requeued + requeued };
}

/** What was removed, and how many entries are due because of it. */
interface Retracted {
  requeued: number;
  removed: RemovedRows;
}

/** A person, and their conversation on the connection in question. */
export interface RetractedPerson {
  personId: string;
  conversationId: string | null;
}

/**
 * Removes what entries stored about these people on one connection, and makes every entry that names them due again:
 * valid ones restore it. Journaled. Rows of other programs, and values entered by people, stay; so do, with `keepsUnread`, messages whose
 * entries have no body any more: nothing could restore them.
 */
export async function retractPeople(
  tx: Sql,
  runId: string,
  people: readonly RetractedPerson[],
  connection: { connectionId: string; phoneNumberId: string | null; keepsUnread?: true },
): Promise<Retracted> {
  const personIds = people.map(({ personId }) => personId);
  if (personIds.length === 0)
    return { requeued: 0, removed: { leads: 0, conversations: 0, messages: 0, tickets: 0 } };
  const conversationIds = people.flatMap(({ conversationId }) => conversationId ?? []);
  const names = await readNames(tx, personIds);
  const messages = await readLoggedMessages(tx, conversationIds, connection.keepsUnread === true);
  const messageIds = messages.map(({ id }) => id);

  const scope = { messageIds, conversationIds, leadIds: personIds };
  const retracted = await journaled(tx, runId, scope, async (): Promise<Retracted> => {
    const collisions = await requeueCollisions(tx, personIds);
    const removed = await deleteConversations(tx, messageIds, conversationIds);
    const leads = await deletePeople(tx, personIds);
    return { requeued: collisions, removed: { ...removed, leads } };
  });
  let { requeued } = retracted;
  const kept = await recomputeConversations(tx, conversationIds);
  await updateConversations(tx, kept);
  requeued += await requeueEntriesNaming(tx, names);
  await deletePendingFacts(tx, connection.connectionId, names, ['edit', 'revoke', 'reaction']);
  // A status names only its message; if that message is gone, it must wait again.
  if (messages.some(({ isConfirmed }) => isConfirmed)) {
    const { phoneNumberId } = connection;
    requeued += await requeueStatuses(tx, phoneNumberId === null ? [] : [phoneNumberId]);
  }
  return { ...retracted, requeued };
}

/** People with the number, and their conversation on this connection; only those with rows to remove. */
async function readPeople(
  tx: Sql,
  { connectionId, organizationId, phones, isNew }: OwnNumber,
): Promise<RetractedPerson[]> {
  const rows = await tx.query(
    `select p.id as person_id, c.id as conversation_id
     from (
       select person_id as id from lead_identities
       where organization_id = $1::uuid and kind = 'phone' and value = any($2::text[])
       union
       select id from leads where organization_id = $1::uuid and phone_number = any($2::text[])
     ) p
     left join lateral (
       select id from conversations where lead_id = p.id and connection_id = $3::uuid limit 1
     ) c on true
     where case when c.id is null
       then not exists (select from conversations v where v.lead_id = p.id)
         and exists (select from lead_identities i where i.person_id = p.id)
         -- Another number of the organization may know it as a contact: asked once, or it would come and go in every run.
         and ($4::boolean or 1 = (select count(*) from connections n where n.organization_id = $1::uuid))
       else exists (select from messages m where m.conversation_id = c.id and m.batch_id is not null)
         or not exists (select from messages m where m.conversation_id = c.id) end`,
    [organizationId, arrayLiteral(phones), connectionId, isNew],
  );
  return rows.map((row) => ({
    personId: textOf(row, 'person_id'),
    conversationId: textOrNull(row, 'conversation_id'),
  }));
}

async function readNames(tx: Sql, personIds: readonly string[]): Promise<string[]> {
  const rows = await tx.query(
    `select value from lead_identities where person_id = any($1::uuid[])
     union
     select phone_number from leads where id = any($1::uuid[]) and phone_number is not null`,
    [arrayLiteral(personIds)],
  );
  return rows.map((row) => textOf(row, 'value'));
}

async function readLoggedMessages(
  tx: Sql,
  conversationIds: readonly string[],
  keepsUnread: boolean,
): Promise<{ id: string; isConfirmed: boolean }[]> {
  const rows = await tx.query(
    `select id, meta_confirmed_at is not null as is_confirmed from messages
     where conversation_id = any($1::uuid[]) and batch_id is not null
       and not ($2::boolean and exists (
         select from webhook_log w where w.id = messages.batch_id and not ${HAS_BODY_SQL} offset 0
       ))`,
    [arrayLiteral(conversationIds), keepsUnread],
  );
  return rows.map((row) => ({ id: textOf(row, 'id'), isConfirmed: booleanOf(row, 'is_confirmed') }));
}

/** A conversation with rows of another program, or a ticket opened by a person, stays. */
async function deleteConversations(
  tx: Sql,
  messageIds: readonly string[],
  conversationIds: readonly string[],
): Promise<Omit<RemovedRows, 'leads'>> {
  const messages = [arrayLiteral(messageIds)];
  const conversations = [arrayLiteral(conversationIds)];
  await tx.execute(
    `delete from message_reactions r using messages m
     where m.id = any($1::uuid[]) and r.connection_id = m.connection_id and r.target_external_id = m.external_id`,
    messages,
  );
  await releaseMessages(tx, 'select unnest($1::uuid[])', messages);
  const gone = await tx.execute(`delete from messages where id = any($1::uuid[])`, messages);
  const tickets = await tx.execute(
    `delete from tickets t where t.conversation_id = any($1::uuid[]) and t.source = 'incoming_message'
       and not exists (select from messages m where m.conversation_id = t.conversation_id)`,
    conversations,
  );
  const left = await tx.execute(
    `delete from conversations c where c.id = any($1::uuid[])
       and not exists (select from messages m where m.conversation_id = c.id)
       and not exists (select from tickets t where t.conversation_id = c.id)`,
    conversations,
  );
  return { messages: gone, tickets, conversations: left };
}

/**
 * Deletes the lead and its names if nothing else uses them. Otherwise resets the names' data; due entries set it again.
 * Returns the number of deleted leads. A name with time 0 came from another program; see src/rules/people.ts.
 */
async function deletePeople(tx: Sql, personIds: readonly string[]): Promise<number> {
  const [row] = await tx.query(
    `select coalesce(array_agg(p.id::text), '{}')::text as ids from unnest($1::uuid[]) as p (id)
     where not exists (select from conversations c where c.lead_id = p.id)
       and not exists (select from tickets t where t.lead_id = p.id)
       and not exists (select from leads l where l.id = p.id and l.source = 'direct_creation')
       and not exists (select from lead_identities i where i.person_id = p.id and i.book_name_at = 'epoch')`,
    [arrayLiteral(personIds)],
  );
  const gone = [row === undefined ? '{}' : textOf(row, 'ids')];
  await tx.execute(`delete from lead_identities where person_id = any($1::uuid[])`, gone);
  const leads = await tx.execute(`delete from leads where id = any($1::uuid[])`, gone);
  await tx.execute(
    `update lead_identities set first_seen_at = null, profile_name = null, profile_name_at = null, username = null,
       username_at = null, book_state = null, book_state_at = null, book_first_at = null, live_first_at = null,
       book_name = case when book_name_at = 'epoch' then book_name end,
       book_name_at = case when book_name_at = 'epoch' then book_name_at end
     where person_id = any($1::uuid[])`,
    [arrayLiteral(personIds)],
  );
  return leads;
}

/** What waits for its message in entries that name these; due ones return with their entries. */
async function deletePendingFacts(
  tx: Sql,
  connectionId: string,
  names: readonly string[],
  kinds: readonly PendingFactKind[],
): Promise<void> {
  await tx.execute(
    `delete from pending_facts where connection_id = $1::uuid and kind = any($3::text[]) and webhook_log_id in (
       select id from webhook_log where chat_ids && $2::text[]
     )`,
    [connectionId, arrayLiteral(names), arrayLiteral(kinds)],
  );
}
