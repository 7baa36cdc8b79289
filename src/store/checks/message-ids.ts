import { integerOf, textOf, textOrNull, timeOf } from '../row.js';
import type { Sql } from '../sql.js';
import { streamRows } from '../stream-rows.js';
import { inScope, scopeParameters, sinceScope, type Scope } from './scope.js';

/** Ids that are there and say nothing. By range first: almost no id sorts before `!`, and comparing is cheaper than trimming. */
export const BLANK_ID = `(external_id < '!' and btrim(external_id, E' \\t\\n\\r\\f\\v') = '')`;

/** One of several rows that have the same id. */
export interface SameIdRow {
  id: string;
  connectionId: string;
  externalId: string;
  conversationId: string;
  /** As it is stored: where the check constraint is missing, any word. */
  direction: string;
  type: string;
  /** MD5 of the text; null without one. */
  bodyHash: string | null;
  mediaId: string | null;
  mediaSha256: string | null;
  /** Edited or revoked: what it shows is not what was sent. */
  isAmended: boolean;
  timestamp: number;
}

/** How many messages there are in a scope. */
export async function countMessages(sql: Sql, scope: Scope): Promise<number> {
  const [row] = await sql.query(
    `select count(*) as messages from messages where ${inScope('connection_id')} and ${sinceScope('timestamp')}`,
    scopeParameters(scope),
  );
  return row === undefined ? 0 : integerOf(row, 'messages');
}

/** Groups of messages with one id on one connection, two rows or more each; nothing where the unique index holds. */
export async function* streamSameIds(tx: Sql, scope: Scope): AsyncGenerator<SameIdRow[], void, undefined> {
  const pages = streamRows(
    tx,
    `select m.id, m.connection_id, m.external_id, m.conversation_id, m.direction, m.type, md5(m.body) as body_hash,
       m.media ->> 'id' as media_id, m.media ->> 'sha256' as media_sha256,
       m.edited_at is not null or m.deleted_at is not null as is_amended, m.timestamp
     from (
       select connection_id, external_id from messages
       where external_id is not null and not ${BLANK_ID} and ${inScope('connection_id')}
       group by connection_id, external_id
       having count(*) > 1 and ${sinceScope('max(timestamp)')}
     ) doubled
     join messages m on m.connection_id = doubled.connection_id and m.external_id = doubled.external_id
     order by m.connection_id, m.external_id, m.timestamp, m.id`,
    scopeParameters(scope),
  );
  let group: SameIdRow[] = [];
  for await (const page of pages) {
    for (const row of page) {
      const next: SameIdRow = {
        id: textOf(row, 'id'),
        connectionId: textOf(row, 'connection_id'),
        externalId: textOf(row, 'external_id'),
        conversationId: textOf(row, 'conversation_id'),
        direction: textOf(row, 'direction'),
        type: textOf(row, 'type'),
        bodyHash: textOrNull(row, 'body_hash'),
        mediaId: textOrNull(row, 'media_id'),
        mediaSha256: textOrNull(row, 'media_sha256'),
        isAmended: row['is_amended'] === true,
        timestamp: timeOf(row, 'timestamp'),
      };
      const [first] = group;
      if (
        first !== undefined &&
        !(first.connectionId === next.connectionId && first.externalId === next.externalId)
      ) {
        yield group;
        group = [];
      }
      group.push(next);
    }
  }
  if (group.length > 0) yield group;
}

/** One message that is stored under both of its names (rule M10). */
export interface TwinRows {
  connectionId: string;
  wamid: string;
  keyId: string;
  /** How far apart their times are, ms. */
  apart: number;
}

/** Pairs of a wamid's row and a WhatsApp Web row with the key id inside that wamid, in one conversation and direction. */
export async function* streamTwins(
  tx: Sql,
  scope: Scope,
  toleranceMs: number,
): AsyncGenerator<TwinRows[], void, undefined> {
  const pages = streamRows(
    tx,
    // One line for each row of WhatsApp Web, however often the wamid is there.
    `select distinct on (web.id) cloud.connection_id, cloud.external_id as wamid, web.external_id as key_id,
       round(abs(extract(epoch from cloud.timestamp - web.timestamp)) * 1000)::int as apart
     from messages web
     join messages cloud on cloud.stanza_id = web.external_id and cloud.conversation_id = web.conversation_id
     where ${inScope('web.connection_id')} and ${sinceScope('web.timestamp')}
       and web.external_id not like 'wamid.%' and cloud.external_id like 'wamid.%'
       and cloud.connection_id = web.connection_id and cloud.direction = web.direction
       and cloud.timestamp between web.timestamp - $3::int * interval '1 ms' and web.timestamp + $3::int * interval '1 ms'
     order by web.id, cloud.id`,
    [...scopeParameters(scope), toleranceMs],
  );
  for await (const page of pages) {
    yield page.map((row) => ({
      connectionId: textOf(row, 'connection_id'),
      wamid: textOf(row, 'wamid'),
      keyId: textOf(row, 'key_id'),
      apart: integerOf(row, 'apart'),
    }));
  }
}

/** A message without an id. */
export interface WithoutIdRow {
  id: string;
  connectionId: string;
  isNull: boolean;
  /** The id of a message that says the same in the same conversation within the tolerance; null if there is none. */
  twin: string | null;
}

export async function* streamWithoutId(
  tx: Sql,
  scope: Scope,
  toleranceMs: number,
): AsyncGenerator<WithoutIdRow[], void, undefined> {
  const pages = streamRows(
    tx,
    `select m.id, m.connection_id, m.external_id is null as is_null, twin.external_id as twin
     from messages m
     left join lateral (
       select t.external_id from messages t
       where t.conversation_id = m.conversation_id
         and t.timestamp between m.timestamp - $3::int * interval '1 ms' and m.timestamp + $3::int * interval '1 ms'
         and t.direction = m.direction and t.type = m.type
         and t.body is not distinct from m.body and t.media is not distinct from m.media
         and t.external_id is not null and not ${BLANK_ID.replaceAll('external_id', 't.external_id')}
       order by t.external_id limit 1
     ) twin on true
     where (m.external_id is null or ${BLANK_ID.replaceAll('external_id', 'm.external_id')})
       and ${inScope('m.connection_id')} and ${sinceScope('m.timestamp')}`,
    [...scopeParameters(scope), toleranceMs],
  );
  for await (const page of pages) {
    yield page.map((row) => ({
      id: textOf(row, 'id'),
      connectionId: textOf(row, 'connection_id'),
      isNull: row['is_null'] === true,
      twin: textOrNull(row, 'twin'),
    }));
  }
}

/** A reject for a collision, as replay keeps it on record (rule M9). */
export interface CollisionRecord {
  connectionId: string | null;
  externalId: string | null;
  webhookLogId: string;
  path: string;
}

export async function* streamCollisionRecords(
  tx: Sql,
  scope: Scope,
): AsyncGenerator<CollisionRecord[], void, undefined> {
  const pages = streamRows(
    tx,
    `select connection_id, external_id, webhook_log_id, path from rejects
     where reason = 'id_collision' and ${inScope('connection_id')} and ${sinceScope('created_at')}
     order by id`,
    scopeParameters(scope),
  );
  for await (const page of pages) {
    yield page.map((row) => ({
      connectionId: textOrNull(row, 'connection_id'),
      externalId: textOrNull(row, 'external_id'),
      webhookLogId: textOf(row, 'webhook_log_id'),
      path: textOf(row, 'path'),
    }));
  }
}
