import type { SqliteRow } from './sqlite.js';

/** The columns of each table of a database. */
export type Tables = ReadonlyMap<string, ReadonlySet<string>>;

/** How a program keeps messages in SQLite, and how its rows become entries. */
export interface DatabaseLayout {
  /** The key of its entries, and what stands under it for messages and for people. */
  key: string;
  people: string;
  /** The highest number of a message's row, as `last`. */
  lastSql: string;
  /** People in a fixed order, from the one with the number `?`; undefined when there are none. */
  peopleSql: string | undefined;
  /** Messages in the order of their rows, after the row `?`, which is the column `rowid`. */
  messagesSql: string;
}

/** undefined for a database of another program. */
export function layoutOf(tables: Tables): DatabaseLayout | undefined {
  return wacli(tables) ?? chatStorage(tables);
}

function has(tables: Tables, table: string, ...columns: string[]): boolean {
  const own = tables.get(table);
  return own !== undefined && columns.every((column) => own.has(column));
}

/** Columns that say where wacli keeps a file, and what it calls a chat today: they change, and say nothing about the message. */
const LOCAL_COLUMNS = new Set(['rowid', 'chat_name', 'local_path', 'downloaded_at', 'media_unavailable_at']);
const NAME_COLUMNS = ['jid', 'push_name', 'full_name', 'first_name', 'business_name', 'system_name'];
/** Tables that say more about a message; their columns come with a prefix, by which {@link partsOf} tells them apart. */
const BESIDE = [
  ['location', 'message_locations'],
  ['poll', 'polls'],
] as const;
const KEY_COLUMNS = new Set(['chat_jid', 'msg_id', 'sender_jid']);

function wacli(tables: Tables): DatabaseLayout | undefined {
  if (!has(tables, 'messages', 'chat_jid', 'msg_id', 'sender_jid', 'ts', 'from_me')) return undefined;
  const columns = [...(tables.get('messages') ?? [])]
    .filter((column) => !LOCAL_COLUMNS.has(column))
    .map((column) => `m."${column}" as "${column}"`);
  const joins: string[] = [];
  for (const [prefix, table] of BESIDE) {
    const own = [...(tables.get(table) ?? [])].filter((column) => !KEY_COLUMNS.has(column));
    if (own.length === 0) continue;
    columns.push(...own.map((column) => `${prefix}."${column}" as "${prefix}:${column}"`));
    joins.push(
      `left join ${table} ${prefix} on ${prefix}.chat_jid = m.chat_jid and ${prefix}.msg_id = m.msg_id`,
    );
  }
  const names = NAME_COLUMNS.filter((column) => has(tables, 'contacts', column));
  return {
    key: 'wacli',
    people: 'contacts',
    lastSql: 'select max(rowid) as last from messages',
    peopleSql: names.includes('jid')
      ? `select ${names.join(', ')} from contacts order by jid limit -1 offset ?`
      : undefined,
    messagesSql: `select m.rowid as rowid, ${columns.join(', ')} from messages m ${joins.join(' ')}
      where m.rowid > ? order by m.rowid`,
  };
}

const MESSAGE_COLUMNS = ['ZSTANZAID', 'ZISFROMME', 'ZMESSAGEDATE', 'ZMESSAGETYPE', 'ZMESSAGESTATUS', 'ZTEXT'];
const MEDIA_COLUMNS = [
  'ZTITLE',
  'ZVCARDNAME',
  'ZVCARDSTRING',
  'ZLATITUDE',
  'ZLONGITUDE',
  'ZFILESIZE',
  // A protobuf; the message that is quoted stands first in it.
  'ZMETADATA',
];

/** ChatStorage.sqlite: the database of WhatsApp itself on an iPhone. */
function chatStorage(tables: Tables): DatabaseLayout | undefined {
  if (!has(tables, 'ZWAMESSAGE', 'Z_PK', 'ZSTANZAID', 'ZISFROMME', 'ZMESSAGEDATE', 'ZCHATSESSION'))
    return undefined;
  if (!has(tables, 'ZWACHATSESSION', 'Z_PK', 'ZCONTACTJID')) return undefined;
  const columns = MESSAGE_COLUMNS.filter((column) => has(tables, 'ZWAMESSAGE', column)).map(
    (column) => `m.${column} as ${column}`,
  );
  const joins = ['left join ZWACHATSESSION s on s.Z_PK = m.ZCHATSESSION'];
  if (has(tables, 'ZWAMESSAGE', 'ZGROUPMEMBER') && has(tables, 'ZWAGROUPMEMBER', 'Z_PK', 'ZMEMBERJID')) {
    joins.push('left join ZWAGROUPMEMBER g on g.Z_PK = m.ZGROUPMEMBER');
    columns.push('g.ZMEMBERJID as ZMEMBERJID');
  }
  if (has(tables, 'ZWAMEDIAITEM', 'ZMESSAGE')) {
    joins.push('left join ZWAMEDIAITEM i on i.ZMESSAGE = m.Z_PK');
    const own = MEDIA_COLUMNS.filter((column) => has(tables, 'ZWAMEDIAITEM', column));
    columns.push(...own.map((column) => `i.${column} as ${column}`));
  }
  return {
    key: 'ios_chat_storage',
    people: 'chats',
    lastSql: 'select max(Z_PK) as last from ZWAMESSAGE',
    peopleSql: has(tables, 'ZWACHATSESSION', 'ZPARTNERNAME')
      ? 'select ZCONTACTJID, ZPARTNERNAME from ZWACHATSESSION order by Z_PK limit -1 offset ?'
      : undefined,
    // One row a message, whatever the files.
    messagesSql: `select m.Z_PK as rowid, s.ZCONTACTJID as ZCONTACTJID, ${columns.join(', ')}
      from ZWAMESSAGE m ${joins.join(' ')} where m.Z_PK > ? group by m.Z_PK order by m.Z_PK`,
  };
}

/** The parts of an entry: the row itself, and what other tables say, where they say anything. */
export function partsOf(row: SqliteRow): Record<string, SqliteRow> {
  const parts: Record<string, Record<string, SqliteRow[string]>> = { row: {} };
  for (const [name, value] of Object.entries(row)) {
    if (name === 'rowid') continue;
    const [, prefix = 'row', column = name] = /^(location|poll):(.+)$/.exec(name) ?? [];
    if (prefix !== 'row' && value === null) continue;
    (parts[prefix] ??= {})[column] = value;
  }
  return parts;
}
