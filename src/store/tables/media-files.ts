import { MEDIA_STATES } from '../../model/enumerations.js';
import {
  bigint,
  boolean,
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
import { arrayLiteral } from '../array-literal.js';
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

/** The state of one file. Times are ms since 1970. */
export type MediaFileRow = RowOf<typeof MEDIA_FILE>;

/** How long media ids from webhooks live at Meta. */
export const MEDIA_LIFE_DAYS = 7;

/** Meta sends history files only for messages of the last this many days. */
export const MEDIA_WINDOW_DAYS = 14;

/** Where to get a file: from Meta by an id, or from WhatsApp Web by a path and a key. */
const MEDIA_ROUTES = ['meta', 'web'] as const;

const NAMED_MEDIA = columns({
  connectionId: uuid,
  mediaId: text,
  messageId: text,
  route: word(MEDIA_ROUTES),
  type: text,
  mimeType: orNull(text),
  /** As stated in the message. */
  sha256: orNull(text),
  at: time,
  /** When Meta forgets it, according to the log; null for WhatsApp Web, which never says. */
  expiresAt: orNull(time),
  state: word(MEDIA_STATES),
  attempts: integer,
  firstTriedAt: orNull(time),
  /** Of the stored file, or as announced. */
  size: orNull(bigint),
  /** Of WhatsApp Web. */
  directPath: orNull(text),
  mediaKey: orNull(text),
});

/** A file named by a message, with its state. Times are ms since 1970. */
export type NamedMedia = RowOf<typeof NAMED_MEDIA>;

/** Which files; null is any. Times are ms since 1970. An unknown size counts as fitting. */
export interface MediaChoice {
  connectionId: string | null;
  leadId: string | null;
  since: number | null;
  until: number | null;
  type: string | null;
  minBytes: number | null;
  maxBytes: number | null;
}

/** An entry that renews a history file is small; a history chunk, which is not searched for it, is not. */
const LARGEST_RENEWAL = 256 * 1024;

/**
 * When the webhook arrived that named the file of a history message. Often not the message's own, but a follow-up.
 * Looks up only those that may still be alive. `now`: the parameter.
 */
const renewedAt = (now: string): string => `(
      select max(coalesce(w.received_at, w.created_at)) from webhook_log w
      where m.source = 'history' and m.media ->> 'id' is not null
        and m.timestamp > ${now}::timestamptz - interval '${MEDIA_WINDOW_DAYS + MEDIA_LIFE_DAYS} days'
        and w.chat_ids && array(select i.value from lead_identities i where i.lead_id = m.lead_id)
        and octet_length(w.raw_body) <= ${LARGEST_RENEWAL}
        and position(convert_to(m.media ->> 'id', 'UTF8') in w.raw_body) > 0)`;

/** When Meta forgets a message's file: a history file was sent within the window, whenever its webhook was stored. */
const expiry = (now: string): string => `case when m.media ->> 'id' is null then null
      when m.source = 'history' then least(
        m.timestamp + interval '${MEDIA_WINDOW_DAYS} days',
        coalesce(${renewedAt(now)}, e.received_at, e.created_at, m.timestamp))
      else coalesce(e.received_at, m.timestamp) end + interval '${MEDIA_LIFE_DAYS} days'`;

/**
 * Every file named by a message, once, with its state: for the Cloud API by its id, for WhatsApp Web by its path and
 * key, under
 * `web:` and the message id. `expired` also if nobody asked and the time is over, and never
 * before: another program's word of it hides no file that lives. Excludes revoked messages.
 * `where`: which messages `m`; `now`: the parameter.
 */
export function namedMedia(where: string, now: string): string {
  return `
  select n.*, coalesce(f.attempts, 0) as attempts, f.first_tried_at, f.tried_at, coalesce(f.size, n.announced) as size,
    f.path, f.fetched_at, f.error,
    case when coalesce(f.state, 'owed') not in ('owed', 'expired') or n.expires_at is null then coalesce(f.state, 'owed')
      when n.expires_at <= ${now}::timestamptz then 'expired' else 'owed' end as state
  from (
    select m.connection_id, coalesce(m.media ->> 'id', 'web:' || m.external_id) as media_id,
      min(m.external_id) as message_id, case when m.media ->> 'id' is null then 'web' else 'meta' end as route,
      min(m.type) as type, min(m.media ->> 'mimeType') as mime_type, min(m.media ->> 'sha256') as sha256,
      min(m.timestamp) as at, max(${expiry(now)}) as expires_at,
      min(m.raw_meta -> 'mediaKeys' ->> 'directPath') as direct_path, min(m.raw_meta -> 'mediaKeys' ->> 'mediaKey') as media_key,
      min(case when jsonb_typeof(m.raw_meta -> 'mediaKeys' -> 'fileLength') = 'number'
        then (m.raw_meta -> 'mediaKeys' ->> 'fileLength')::numeric::bigint end) as announced
    from messages m left join webhook_log e on e.id = m.batch_id
    where jsonb_typeof(m.media) = 'object' and m.deleted_at is null
      and (m.media ->> 'id' is not null and m.external_id like 'wamid.%'
        or m.media ->> 'id' is null and m.external_id is not null
          and m.raw_meta -> 'mediaKeys' ->> 'directPath' is not null
          and m.raw_meta -> 'mediaKeys' ->> 'mediaKey' is not null)
      and ${where}
    group by 1, 2, 4) n
  left join media_files f on f.connection_id = n.connection_id and f.media_id = n.media_id`;
}

/**
 * The same for people and programs that read the database by SQL: the view `media_status` of the migrations. Where this
 * changes, a migration has to replace the view; a test compares them. Without the keys of WhatsApp Web's files.
 */
export const MEDIA_STATUS_VIEW = `create view media_status as
select connection_id, media_id, message_id, state, expires_at, route, type, at as sent_at, mime_type, sha256, size, attempts,
  tried_at, path, fetched_at, error
from (${namedMedia('true', 'now()')}) named;`;

/** The selection's parameters: `$1` to `$7`; `$8` is now. */
const CHOSEN = `
  select * from (${namedMedia(
    `($1::uuid is null or m.connection_id = $1::uuid) and ($2::uuid is null or m.lead_id = $2::uuid)
      and ($3::timestamptz is null or m.timestamp >= $3::timestamptz)
      and ($4::timestamptz is null or m.timestamp < $4::timestamptz) and ($5::text is null or m.type = $5::text)`,
    '$8',
  )}) chosen
  where ($6::bigint is null or size is null or size >= $6::bigint)
    and ($7::bigint is null or size is null or size <= $7::bigint)`;

export const ALL_MEDIA: MediaChoice = {
  connectionId: null,
  leadId: null,
  since: null,
  until: null,
  type: null,
  minBytes: null,
  maxBytes: null,
};

function mediaParameters(
  { connectionId, leadId, since, until, type, minBytes, maxBytes }: MediaChoice,
  now: number,
): SqlParameter[] {
  const date = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));
  return [connectionId, leadId, date(since), date(until), type, minBytes, maxBytes, new Date(now)];
}

/** The next files to fetch, soonest to expire first. `again`: includes those refused, wrong or supposedly gone. */
export async function readOwedMedia(
  sql: Sql,
  choice: MediaChoice,
  {
    route,
    now,
    notSince,
    again,
    limit,
  }: { route: NamedMedia['route']; now: number; notSince: number; again: boolean; limit: number },
): Promise<NamedMedia[]> {
  const rows = await sql.query(
    `select ${columnNames(NAMED_MEDIA)} from (${CHOSEN}) named
     where route = $12 and (tried_at is null or tried_at < $9::timestamptz)
       and (state = 'owed' or ($10::boolean and state <> 'fetched'))
     order by expires_at, at desc, connection_id, media_id limit $11::integer`,
    [...mediaParameters(choice, now), new Date(notSince), again, limit, route],
  );
  return rowsOf(NAMED_MEDIA, rows);
}

const LISTED_MEDIA = columns({
  mediaId: text,
  messageId: text,
  state: word(MEDIA_STATES),
  expiresAt: orNull(time),
  type: text,
  at: time,
  size: orNull(bigint),
  attempts: integer,
  triedAt: orNull(time),
  path: orNull(text),
  error: orNull(text),
});

/** A file named by a message, as it is listed for people. Times are ms since 1970. */
export type ListedMedia = RowOf<typeof LISTED_MEDIA>;

/** The files in one state, or all, soonest to expire first. */
export async function listMedia(
  sql: Sql,
  choice: MediaChoice,
  state: ListedMedia['state'] | null,
  now: number,
): Promise<ListedMedia[]> {
  const rows = await sql.query(
    `select ${columnNames(LISTED_MEDIA)} from (${CHOSEN}) named where $9::text is null or state = $9::text
     order by expires_at, at, media_id`,
    [...mediaParameters(choice, now), state],
  );
  return rowsOf(LISTED_MEDIA, rows);
}

const MEDIA_COUNT = columns({
  connectionId: uuid,
  route: word(MEDIA_ROUTES),
  state: word(MEDIA_STATES),
  files: integer,
  /** Of those with a known size. */
  bytes: bigint,
  sized: integer,
  /** When the first of them expires; null if unknown. */
  firstExpiresAt: orNull(time),
  /** Of the newest of their messages. */
  lastAt: time,
  /** This tool was told to fetch the connection's media. */
  isFetched: boolean,
  /**
   * What a person must know about: about to expire, or expired, refused or wrong, since this tool began to fetch the
   * connection's media.
   */
  due: integer,
  firstDueAt: orNull(time),
});

/** Number of a connection's files in one state. Times are ms since 1970. */
export type MediaCount = RowOf<typeof MEDIA_COUNT>;

/** Missing files with less than this left are about to expire. */
export const MEDIA_DUE_MS = 24 * 3_600_000;

/** When this tool was first told to fetch a connection's media, whatever the result. */
const FETCHING = `
  select connection_id, first_tried_at as at from media_files
  union all
  select l.connection_id, l.started_at from sync_logs l join sync_runs r on r.id = l.run_id where r.command = 'media fetch'`;

/** Since when this tool fetches each connection's media. */
export const FETCHING_BEGAN = `(select connection_id, min(at) as at from (${FETCHING}) told group by 1)`;

/**
 * Whether a file needs a person: it was refused or is wrong, or it expires before `soon` or has since this tool began
 * to fetch the connection's media; files that another program fetches are not a loss. WhatsApp Web does not say when a
 * file ends: counts one that came after that and was gone when requested. For `namedMedia` and FETCHING_BEGAN as
 * `began`.
 */
export function isDueMedia(media: string, soon: string): string {
  return `(${media}.state in ('denied', 'mismatch')
    or ${media}.state in ('owed', 'expired') and ${media}.expires_at <= ${soon}::timestamptz and ${media}.expires_at > began.at
    or ${media}.state = 'expired' and ${media}.route = 'web' and ${media}.at > began.at)`;
}

/** Counts by connection, route and state. `lost`: fetched files, by media id, to count as owed again. */
export async function countMedia(
  sql: Sql,
  choice: MediaChoice,
  now: number,
  lost: readonly string[] = [],
): Promise<MediaCount[]> {
  const due = isDueMedia('named', '$9');
  const rows = await sql.query(
    `select named.connection_id, route, state, count(*)::integer as files, coalesce(sum(size), 0)::bigint as bytes,
       count(size)::integer as sized, min(expires_at) as first_expires_at, max(named.at) as last_at,
       bool_or(began.at is not null) as is_fetched, (count(*) filter (where ${due}))::integer as due,
       min(expires_at) filter (where ${due}) as first_due_at
     from (
       select connection_id, route, at, expires_at, size,
         case when state <> 'fetched' or media_id not in (select unnest($10::text[])) then state
           when expires_at <= $8::timestamptz then 'expired' else 'owed' end as state
       from (${CHOSEN}) chosen) named
     left join ${FETCHING_BEGAN} began on began.connection_id = named.connection_id
     group by 1, 2, 3 order by 1, 2, 3`,
    [...mediaParameters(choice, now), new Date(now + MEDIA_DUE_MS), arrayLiteral(lost)],
  );
  return rowsOf(MEDIA_COUNT, rows);
}

/** Whether this tool was ever told to fetch files. */
export async function isFetchingMedia(sql: Sql): Promise<boolean> {
  return (await sql.query(`select from (${FETCHING}) told limit 1`)).length > 0;
}

const MEDIA_RUN = columns({ connectionId: uuid, at: time });

/** When each connection's media were last fetched by a run that did not fail. Times are ms since 1970. */
export async function readMediaRuns(sql: Sql): Promise<RowOf<typeof MEDIA_RUN>[]> {
  const rows = await sql.query(
    `select l.connection_id, max(l.completed_at) as at from sync_logs l join sync_runs r on r.id = l.run_id
     where r.command = 'media fetch' and l.status in ('completed', 'partial') and l.completed_at is not null group by 1`,
  );
  return rowsOf(MEDIA_RUN, rows);
}

/** Records the state of a file, replacing the earlier one. */
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

const KEPT_MEDIA = columns({ mediaId: text, path: text, size: orNull(bigint), sha256: orNull(text) });

/** A file on record as fetched, and where it is kept. */
export type KeptMedia = RowOf<typeof KEPT_MEDIA>;

/** The fetched files of a connection whose path begins with `below`, in the order of their ids, after one of them. */
export async function readKeptMedia(
  sql: Sql,
  {
    connectionId,
    below,
    after,
    limit,
  }: { connectionId: string; below: string; after: string; limit: number },
): Promise<KeptMedia[]> {
  const rows = await sql.query(
    `select ${columnNames(KEPT_MEDIA)} from media_files
     where connection_id = $1::uuid and state = 'fetched' and starts_with(path, $2) and media_id > $3
     order by media_id limit $4::integer`,
    [connectionId, below, after, limit],
  );
  return rowsOf(KEPT_MEDIA, rows);
}

/** A SHA-256 in a webhook (base64) or of Meta's answer (hexadecimal), in hexadecimal; null if it is neither. SQL. */
export const hexOfHash = (hash: string): string => `case
      when ${hash} ~ '^[0-9a-fA-F]{64}$' then lower(${hash})
      when ${hash} ~ '^[A-Za-z0-9+/_-]{43}=?$'
        then encode(decode(translate(rtrim(${hash}, '='), '-_', '+/') || '=', 'base64'), 'hex') end`;

/** What a record of a file says that cannot be. */
export const MEDIA_FAULTS = ['no_hash', 'other_hash', 'no_path', 'other_path', 'expires_later'] as const;

const SEPARATOR = String.raw`[/\\]`;
const ABSOLUTE = String.raw`^(/|[A-Za-z]:|\\\\)`;
const EXTENSION = '[.][a-z0-9]+$';
/** Where a file is kept below its directory, whatever its hash. */
const KEPT_AT = `${SEPARATOR}[0-9a-f]{2}${SEPARATOR}[0-9a-f]{64}${EXTENSION}`;

/**
 * Records that contradict the messages, the clock or themselves: another program wrote them. Those of a kept file are
 * under its own hash, which is the message's. `where`: which messages `m`; `now`: the parameter.
 */
export function faultyMedia(where: string, now: string): string {
  return `
  select * from (
    select n.connection_id, n.media_id, n.message_id, n.type, n.at, f.state, f.path,
      case when f.path ~ '${ABSOLUTE}' and f.path ~ '${KEPT_AT}' then regexp_replace(f.path, '${KEPT_AT}', '') end as directory,
      case
        when f.state = 'expired' and n.expires_at > ${now}::timestamptz then 'expires_later'
        when f.state <> 'fetched' then null
        when f.sha256 is null or f.sha256 !~ '^[0-9a-f]{64}$' then 'no_hash'
        when f.sha256 <> ${hexOfHash('n.sha256')} then 'other_hash'
        when f.path is null then 'no_path'
        when f.path !~ '${ABSOLUTE}' or f.path ~ '${SEPARATOR}[.][.]${SEPARATOR}'
          or f.path !~ ('${SEPARATOR}' || left(f.sha256, 2) || '${SEPARATOR}' || f.sha256 || '${EXTENSION}') then 'other_path'
      end as fault
    from (${namedMedia(
      `${where} and exists (select from media_files k where k.connection_id = m.connection_id
        and k.media_id = coalesce(m.media ->> 'id', 'web:' || m.external_id))`,
      now,
    )}) n
    join media_files f on f.connection_id = n.connection_id and f.media_id = n.media_id) judged
  where fault is not null`;
}

const FAULTY_KEPT = columns({ mediaId: text, path: orNull(text), directory: orNull(text) });

/**
 * The files of a connection that are on record as fetched, by a record that cannot be. `directory`: where such a file may
 * be all the same.
 */
export async function readFaultyKept(
  sql: Sql,
  connectionId: string,
  now: number,
): Promise<RowOf<typeof FAULTY_KEPT>[]> {
  const rows = await sql.query(
    `select ${columnNames(FAULTY_KEPT)} from (${faultyMedia('m.connection_id = $1::uuid', '$2')}) faulty
     where state = 'fetched' order by media_id`,
    [connectionId, new Date(now)],
  );
  return rowsOf(FAULTY_KEPT, rows);
}

/** Marks fetched files as owed again, unless another run has kept them elsewhere meanwhile. */
export async function markMediaLost(
  sql: Sql,
  connectionId: string,
  files: readonly { mediaId: string; path: string | null; error: string }[],
): Promise<void> {
  await sql.execute(
    `update media_files f set state = 'owed', path = null, fetched_at = null, error = lost.error
     from unnest($2::text[], $3::text[], $4::text[]) as lost (media_id, path, error)
     where f.connection_id = $1::uuid and f.media_id = lost.media_id and f.path is not distinct from lost.path and f.state = 'fetched'`,
    [
      connectionId,
      arrayLiteral(files.map(({ mediaId }) => mediaId)),
      arrayLiteral(files.map(({ path }) => path)),
      arrayLiteral(files.map(({ error }) => error)),
    ],
  );
}
