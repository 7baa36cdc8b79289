import { arrayLiteral } from '../array-literal.js';
import { textOf, textOrNull, readCount } from '../row.js';
import type { Sql, SqlParameter } from '../sql.js';
import {
  columnsJson,
  JOURNALED_TABLES,
  keyJson,
  lockedRow,
  MOVED_COLUMNS,
  rowJson,
  rowOfEntry,
  WHOLE_ENTRY_JSON,
  type JournaledTable,
} from './journaled-tables.js';

/**
 * The rows that a change may touch, by id. A changed row must be reachable from these, or `undo` cannot restore it;
 * unchanged reachable rows cost little and leave nothing in the journal.
 */
export interface JournalScope {
  /**
   * Messages that may change or go: with their revisions, reactions and pending facts, their replies, their
   * conversations and leads with tickets, and the collisions on record for their ids.
   */
  messageIds?: readonly string[];
  /**
   * Messages that may change or go with only their revisions: their id stays, no fact waits for them, and no
   * conversation end or ticket depends on them. Exact copies qualify, which saves thousands of look-ups.
   */
  bareMessageIds?: readonly string[];
  /** Conversations that may change or go, with their leads and tickets. */
  conversationIds?: readonly string[];
  /** Conversations that may give all messages to another one; the journal keeps only the owner of each message. */
  emptiedConversationIds?: readonly string[];
  /**
   * Leads (people) that may be merged: with their identities, conversations, tickets, sync logs and the collisions on
   * record between them. Messages that follow a conversation to another lead need no journal entry: they follow it
   * back.
   */
  leadIds?: readonly string[];
  /** Leads that may change in their own row, with their tickets, and nothing else. */
  bareLeadIds?: readonly string[];
  /** Ids of messages that the work creates: facts wait for them, and messages answer them. */
  names?: readonly MessageName[];
}

interface MessageName {
  connectionId: string;
  id: string;
}

/** What a batch of raw entries creates, beyond rows attached to existing ones. */
export interface MadeRows {
  /** The raw entries it stores, with their messages and rejected items. */
  entryIds: readonly string[];
  /** Everyone it is about, with their leads, identities and conversations. */
  personIds: readonly string[];
}

/** The parameters of {@link REACH}, from `$2`; `$1` is the run. */
interface Reach {
  /** Leads named by the caller. */
  merging: readonly string[];
  leads: readonly string[];
  conversations: readonly string[];
  messages: readonly string[];
  emptied: readonly string[];
  /** Ids by which reactions, pending facts and rejects may know the messages. */
  names: readonly MessageName[];
  /** Conversations of the messages. */
  threads: readonly string[];
}

const NAMES = 'unnest($7::uuid[], $8::text[]) as n (connection_id, id)';

/**
 * The keys of the rows in reach, by table. Each part is an index look-up; `offset 0` keeps a planner without statistics
 * from reading whole tables. Leads and conversations are looked up by arrays: without the index, which
 * `dedupe` must tolerate, one scan answers for all.
 */
const REACH: Readonly<Record<keyof typeof JOURNALED_TABLES, string>> = {
  leads: 'select id from unnest($3::uuid[]) as x (id)',
  conversations: 'select id from unnest($4::uuid[]) as x (id)',
  messages: `
    select id from unnest($5::uuid[]) as x (id)
    union
    select m.id from unnest($9::uuid[]) as thread (id)
    cross join lateral (
      select id from messages
      where conversation_id = thread.id and context_external_id is not null
        -- In brackets: a hashed list, and not a join, which would compare each message with each name.
        and (context_external_id in (select n.id from ${NAMES})) is true offset 0
    ) m`,
  message_revisions: `
    select r.message_id, r.version from unnest($5::uuid[]) as x (id)
    cross join lateral (select message_id, version from message_revisions where message_id = x.id offset 0) r`,
  message_reactions: `
    select r.* from ${NAMES}
    cross join lateral (
      select connection_id, target_external_id, reactor from message_reactions
      where connection_id = n.connection_id and target_external_id = n.id offset 0
    ) r`,
  pending_facts: `
    select p.* from ${NAMES}
    cross join lateral (
      select connection_id, target_external_id, kind, fact_key from pending_facts
      where connection_id = n.connection_id and target_external_id = n.id offset 0
    ) p`,
  lead_identities: `
    select i.* from unnest($2::uuid[]) as x (id)
    cross join lateral (
      select organization_id, kind, value from lead_identities where person_id = x.id offset 0
    ) i`,
  tickets: `
    select t.id from unnest($4::uuid[]) as x (id)
    cross join lateral (select id from tickets where conversation_id = x.id offset 0) t
    union
    select t.id from unnest($3::uuid[]) as x (id)
    cross join lateral (select id from tickets where lead_id = x.id offset 0) t`,
  sync_logs: `
    select s.id from unnest($2::uuid[]) as x (id)
    cross join lateral (select id from sync_logs where lead_id = x.id offset 0) s`,
  rejects: 'select id from collisions',
  webhook_log: 'select distinct webhook_log_id as id from collisions',
};

/** Items rejected because two conversations claimed one id: they are due again once the conversations are joined. */
const COLLISIONS = `
  collisions as (
    select r.id, r.webhook_log_id from ${NAMES}
    cross join lateral (
      select id, webhook_log_id from rejects
      where connection_id = n.connection_id and external_id = n.id and reason = 'id_collision' offset 0
    ) r
    union
    select r.id, r.webhook_log_id from conversations c
    cross join lateral (
      select m.connection_id, m.external_id, m.stanza_id from messages m where m.conversation_id = c.id offset 0
    ) m
    cross join lateral (
      select id, webhook_log_id from rejects
      where connection_id = m.connection_id and external_id in (m.external_id, m.stanza_id)
        and reason = 'id_collision' offset 0
    ) r
    where c.lead_id = any($2::uuid[])
  )`;

/** Tables in which the work may create rows: these are journaled as well. */
const GROWING: readonly (keyof typeof JOURNALED_TABLES)[] = [
  'message_revisions',
  'message_reactions',
  'pending_facts',
  'lead_identities',
  'tickets',
];

const TABLES = Object.values(JOURNALED_TABLES) as readonly (JournaledTable & {
  name: keyof typeof JOURNALED_TABLES;
})[];

/**
 * Runs `work` inside the caller's transaction and records in change_journal, under `runId`, every row that it changes,
 * removes or creates: its state before the work, and after it (null: gone). `undo` restores it. Locks the rows first,
 * so that the journaled state is the one the work finds. A fixed number of statements, whatever the size of the scope.
 * Scopes of one run are sequential, never nested.
 */
export async function journaled<T>(
  tx: Sql,
  runId: string,
  scope: JournalScope,
  work: () => Promise<T>,
  madeBy?: (result: T) => MadeRows,
): Promise<T> {
  const mark = await beginScope(tx, runId);
  const parameters = parametersOf(runId, await reachOf(tx, scope));
  await writeBefore(tx, parameters);
  const result = await work();
  await writeMade(tx, parameters, mark);
  const made = madeBy?.(result);
  if (made !== undefined) await writeStored(tx, runId, mark, made);
  await settleScope(tx, runId, mark);
  if (made !== undefined) await writeStoredEntries(tx, runId, mark, made);
  return result;
}

/** Rows that a batch created; their content is filled in with all the others. */
async function writeStored(
  tx: Sql,
  runId: string,
  mark: number,
  { entryIds, personIds }: MadeRows,
): Promise<void> {
  const conditions: readonly (readonly [keyof typeof JOURNALED_TABLES, string])[] = [
    ['leads', 't.id = any($4::uuid[])'],
    ['conversations', 't.lead_id = any($4::uuid[])'],
    ['messages', 't.batch_id = any($3::uuid[])'],
    [
      'message_revisions',
      't.message_id = any(array(select id from messages where batch_id = any($3::uuid[])))',
    ],
    ['lead_identities', 't.person_id = any($4::uuid[])'],
    ['rejects', 't.webhook_log_id = any($3::uuid[])'],
  ];
  const parts = conditions.map(([name, condition]) => {
    const table = JOURNALED_TABLES[name];
    return `select '${name}', ${keyJson(table)} from ${name} t
       where ${condition} and (${keyJson(table)} in (
         select e.key from change_journal e
         where e.run_id = $1::uuid and e.id > $2::bigint and e.table_name = '${name}'
       )) is not true`;
  });
  await tx.execute(
    `insert into change_journal (run_id, table_name, key)
     select $1::uuid, entry.* from (${parts.join(' union all ')}) entry (table_name, key)`,
    [runId, mark, arrayLiteral(entryIds), arrayLiteral(personIds)],
  );
}

/** New raw entries, complete; excludes the run's own record, which an undo removes anyway. */
async function writeStoredEntries(
  tx: Sql,
  runId: string,
  mark: number,
  { entryIds }: MadeRows,
): Promise<void> {
  const { webhook_log } = JOURNALED_TABLES;
  await tx.execute(
    `insert into change_journal (run_id, table_name, key, after)
     select $1::uuid, '${webhook_log.name}', ${keyJson(webhook_log)}, ${WHOLE_ENTRY_JSON}
     from webhook_log t where t.id = any($2::uuid[])`,
    [runId, arrayLiteral(entryIds)],
  );
  await tx.execute(
    `delete from change_journal e using sync_logs s
     where e.run_id = $1::uuid and e.id > $2::bigint and e.table_name = 'sync_logs'
       and s.id = (e.key ->> 'id')::uuid and s.run_id = $1::uuid`,
    [runId, mark],
  );
}

/** The run's last journal entry so far. Sets the time zone for writing: entries are compared across sessions. */
async function beginScope(tx: Sql, runId: string): Promise<number> {
  return readCount(
    tx,
    `select set_config('TimeZone', 'UTC', true),
       coalesce((select id from change_journal where run_id = $1::uuid order by id desc limit 1), 0) as count`,
    [runId],
  );
}

/** Expands the scope from named rows to attached ones. */
async function reachOf(tx: Sql, scope: JournalScope): Promise<Reach> {
  const { messageIds = [], bareMessageIds = [], leadIds = [], bareLeadIds = [] } = scope;
  const { conversationIds = [], emptiedConversationIds = [], names: made = [] } = scope;
  const messages = messageIds.length === 0 ? [] : await readScopeMessages(tx, messageIds);
  const threads = [...new Set(messages.map((message) => message.conversationId))];
  const conversations = await readScopeConversations(
    tx,
    [...new Set([...threads, ...conversationIds, ...emptiedConversationIds])],
    leadIds,
  );
  const names = new Map(made.map((name) => [`${name.connectionId} ${name.id}`, name]));
  for (const { connectionId, externalId, stanzaId } of messages) {
    for (const id of [externalId, stanzaId]) {
      if (id !== null) names.set(`${connectionId} ${id}`, { connectionId, id });
    }
  }
  return {
    merging: sorted(leadIds),
    leads: sorted([...leadIds, ...bareLeadIds, ...conversations.map(({ leadId }) => leadId)]),
    conversations: sorted(conversations.map((conversation) => conversation.id)),
    messages: sorted([...messageIds, ...bareMessageIds]),
    emptied: sorted(emptiedConversationIds),
    names: [...names.values()],
    threads: sorted(threads),
  };
}

async function readScopeMessages(
  tx: Sql,
  ids: readonly string[],
): Promise<
  { connectionId: string; conversationId: string; externalId: string | null; stanzaId: string | null }[]
> {
  const rows = await tx.query(
    `select m.connection_id, m.conversation_id, m.external_id, m.stanza_id
     from unnest($1::uuid[]) as x (id)
     cross join lateral (select * from messages where id = x.id limit 1) m`,
    [arrayLiteral(ids)],
  );
  return rows.map((row) => ({
    connectionId: textOf(row, 'connection_id'),
    conversationId: textOf(row, 'conversation_id'),
    externalId: textOrNull(row, 'external_id'),
    stanzaId: textOrNull(row, 'stanza_id'),
  }));
}

async function readScopeConversations(
  tx: Sql,
  ids: readonly string[],
  leadIds: readonly string[],
): Promise<{ id: string; leadId: string }[]> {
  if (ids.length === 0 && leadIds.length === 0) return [];
  const rows = await tx.query(
    `select c.id, c.lead_id from unnest($1::uuid[]) as x (id)
     cross join lateral (select id, lead_id from conversations where id = x.id limit 1) c
     union
     select id, lead_id from conversations where lead_id = any($2::uuid[])`,
    [arrayLiteral(ids), arrayLiteral(leadIds)],
  );
  return rows.map((row) => ({ id: textOf(row, 'id'), leadId: textOf(row, 'lead_id') }));
}

function parametersOf(runId: string, reach: Reach): SqlParameter[] {
  return [
    runId,
    arrayLiteral(reach.merging),
    arrayLiteral(reach.leads),
    arrayLiteral(reach.conversations),
    arrayLiteral(reach.messages),
    arrayLiteral(reach.emptied),
    arrayLiteral(reach.names.map((name) => name.connectionId)),
    arrayLiteral(reach.names.map((name) => name.id)),
    arrayLiteral(reach.threads),
  ];
}

/** Every statement must use every parameter, or the server cannot tell its type. */
const ALL_PARAMETERS = `parameters as (
  select $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::text[], $9::uuid[])`;

/** Writes the current state of every row in reach, one statement for all tables. */
async function writeBefore(tx: Sql, parameters: readonly SqlParameter[]): Promise<void> {
  const { messages } = JOURNALED_TABLES;
  const parts = TABLES.map(
    (table) =>
      `select '${table.name}', ${keyJson(table)}, ${rowJson(table)}
       from (${REACH[table.name]}) k cross join ${lockedRow(table, 'k')}`,
  );
  const moved = `
    select 'messages', ${keyJson(messages)}, ${columnsJson(MOVED_COLUMNS)}
    from unnest($6::uuid[]) as x (id)
    cross join lateral (select * from messages where conversation_id = x.id offset 0) t
    where (t.id in (select id from (${REACH.messages}) whole)) is not true`;
  await tx.execute(
    `with ${ALL_PARAMETERS}, ${COLLISIONS}
     insert into change_journal (run_id, table_name, key, before)
     select $1::uuid, entry.* from (${[...parts, moved].join(' union all ')}) entry (table_name, key, before)`,
    parameters,
  );
}

/** Drops the entries of unchanged rows, and completes the others. Compared as text: 1 and 1.0 differ. */
async function settleScope(tx: Sql, runId: string, mark: number): Promise<void> {
  const parts = TABLES.map((table) => {
    const row =
      table.name === 'messages'
        ? `case when e.before is null or e.before ? 'type' then ${rowJson(table)} else ${columnsJson(MOVED_COLUMNS)} end`
        : rowJson(table);
    const [first] = table.key;
    return `select e.id, e.before, case when t.${first?.name ?? 'id'} is null then null else ${row} end
            from change_journal e left join ${rowOfEntry(table, 'e')} on true
            where e.run_id = $1::uuid and e.id > $2::bigint and e.table_name = '${table.name}'`;
  });
  await tx.execute(
    `with found as materialized (
       select * from (${parts.join(' union all ')}) entry (id, before, after)
     ),
     same as (
       delete from change_journal j using found
       where j.id = found.id and found.after::text is not distinct from found.before::text
     )
     update change_journal j set after = found.after from found
     where j.id = found.id and found.after::text is distinct from found.before::text
       -- Of a row that is gone the entry says so already.
       and found.after is not null`,
    [runId, mark],
  );
}

/** New rows in reach; their content is filled in with all the others. */
async function writeMade(tx: Sql, parameters: readonly SqlParameter[], mark: number): Promise<void> {
  const parts = TABLES.filter((table) => GROWING.includes(table.name)).map(
    (table) =>
      `select '${table.name}', ${keyJson(table)} from (${REACH[table.name]}) k cross join ${lockedRow(table, 'k')}
       -- In brackets, as above.
       where (${keyJson(table)} in (
         select e.key from change_journal e
         where e.run_id = $1::uuid and e.id > $10::bigint and e.table_name = '${table.name}'
       )) is not true`,
  );
  await tx.execute(
    `with ${ALL_PARAMETERS}
     insert into change_journal (run_id, table_name, key)
     select $1::uuid, entry.* from (${parts.join(' union all ')}) entry (table_name, key)`,
    [...parameters, mark],
  );
}

function sorted(ids: readonly string[]): string[] {
  return [...new Set(ids)].sort();
}
