import { identitiesOfUser } from '../../identity/identities.js';
import { parseJid } from '../../identity/jid.js';
import { canonicalPhone } from '../../identity/phone.js';
import type { Direction } from '../../model/enumerations.js';
import { ConfigError } from '../../model/errors.js';
import { instantOf } from '../../model/time.js';
import { asideOfChat, asideOfContent } from '../chats.js';
import {
  lackedOf,
  type CrmConnection,
  type CrmRecord,
  type CrmRow,
  type CrmTable,
  type Dialect,
  type HasColumn,
} from '../crm.js';
import { kindIfNoText } from '../kinds.js';
import { textIn, wordIn } from '../record.js';

const COLUMNS = ['connection', 'external_id', 'direction', 'contact', 'timestamp', 'type', 'body'];

/** Any program's messages, as a view, a table or a file with seven named columns; a column `id` names its rows. */
export function tableDialect(name: string): Dialect {
  const messages: CrmTable = { ...tableNamed(name), columns: COLUMNS };
  const from = [messages.schema, messages.table].flatMap((part) => (part === undefined ? [] : quoted(part)));
  return {
    name: 'table',
    title: `the table ${name}`,
    messages,
    tables: [],
    connectionsQuery: () =>
      `select distinct coalesce(connection::text, '') as connection from ${from.join('.')}`,
    readConnection,
    messagesQuery: (has: HasColumn) => `
      select ${has(messages.table, 'id') ? 'id::text' : 'null'} as id,
        ${COLUMNS.map((column) => `${quoted(column)}::text`).join(', ')}
      from ${from.join('.')} where coalesce(connection::text, '') = any($1::text[])`,
    // A view may have two rows of one message, or rows without an id.
    isReadAtOnce: true,
    readRow,
    // Omissions of a custom program are unknown: all of them show as lost.
    notKept: () => null,
    bodyOfEdited: 'any',
    hasOptionalFields: true,
  };
}

/** `name` or `schema.name`, each as the database writes it, or in double quotes where it holds a dot. */
function tableNamed(name: string): { schema?: string; table: string } {
  const [, schema, table] = /^(?:("(?:[^"]|"")+"|[^".]+)\.)?("(?:[^"]|"")+"|[^".]+)$/.exec(name) ?? [];
  if (table === undefined) {
    throw new ConfigError(`'${name}' is no name of a table.`, {
      code: 'crm_table_name',
      remedy: 'Write NAME or SCHEMA.NAME, a part with a dot in double quotes.',
    });
  }
  return schema === undefined
    ? { table: unquoted(table) }
    : { schema: unquoted(schema), table: unquoted(table) };
}

function unquoted(part: string): string {
  return part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part;
}

function quoted(part: string): string {
  return `"${part.replaceAll('"', '""')}"`;
}

/** One text says which number it is: a phone_number_id, the number itself, or a name. */
function readConnection(record: CrmRecord): CrmConnection {
  const key = textIn(record, 'connection') ?? '';
  const said = key.trim();
  return {
    key,
    name: said,
    phoneNumberId: /^\d+$/.test(said) ? said : null,
    phone: canonicalPhone(said.includes('@') ? parseJid(said).user : said) ?? null,
    isCloudApi: null,
  };
}

function readRow(record: CrmRecord): CrmRow {
  const connection = textIn(record, 'connection') ?? '';
  const externalId = externalIdIn(record);
  const contact = wordIn(record, 'contact')?.trim() ?? '';
  const rowId =
    wordIn(record, 'id') ?? externalId ?? `${contact} ${wordIn(record, 'timestamp') ?? ''}`.trim();
  const type = wordIn(record, 'type')?.trim() ?? 'unknown';
  const reason = type.toLowerCase() === 'reaction' ? 'reaction' : asideOfContent(type);
  if (reason !== null) return { kind: 'aside', rowId, connection, reason };
  const at = timeIn(record, rowId);
  const direction = directionIn(record, rowId);
  return {
    kind: 'message',
    message: {
      rowId,
      connection,
      externalId,
      contact,
      person: identitiesOfUser(contact),
      direction,
      at,
      lacks: lackedOf({ direction, timestamp: at }),
      storedAt: at,
      type,
      kinds: kindIfNoText(type),
      body: TEXTS.has(type.toLowerCase()) ? textIn(record, 'body') : undefined,
      aside: asideOfChat(contact),
    },
  };
}

/** A type under which a body is the message's own words: a file's may be its name. */
const TEXTS = new Set(['text', 'chat', 'conversation', 'extendedtextmessage', 'unknown']);

/** Evolution marks the ids that it hands on. */
function externalIdIn(record: CrmRecord): string | null {
  const id =
    wordIn(record, 'external_id')
      ?.trim()
      .replace(/^WAID:/, '') ?? '';
  return id === '' ? null : id;
}

const DIRECTION_WORDS = new Map<string, Direction>([
  ['in', 'INBOUND'],
  ['inbound', 'INBOUND'],
  ['out', 'OUTBOUND'],
  ['outbound', 'OUTBOUND'],
]);

/** Null if empty. Throws ConfigError for any other word: misread, it would make every message differ. */
function directionIn(record: CrmRecord, rowId: string): Direction | null {
  const value = record.direction;
  const word =
    typeof value === 'boolean' ? String(value) : (wordIn(record, 'direction')?.trim().toLowerCase() ?? '');
  if (word === '') return null;
  const direction = DIRECTION_WORDS.get(word);
  if (direction !== undefined) return direction;
  throw new ConfigError(`Row ${rowId}: the direction '${word}' is neither inbound nor outbound.`, {
    code: 'crm_table_direction',
    remedy: `Say it in the view: case when from_me then 'outbound' else 'inbound' end as direction.`,
  });
}

/** Thirteen digits are milliseconds, fewer are seconds (M8); from here on no time of WhatsApp's is meant. */
const SMALLEST_MILLISECONDS = 1e12;
const END = Date.UTC(2101, 0, 1);

/** Null if empty. Throws ConfigError for an invalid time: read as null, no time would be compared at all. */
function timeIn(record: CrmRecord, rowId: string): number | null {
  const text = wordIn(record, 'timestamp')?.trim() ?? '';
  if (text === '') return null;
  if (/^\d+(?:\.\d+)?$/.test(text)) {
    const number = Number(text);
    if (number === 0) return null;
    const at = Math.trunc(number >= SMALLEST_MILLISECONDS ? number : number * 1000);
    if (at < END) return at;
  }
  const at = instantOf(text);
  if (at !== undefined) return at;
  throw new ConfigError(`Row ${rowId}: '${text.slice(0, 40)}' is no time.`, {
    code: 'crm_table_time',
    remedy:
      'Give a date and time (2026-11-03T10:00:00Z; without a zone it is UTC), or seconds or milliseconds since 1970.',
  });
}
