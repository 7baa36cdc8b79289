import { arrayLiteral, arraysOf } from '../array-literal.js';
import { uuid, text, orNull, type RowOf, columns, rowsOf, integer, list, rowOf } from '../columns.js';
import type { WantedName } from '../queries/duplicate-people.js';
import { textOf } from '../row.js';
import type { Sql, SqlParameter, SqlRow } from '../sql.js';
import { earlierFirst } from '../tables/conversations.js';
import { requeueEntries } from '../tables/webhook-log.js';

/** Two conversations of one lead on one connection, as ids: `from` ends, `into` stays. */
export interface ConversationMove {
  from: string;
  into: string;
  /** The lead of `into`. */
  leadId: string;
}

/**
 * Moves messages and tickets of `from` to `into`; several may go into one. The caller sets the times of `into`, read
 * from its messages. Set-based; no `into` may be a `from`.
 */
export async function mergeConversations(tx: Sql, moves: readonly ConversationMove[]): Promise<void> {
  if (moves.length === 0) return;
  const move = `unnest($1::uuid[], $2::uuid[], $3::uuid[]) as move (lost_id, kept_id, kept_lead_id)`;
  const ids = arraysOf(moves, 'from', 'into', 'leadId');
  await tx.execute(
    `update messages m set conversation_id = move.kept_id, lead_id = move.kept_lead_id
     from ${move} where m.conversation_id = move.lost_id`,
    ids,
  );
  await mergeOpenTickets(
    tx,
    moves.flatMap(({ from, into }) => [
      { id: from, keptId: into },
      { id: into, keptId: into },
    ]),
  );
  await tx.execute(
    `update tickets t set conversation_id = move.kept_id, lead_id = move.kept_lead_id
     from ${move} where t.conversation_id = move.lost_id`,
    ids,
  );
  await tx.execute(`delete from conversations c using ${move} where c.id = move.lost_id`, ids);
}

/** People who are one, as ids: `from` ends, `into` stays (rule I3). */
export interface MergePair {
  from: string;
  into: string;
}

/**
 * {@link movePeople} with a record of previous owners, for merges that a `replay` batch makes between other changes:
 * they cannot be undone, but they can be explained. `dedupe`, and an adoption, journal whole rows instead; see
 * src/store/journal/journal.ts.
 */
export async function mergePeople(tx: Sql, runId: string, pairs: readonly MergePair[]): Promise<string[]> {
  const kept: string[] = [];
  for (const round of roundsOf(pairs)) {
    await journal(tx, runId, parametersOf(round));
    kept.push(...(await moveRound(tx, round)));
  }
  return kept;
}

/**
 * Moves everything of `from` to `into`: identities, conversations, messages, tickets. Returns the surviving
 * conversations that received another one's messages. Set-based; runs inside the batch's transaction, under the
 * organization's lock.
 */
export async function movePeople(tx: Sql, pairs: readonly MergePair[]): Promise<string[]> {
  const kept: string[] = [];
  for (const round of roundsOf(pairs)) kept.push(...(await moveRound(tx, round)));
  return kept;
}

/**
 * One merged lead per survivor at a time: two may both bring the conversation that the survivor lacks on a connection.
 */
function roundsOf(pairs: readonly MergePair[]): MergePair[][] {
  const rounds: MergePair[][] = [];
  const seen = new Map<string, number>();
  for (const pair of pairs) {
    const round = seen.get(pair.into) ?? 0;
    seen.set(pair.into, round + 1);
    (rounds[round] ??= []).push(pair);
  }
  return rounds;
}

const MERGE = `unnest($1::uuid[], $2::uuid[]) as merge (source, target)`;

function parametersOf(pairs: readonly MergePair[]): SqlParameter[] {
  return arraysOf(pairs, 'from', 'into');
}

async function moveRound(tx: Sql, pairs: readonly MergePair[]): Promise<string[]> {
  const ids = parametersOf(pairs);
  // `limit`: one look-up each; with `exists`, the planner hashes all leads.
  await tx.execute(
    `update lead_identities i set person_id = merge.target,
       lead_id = (select l.id from leads l where l.id = merge.target limit 1)
     from ${MERGE} where i.person_id = merge.source`,
    ids,
  );

  // Values entered by people stay, whichever of the two leads they are on (I6).
  await tx.execute(
    `update leads kept set source = 'direct_creation'
     from ${MERGE} join leads lost on lost.id = merge.source
     where kept.id = merge.target and lost.source = 'direct_creation'`,
    ids,
  );

  const doubled = await readDoubledThreads(tx, pairs);
  await mergeConversations(tx, doubled);

  // Rows without a counterpart only change owner; messages follow by foreign-key cascade.
  await tx.execute(
    `update conversations c set lead_id = merge.target from ${MERGE} where c.lead_id = merge.source`,
    ids,
  );
  await tx.execute(
    `update tickets t set lead_id = merge.target from ${MERGE} where t.lead_id = merge.source`,
    ids,
  );
  await tx.execute(
    `update sync_logs s set lead_id = merge.target from ${MERGE} where s.lead_id = merge.source`,
    ids,
  );
  await tx.execute(`delete from leads l using ${MERGE} where l.id = merge.source`, ids);
  return doubled.map((move) => move.into);
}

/**
 * Conversations of a merged lead on a connection where its survivor has one, too. One look-up by leads for all: joined
 * in the database, the planner would compare every pair of conversations of a connection.
 */
async function readDoubledThreads(tx: Sql, pairs: readonly MergePair[]): Promise<ConversationMove[]> {
  const rows = await tx.query(
    `select c.id, c.lead_id, c.connection_id from conversations c where c.lead_id = any($1::uuid[])
     order by ${earlierFirst('c')}`,
    [arrayLiteral([...new Set(pairs.flatMap((pair) => [pair.from, pair.into]))])],
  );
  const byLead = new Map<string, { id: string; connectionId: string }[]>();
  for (const row of rows) {
    const leadId = textOf(row, 'lead_id');
    const own = byLead.get(leadId) ?? [];
    own.push({ id: textOf(row, 'id'), connectionId: textOf(row, 'connection_id') });
    byLead.set(leadId, own);
  }
  return pairs.flatMap(({ from, into }) =>
    (byLead.get(from) ?? []).flatMap((lost) => {
      // The earliest, in case the index that allows one conversation per lead and connection is missing.
      const kept = byLead.get(into)?.find(({ connectionId }) => connectionId === lost.connectionId);
      return kept === undefined ? [] : [{ from: lost.id, into: kept.id, leadId: into }];
    }),
  );
}

/** Saves every row that the merge will change or remove before touching it. */
async function journal(tx: Sql, runId: string, ids: readonly SqlParameter[]): Promise<void> {
  await tx.execute(
    `insert into change_journal (run_id, table_name, key, before, after)
     select $3::uuid, changed.table_name, changed.key, changed.before, changed.after
     from (
       select 1 as step, 'leads' as table_name, jsonb_build_object('id', l.id) as key, to_jsonb(l) as before,
         jsonb_build_object('merged_into', merge.target) as after
       from ${MERGE} join leads l on l.id = merge.source
       union all
       select 2, 'lead_identities', jsonb_build_object('organization_id', i.organization_id, 'kind', i.kind, 'value', i.value),
         to_jsonb(i), jsonb_build_object('person_id', merge.target)
       from ${MERGE} join lead_identities i on i.person_id = merge.source
       union all
       select 3, 'conversations', jsonb_build_object('id', c.id), to_jsonb(c), jsonb_build_object('lead_id', merge.target)
       from ${MERGE} join conversations c on c.lead_id = merge.source
       union all
       select 4, 'tickets', jsonb_build_object('id', t.id), to_jsonb(t), jsonb_build_object('lead_id', merge.target)
       from ${MERGE} join tickets t on t.lead_id = merge.source
       union all
       -- Messages change hands only; the ids say all that is needed to give them back.
       select 5, 'messages', jsonb_build_object('id', m.id),
         jsonb_build_object('conversation_id', m.conversation_id, 'lead_id', m.lead_id),
         jsonb_build_object('lead_id', merge.target)
       from ${MERGE} join conversations c on c.lead_id = merge.source join messages m on m.conversation_id = c.id
     ) changed
     order by changed.step`,
    [...ids, runId],
  );
}

/**
 * Messages rejected as collisions between leads that are now one: their entries are due again, and the rejects are
 * removed (M9: identities are resolved first). Returns the number of entries.
 */
export async function requeueCollisions(tx: Sql, leadIds: readonly string[]): Promise<number> {
  if (leadIds.length === 0) return 0;
  // From the leads' messages to the rejects, fenced: in the other direction the planner reads all of messages.
  const rows = await tx.query(
    `with due as (
       select collision.id
       from conversations c
       cross join lateral (
         select m.connection_id, m.external_id, m.stanza_id from messages m where m.conversation_id = c.id offset 0
       ) m
       cross join lateral (
         select r.id from rejects r
         where r.connection_id = m.connection_id and r.external_id in (m.external_id, m.stanza_id)
           and r.reason = 'id_collision' offset 0
       ) collision
       where c.lead_id = any($1::uuid[])
     )
     delete from rejects using due where rejects.id = due.id returning rejects.webhook_log_id`,
    [arrayLiteral(leadIds)],
  );
  return requeueEntries(tx, [...new Set(rows.map((row) => textOf(row, 'webhook_log_id')))]);
}

/**
 * Makes entries about the people with these names due again if one of their messages was rejected because another
 * conversation holds its id: a person with more names may have the better claim (M9), and only decoding shows it.
 * Returns the number of entries.
 */
export async function requeueLostClaims(tx: Sql, names: readonly string[]): Promise<number> {
  if (names.length === 0) return 0;
  // From the few collisions to their entries, fenced: people have many more entries.
  const rows = await tx.query(
    `select distinct collision.webhook_log_id as id
     from (select webhook_log_id from rejects where reason = 'id_collision' offset 0) collision
     cross join lateral (
       select from webhook_log w where w.id = collision.webhook_log_id and w.chat_ids && $1::text[] offset 0
     ) about`,
    [arrayLiteral(names)],
  );
  return requeueEntries(
    tx,
    rows.map((row) => textOf(row, 'id')),
  );
}

const LEAD_FIELDS = columns({
  id: uuid,
  organizationId: uuid,
  phoneNumber: orNull(text),
  pushName: orNull(text),
  username: orNull(text),
});

/** Facts about a person that only the lead's row holds. */
export type LeadFields = RowOf<typeof LEAD_FIELDS>;

/** The rows of leads, locked until the transaction ends. */
export async function lockLeads(tx: Sql, ids: readonly string[]): Promise<LeadFields[]> {
  const rows = await tx.query(
    `select id, organization_id, phone_number, push_name, username from leads where id = any($1::uuid[])
     order by id for update`,
    [arrayLiteral(ids)],
  );
  return rowsOf(LEAD_FIELDS, rows);
}

/**
 * Gives the surviving leads what only the others' rows hold. A person with one active lead is active: a merge must not
 * hide a person because the older lead was once deleted. A name that people entered, without an identity, would be lost
 * with its row; the oldest one wins. Identities decide afterwards.
 */
export async function inheritFields(
  tx: Sql,
  pairs: readonly { from: string; into: string }[],
): Promise<void> {
  await tx.execute(
    `update leads kept set
       is_active = kept.is_active or due.is_active,
       deleted_at = case when due.is_active then null else kept.deleted_at end,
       push_name = coalesce(kept.push_name, due.push_name),
       username = coalesce(kept.username, due.username),
       last_synced_at = greatest(kept.last_synced_at, due.last_synced_at)
     from (
       select merge.target, bool_or(lost.is_active) as is_active, max(lost.last_synced_at) as last_synced_at,
         (array_agg(lost.push_name order by lost.first_seen_at, lost.id) filter (where lost.push_name <> ''))[1] as push_name,
         (array_agg(lost.username order by lost.first_seen_at, lost.id) filter (where lost.username <> ''))[1] as username
       from unnest($1::uuid[], $2::uuid[]) as merge (source, target)
       cross join lateral (select * from leads where id = merge.source limit 1) lost
       group by merge.target
     ) due
     where kept.id = due.target`,
    arraysOf(pairs, 'from', 'into'),
  );
}

/** Deletes names by full key. */
export async function deleteNames(tx: Sql, names: readonly WantedName[]): Promise<void> {
  if (names.length === 0) return;
  await tx.execute(
    `delete from lead_identities i using unnest($1::uuid[], $2::text[], $3::text[]) as w (organization_id, kind, value)
     where i.organization_id = w.organization_id and i.kind = w.kind and i.value = w.value`,
    arraysOf(names, 'organizationId', 'kind', 'value'),
  );
}

/** A conversation (`id`) with open tickets to merge with those of `keptId`; the same id if nothing else moves. */
interface TicketThread {
  id: string;
  keptId: string;
}

/** Opened by people or other programs: such a ticket may be known elsewhere, and is never removed. */
const BY_PEOPLE = (ticket: string): string => `${ticket}.source <> 'incoming_message'`;

/** The merge order of one conversation's open tickets: the first stays open. */
const inOrder = (ticket: string): string =>
  `${ticket}.opened_at, ${ticket}.opened_by_external_id collate "C", ${ticket}.id`;

/**
 * Merges open tickets: keeps the one opened by a person, else the surviving conversation's, with the earliest opening
 * and the newest last message. Keeps a stage set by a person. Deletes the others, but closes those opened by people, as
 * of their last message, so that no later message counts as predating a closed ticket (T5). Set-based, one statement;
 * the extra ones go first, because at most one may be open.
 */
export async function mergeOpenTickets(tx: Sql, threads: readonly TicketThread[]): Promise<void> {
  if (threads.length === 0) return;
  await tx.execute(
    `with thread as (
       select distinct id, kept_id from unnest($1::uuid[], $2::uuid[]) as x (id, kept_id)
     ),
     ranked as (
       select t.*, thread.kept_id,
         row_number() over (
           partition by thread.kept_id
           order by (${BY_PEOPLE('t')}) desc, (t.conversation_id = thread.kept_id) desc, ${inOrder('t')}
         ) as place
       from thread
       cross join lateral (select * from tickets where conversation_id = thread.id and status = 'open' offset 0) t
     ),
     earliest as (
       select distinct on (kept_id) kept_id, opened_at, opened_by_external_id from ranked
       order by kept_id, opened_at, opened_by_external_id collate "C" nulls last
     ),
     others as (
       select kept_id, max(last_inbound_at) as last_inbound_at,
         (array_agg(stage order by last_inbound_at desc nulls last, id) filter (where stage <> 'new'))[1] as stage
       from ranked where place > 1 group by kept_id
     ),
     gone as (
       delete from tickets t using ranked
       where t.id = ranked.id and ranked.place > 1 and not (${BY_PEOPLE('ranked')})
     ),
     closed as (
       update tickets t set status = 'closed', closed_at = greatest(t.opened_at, t.last_inbound_at)
       from ranked where t.id = ranked.id and ranked.place > 1 and ${BY_PEOPLE('ranked')}
     )
     update tickets t set
       -- A ticket that a person opened was opened when that person says.
       opened_at = case when ${BY_PEOPLE('t')} then t.opened_at else earliest.opened_at end,
       opened_by_external_id = case when ${BY_PEOPLE('t')} then t.opened_by_external_id
                                    else coalesce(earliest.opened_by_external_id, t.opened_by_external_id) end,
       last_inbound_at = greatest(t.last_inbound_at, others.last_inbound_at),
       stage = case when t.stage = 'new' then coalesce(others.stage, t.stage) else t.stage end
     from ranked kept
     join earliest on earliest.kept_id = kept.kept_id
     join others on others.kept_id = kept.kept_id
     where t.id = kept.id and kept.place = 1`,
    arraysOf(threads, 'id', 'keptId'),
  );
}

const TICKET_GROUP = columns({
  connectionId: uuid,
  leadId: uuid,
  conversationId: uuid,
  ids: list(' '),
  /** How many of them people opened. */
  byPeople: integer,
});

/** Several open tickets of one conversation, the kept one first; possible without the index. */
export type TicketGroup = RowOf<typeof TICKET_GROUP>;

/** Rows are read by {@link ticketGroupOf}, in the order of their conversations; one pass over the open tickets. */
export function ticketGroups(connectionId: string | null): { text: string; parameters: (string | null)[] } {
  return {
    text: `
      select c.id as conversation_id, c.connection_id, c.lead_id, crowd.ids, crowd.by_people
      from (
        select t.conversation_id,
          string_agg(t.id::text, ' ' order by (${BY_PEOPLE('t')}) desc, ${inOrder('t')}) as ids,
          count(*) filter (where ${BY_PEOPLE('t')})::int as by_people
        from tickets t where t.status = 'open'
        group by t.conversation_id having count(*) > 1
      ) crowd
      join conversations c on c.id = crowd.conversation_id
      where $1::uuid is null or c.connection_id = $1::uuid
      order by c.id`,
    parameters: [connectionId],
  };
}

/**
 * The same group in its current state, for each of these conversations that still has one; for a batch, under its lock.
 */
export async function readTicketGroups(tx: Sql, conversationIds: readonly string[]): Promise<TicketGroup[]> {
  const rows = await tx.query(
    `select c.id as conversation_id, c.connection_id, c.lead_id, crowd.ids, crowd.by_people
     from unnest($1::uuid[]) as x (id)
     cross join lateral (select * from conversations where id = x.id limit 1) c
     cross join lateral (
       select string_agg(t.id::text, ' ' order by (${BY_PEOPLE('t')}) desc, ${inOrder('t')}) as ids,
         count(*) filter (where ${BY_PEOPLE('t')})::int as by_people
       from tickets t where t.conversation_id = x.id and t.status = 'open'
       having count(*) > 1
     ) crowd
     order by c.id`,
    [arrayLiteral(conversationIds)],
  );
  return rowsOf(TICKET_GROUP, rows);
}

export function ticketGroupOf(row: SqlRow): TicketGroup {
  return rowOf(TICKET_GROUP, row);
}
