import { MEDIA_STATES } from '../../model/enumerations.js';
import {
  bigint,
  columnNames,
  columns,
  excluded,
  insertRows,
  integer,
  orNull,
  rowsOf,
  text,
  time,
  uuid,
  without,
  word,
  type RowOf,
} from '../columns.js';
import type { Sql, SqlParameter } from '../sql.js';

const MEDIA_FILE = columns({
  connectionId: uuid,
  mediaId: text,
  messageId: text,
  state: word(MEDIA_STATES),
  attempts: integer,
  firstTriedAt: time,
  triedAt: time,
  sha256: orNull(text),
  size: orNull(bigint),
  mimeType: orNull(text),
  path: orNull(text),
  fetchedAt: orNull(time),
  error: orNull(text),
});

/** What became of one file. Times are ms since 1970. */
export type MediaFileRow = RowOf<typeof MEDIA_FILE>;

/** Ids of media that came by webhook live so long at Meta. */
export const MEDIA_LIFE_DAYS = 7;

const NAMED_MEDIA = columns({
  connectionId: uuid,
  mediaId: text,
  messageId: text,
  type: text,
  mimeType: orNull(text),
  /** As the webhook says it. */
  sha256: orNull(text),
  at: time,
  /** When Meta forgets it, as far as the log tells. */
  expiresAt: time,
  state: word(MEDIA_STATES),
  attempts: integer,
  firstTriedAt: orNull(time),
});

/** A file that a message names, with what became of it. Times are ms since 1970. */
export type NamedMedia = RowOf<typeof NAMED_MEDIA>;

/** Which files; null is any. Times are ms since 1970. */
export interface MediaChoice {
  connectionId: string | null;
  leadId: string | null;
  since: number | null;
  until: number | null;
  type: string | null;
}

/**
 * Every file that a message of the Cloud API names by its id, once, with its state; `expired` also where nobody has asked and the
 * time is over. What was revoked is not among them. `where`: which messages `m`; `now`: the parameter.
 */
export function namedMedia(where: string, now: string): string {
  return `
  select n.*, coalesce(f.attempts, 0) as attempts, f.first_tried_at, f.tried_at, f.size,
    case when coalesce(f.state, 'owed') = 'owed' and n.expires_at <= ${now}::timestamptz then 'expired'
      else coalesce(f.state, 'owed') end as state
  from (
    select m.connection_id, m.media ->> 'id' as media_id, min(m.external_id) as message_id, min(m.type) as type,
      min(m.media ->> 'mimeType') as mime_type, min(m.media ->> 'sha256') as sha256, min(m.timestamp) as at,
      min(coalesce(e.received_at, m.timestamp)) + interval '${MEDIA_LIFE_DAYS} days' as expires_at
    from messages m left join webhook_log e on e.id = m.batch_id
    where jsonb_typeof(m.media) = 'object' and m.media ->> 'id' is not null and m.deleted_at is null
      and m.external_id like 'wamid.%'
      and ${where}
    group by 1, 2) n
  left join media_files f on f.connection_id = n.connection_id and f.media_id = n.media_id`;
}

/** By a choice: `$1` to `$5`; `$6` is now. */
const CHOSEN = namedMedia(
  `($1::uuid is null or m.connection_id = $1::uuid) and ($2::uuid is null or m.lead_id = $2::uuid)
      and ($3::timestamptz is null or m.timestamp >= $3::timestamptz)
      and ($4::timestamptz is null or m.timestamp < $4::timestamptz) and ($5::text is null or m.type = $5::text)`,
  '$6',
);

export const ALL_MEDIA: MediaChoice = {
  connectionId: null,
  leadId: null,
  since: null,
  until: null,
  type: null,
};

export function mediaParameters(
  { connectionId, leadId, since, until, type }: MediaChoice,
  now: number,
): SqlParameter[] {
  const date = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));
  return [connectionId, leadId, date(since), date(until), type, new Date(now)];
}

/** The next files to fetch, the soonest to expire first. `again`: also what was refused, was wrong or should be gone. */
export async function readOwedMedia(
  sql: Sql,
  choice: MediaChoice,
  { now, notSince, again, limit }: { now: number; notSince: number; again: boolean; limit: number },
): Promise<NamedMedia[]> {
  const rows = await sql.query(
    `select ${columnNames(NAMED_MEDIA)} from (${CHOSEN}) named
     where (tried_at is null or tried_at < $7::timestamptz)
       and (state = 'owed' or ($8::boolean and state <> 'fetched'))
     order by expires_at, connection_id, media_id limit $9::integer`,
    [...mediaParameters(choice, now), new Date(notSince), again, limit],
  );
  return rowsOf(NAMED_MEDIA, rows);
}

const MEDIA_COUNT = columns({
  connectionId: uuid,
  state: word(MEDIA_STATES),
  files: integer,
  bytes: bigint,
  /** When the first of them expires. */
  firstExpiresAt: time,
  /** Of those that expired, or are about to, since the connection's media are fetched here. */
  due: integer,
  firstDueAt: orNull(time),
});

/** How many files of a connection are in one state. Times are ms since 1970. */
export type MediaCount = RowOf<typeof MEDIA_COUNT>;

/** Files that nobody has so long before they are gone are about to expire. */
export const MEDIA_DUE_MS = 24 * 3_600_000;

/** Since when the media of a connection are fetched by this tool. */
export const FETCHING_BEGAN = '(select connection_id, min(first_tried_at) as at from media_files group by 1)';

/**
 * Counts by connection and state. A file is `due` where the media of its connection are fetched by this tool, and it expires within
 * a day or has expired since that began: what another program fetches is nobody's loss.
 */
export async function countMedia(sql: Sql, choice: MediaChoice, now: number): Promise<MediaCount[]> {
  const due = `state in ('owed', 'expired') and expires_at <= $7::timestamptz and expires_at > began.at`;
  const rows = await sql.query(
    `select named.connection_id, state, count(*)::integer as files, coalesce(sum(size), 0)::bigint as bytes,
       min(expires_at) as first_expires_at, (count(*) filter (where ${due}))::integer as due,
       min(expires_at) filter (where ${due}) as first_due_at
     from (${CHOSEN}) named
     left join ${FETCHING_BEGAN} began on began.connection_id = named.connection_id
     group by 1, 2 order by 1, 2`,
    [...mediaParameters(choice, now), new Date(now + MEDIA_DUE_MS)],
  );
  return rowsOf(MEDIA_COUNT, rows);
}

/** Whether this tool has ever asked for a file: counting all that messages name takes a pass over them. */
export async function hasMediaFiles(sql: Sql): Promise<boolean> {
  return (await sql.query('select from media_files limit 1')).length > 0;
}

/** Records what became of a file, in the place of what was known before. */
export async function recordMediaFile(sql: Sql, row: MediaFileRow): Promise<void> {
  const changed = without(MEDIA_FILE, 'connectionId', 'mediaId', 'firstTriedAt');
  await insertRows(
    sql,
    'media_files',
    MEDIA_FILE,
    [row],
    `on conflict (connection_id, media_id) do update set ${excluded(changed)}`,
  );
}
