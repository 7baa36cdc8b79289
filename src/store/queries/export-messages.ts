import { MESSAGE_STATUSES, SYNC_SOURCES, MEDIA_STATES } from '../../model/enumerations.js';
import { arrayLiteral } from '../array-literal.js';
import {
  bigint,
  boolean,
  columnNames,
  columns,
  jsonObject,
  named,
  orNull,
  rowsOf,
  text,
  uuid,
  word,
  time,
  type RowOf,
} from '../columns.js';
import type { Sql } from '../sql.js';
import { keyParameters, type MessageKey } from '../tables/messages.js';
import { PAGE, providerOf, type TimeWindow } from './message-pages.js';

const EXPORTED = columns({
  ...PAGE,
  conversationId: uuid,
  leadId: uuid,
  stanzaId: orNull(text),
  historyStatus: orNull(word(MESSAGE_STATUSES)),
  syncSource: word(SYNC_SOURCES),
  isSyncInitial: boolean,
  entryId: named('batch_id', orNull(uuid)),
  runId: orNull(uuid),
  editExternalId: orNull(text),
  metaConfirmedAt: orNull(time),
  rawMeta: orNull(jsonObject),
  /** Also keys that another program added. */
  wholeMedia: named('media', orNull(jsonObject)),
  /** The time as the database writes it: to go on after this row, also where no reader takes the time. */
  position: text,
});

/** Everything that is stored of a message. */
export type ExportedRow = RowOf<typeof EXPORTED>;

const OWN = EXPORTED.filter(({ key }) => key !== 'position' && key !== 'provider' && key !== 'wholeMedia');

/** For a transaction that reads conversations in order: pages follow the index, however long a conversation is. */
export async function prepareOrder(tx: Sql): Promise<void> {
  // The planner assumes average conversations, and would read and sort all of a long one for every page.
  await tx.query(
    `select set_config('enable_sort', 'off', true), set_config('enable_seqscan', 'off', true),
       set_config('enable_bitmapscan', 'off', true), set_config('jit', 'off', true)`,
  );
}

/** The next `limit` messages of these conversations in the window, oldest first, after one of them. */
export async function readMessagesInOrder(
  sql: Sql,
  conversationIds: readonly string[],
  { from, to }: TimeWindow,
  {
    after,
    limit,
    adopted,
  }: { after: Pick<ExportedRow, 'position' | 'id'> | undefined; limit: number; adopted: string },
): Promise<ExportedRow[]> {
  const rows = await sql.query(
    `select m.*, m.timestamp::text as position from unnest($1::uuid[]) as c (id)
     cross join lateral (
       select ${columnNames(OWN)}, ${providerOf(adopted)}
       from messages
       where conversation_id = c.id and timestamp >= $2::timestamptz and ($3::timestamptz is null or timestamp < $3::timestamptz)
         and ($4::uuid is null or (timestamp, id) > ($2::timestamptz, $4::uuid))
       order by timestamp, id limit $5::integer
     ) m
     order by m.timestamp, m.id limit $5::integer`,
    [
      arrayLiteral(conversationIds),
      after?.position ?? (from === undefined ? '-infinity' : new Date(from).toISOString()),
      to === undefined ? null : new Date(to).toISOString(),
      after?.id ?? null,
      limit,
    ],
  );
  return rowsOf(EXPORTED, rows);
}

const CONVERSATION = columns({
  id: uuid,
  connectionId: uuid,
  connectionName: text,
  connectionPhone: orNull(text),
  lastSyncAt: orNull(time),
  leadId: uuid,
  organization: text,
  name: orNull(text),
  phone: orNull(text),
});

/** A conversation of anybody, with its lead and its connection. */
export type AnyConversation = RowOf<typeof CONVERSATION>;

/** The next conversations by id, on one connection or on all. */
export async function readConversationsInOrder(
  sql: Sql,
  { connectionId, after, limit }: { connectionId: string | null; after: string | undefined; limit: number },
): Promise<AnyConversation[]> {
  const rows = await sql.query(
    `select v.id, c.id as connection_id, c.name as connection_name, c.display_phone_number as connection_phone,
       c.last_sync_at, l.id as lead_id, o.slug as organization, l.push_name as name, l.phone_number as phone
     from conversations v join connections c on c.id = v.connection_id
       join leads l on l.id = v.lead_id join organizations o on o.id = l.organization_id
     where ($1::uuid is null or c.id = $1::uuid) and ($2::uuid is null or v.id > $2::uuid)
     order by v.id limit $3::integer`,
    [connectionId, after ?? null, limit],
  );
  return rowsOf(CONVERSATION, rows);
}

const FILE = columns({
  connectionId: uuid,
  mediaId: text,
  state: word(MEDIA_STATES),
  sha256: orNull(text),
  size: orNull(bigint),
  mimeType: orNull(text),
  path: orNull(text),
});

/** What became of a file that a message names, and where it is kept. */
export type FileOfMessage = RowOf<typeof FILE>;

/** The files with these media ids; without those that nobody has asked for yet. */
export async function readFilesOf(sql: Sql, keys: readonly MessageKey[]): Promise<FileOfMessage[]> {
  if (keys.length === 0) return [];
  const rows = await sql.query(
    `select ${columnNames(FILE, 'f')} from unnest($1::uuid[], $2::text[]) as k (connection_id, media_id)
     join media_files f on f.connection_id = k.connection_id and f.media_id = k.media_id`,
    keyParameters(keys),
  );
  return rowsOf(FILE, rows);
}
