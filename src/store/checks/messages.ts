import { arrayLiteral } from '../array-literal.js';
import { FETCHING_BEGAN, namedMedia } from '../tables/media-files.js';
import { boolean, columns, orNull, streamRowsOf, text, time, uuid, type RowOf } from '../columns.js';
import { textOf, readCount } from '../row.js';
import type { Sql } from '../sql.js';
import { inScope, scopeParameters, sinceScope, type Scope } from './scope.js';

/** How many messages there are in a scope. */
export async function countMessages(sql: Sql, scope: Scope): Promise<number> {
  return readCount(
    sql,
    `select count(*) as count from messages where ${inScope('connection_id')} and ${sinceScope('timestamp')}`,
    scopeParameters(scope),
  );
}

const COLLISION_RECORD = columns({
  connectionId: orNull(uuid),
  externalId: orNull(text),
  webhookLogId: uuid,
  path: text,
});

/** A reject for a collision, as replay keeps it on record (rule M9). */
type CollisionRecord = RowOf<typeof COLLISION_RECORD>;

export function streamCollisionRecords(
  tx: Sql,
  scope: Scope,
): AsyncGenerator<CollisionRecord[], void, undefined> {
  return streamRowsOf(
    tx,
    COLLISION_RECORD,
    `select connection_id, external_id, webhook_log_id, path from rejects
     where reason = 'id_collision' and ${inScope('connection_id')} and ${sinceScope('created_at')}
     order by id`,
    scopeParameters(scope),
  );
}

const MESSAGE_FROM_ELSEWHERE = columns({
  id: uuid,
  connectionId: uuid,
  externalId: orNull(text),
  /** The entry that it names; null when it names none. */
  batchId: orNull(uuid),
  /** The run that stored the message. */
  runId: orNull(uuid),
});

/** A message whose raw entry is not in webhook_log. */
export type MessageFromElsewhere = RowOf<typeof MESSAGE_FROM_ELSEWHERE>;

/** Messages that name no raw entry, or one that is not there. */
export function streamMessagesFromElsewhere(
  tx: Sql,
  scope: Scope,
): AsyncGenerator<MessageFromElsewhere[], void, undefined> {
  return streamRowsOf(
    tx,
    MESSAGE_FROM_ELSEWHERE, // Fenced: a join left free reads webhook_log, bodies included, to know which ids there are.
    `select m.id, m.connection_id, m.external_id, m.batch_id, m.run_id from messages m
     left join lateral (select true as is_there from webhook_log w where w.id = m.batch_id limit 1) entry on true
     where entry.is_there is null and ${inScope('m.connection_id')} and ${sinceScope('m.timestamp')}`,
    scopeParameters(scope),
  );
}

/** The paths that a run read; none for one that read no files. */
export async function readPathsOfRun(tx: Sql, runId: string): Promise<string[]> {
  const rows = await tx.query(
    `select p.path from sync_runs r
     cross join lateral jsonb_array_elements_text(
       case when jsonb_typeof(r.options->'paths') = 'array' then r.options->'paths' else '[]' end
     ) as p (path)
     where r.id = $1::uuid`,
    [runId],
  );
  return rows.map((row) => textOf(row, 'path'));
}

/** Meta sends the files of a history only for messages of the last so many days. */
export const MEDIA_WINDOW_DAYS = 14;

/**
 * A message of a Cloud API history whose file was announced and has not come. WhatsApp Web's media have keys instead of an id
 * and are owed nothing; a revoked message stays empty (M5). For a query with `messages` under that alias.
 */
export function mediaOwed(alias: string): string {
  return `(${alias}.source = 'history' and ${alias}.deleted_at is null and ${alias}.external_id like 'wamid.%'
    and (${alias}.type = 'media_placeholder'
      or (${alias}.type in ('image', 'video', 'audio', 'voice', 'document', 'sticker')
        and ${alias}.media ->> 'id' is null and ${alias}.raw_meta -> 'mediaKeys' is null)))`;
}

const OWED_MEDIA = columns({
  connectionId: uuid,
  externalId: orNull(text),
  type: text,
  /** Ms since 1970. */
  timestamp: time,
  /** Until when it can be had, ms since 1970. */
  endsAt: time,
  /** Its message names it, and it can be fetched. */
  isFile: boolean,
});

export type OwedMedia = RowOf<typeof OWED_MEDIA>;

/**
 * By connection, the oldest first: what a history has announced, and, where media are fetched by this tool, the files that it owes
 * or that have expired since it began.
 */
export function streamOwedMedia(
  tx: Sql,
  scope: Scope,
  now: number,
): AsyncGenerator<OwedMedia[], void, undefined> {
  const messages = `${inScope('m.connection_id')} and ${sinceScope('m.timestamp')}`;
  return streamRowsOf(
    tx,
    OWED_MEDIA,
    `select m.connection_id, m.external_id, m.type, m.timestamp,
       m.timestamp + interval '${MEDIA_WINDOW_DAYS} days' as ends_at, false as is_file
     from messages m where ${mediaOwed('m')} and ${messages}
     union all
     select f.connection_id, f.message_id, f.type, f.at, f.expires_at, true
     from (${namedMedia(messages, '$3')}) f join ${FETCHING_BEGAN} began on began.connection_id = f.connection_id
     where f.state in ('owed', 'expired') and f.expires_at > began.at
     order by connection_id, timestamp, external_id`,
    [...scopeParameters(scope), new Date(now)],
  );
}

const OVERDUE_FACT = columns({
  connectionId: uuid,
  targetExternalId: text,
  kind: text,
  /** When it happened, ms since 1970. */
  at: time,
  webhookLogId: orNull(uuid),
  /** Its message is stored: another program wrote it without applying what was pending. */
  isStored: boolean,
  /** The raw log holds its entry, or its message's: a replay applies it. */
  isInLog: boolean,
});

/** A status, edit, revoke or reaction that has waited for its message. */
export type OverdueFact = RowOf<typeof OVERDUE_FACT>;

export async function countPendingFacts(sql: Sql, scope: Scope): Promise<number> {
  return readCount(
    sql,
    `select count(*) as count from pending_facts where ${inScope('connection_id')} and ${sinceScope('at')}`,
    scopeParameters(scope),
  );
}

/** Facts that were stored before `before` (ms since 1970) and still wait. */
export function streamOverdueFacts(
  tx: Sql,
  scope: Scope,
  before: number,
): AsyncGenerator<OverdueFact[], void, undefined> {
  return streamRowsOf(
    tx,
    OVERDUE_FACT,
    `select p.connection_id, p.target_external_id, p.kind, p.at, p.webhook_log_id, m.id is not null as is_stored,
       exists (select from webhook_log e where e.id in (p.webhook_log_id, m.batch_id)) as is_in_log
     from pending_facts p
     left join lateral (
       select id, batch_id from messages
       where connection_id = p.connection_id and external_id = p.target_external_id limit 1
     ) m on true
     where p.created_at < $3::timestamptz and ${inScope('p.connection_id')} and ${sinceScope('p.at')}
       -- Nothing is expected of an archived connection.
       and not exists (select from connections c where c.id = p.connection_id and c.archived_at is not null)
     order by p.connection_id, p.target_external_id, p.kind, p.fact_key`,
    [...scopeParameters(scope), new Date(before).toISOString()],
  );
}

const WAMID_ROW = columns({
  connectionId: uuid,
  externalId: text,
  leadId: uuid,
});

/** A message with an id of the Cloud API. */
export type WamidRow = RowOf<typeof WAMID_ROW>;

const PAGE = 5_000;

/** Every message that is called by a wamid. */
export function streamWamids(tx: Sql, scope: Scope): AsyncGenerator<WamidRow[], void, undefined> {
  return streamRowsOf(
    tx,
    WAMID_ROW,
    `select connection_id, external_id, lead_id from messages
     where starts_with(external_id, 'wamid.') and ${inScope('connection_id')} and ${sinceScope('timestamp')}`,
    scopeParameters(scope),
    PAGE,
  );
}

/** Every number that leads are known by: their own, and those of their identities; as they are written there. */
export async function readNumbersOfLeads(
  sql: Sql,
  leadIds: readonly string[],
): Promise<Map<string, string[]>> {
  const numbers = new Map<string, string[]>(leadIds.map((id) => [id, []]));
  if (leadIds.length === 0) return numbers;
  const rows = await sql.query(
    `select id as lead_id, phone_number as number from leads where id = any($1::uuid[]) and phone_number is not null
     union all
     select lead_id, value from lead_identities where lead_id = any($1::uuid[]) and kind in ('phone', 'wa_id')`,
    [arrayLiteral(leadIds)],
  );
  for (const row of rows) numbers.get(textOf(row, 'lead_id'))?.push(textOf(row, 'number'));
  return numbers;
}
