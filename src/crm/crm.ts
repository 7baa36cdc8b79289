import type { CrmName, Direction, MessageSource } from '../model/enumerations.js';
import type { Identities } from '../model/facts.js';
import type { ContentKind } from './kinds.js';

export { CRM_NAMES, type CrmName } from '../model/enumerations.js';

/** A row of one of the CRM's tables, from its database or a file. */
export type CrmRecord = Readonly<Record<string, unknown>>;

/** An instance, inbox or number of the CRM. */
export interface CrmConnection {
  /** As the rows of messages name it. */
  key: string;
  /** Its name for users. */
  name: string;
  phoneNumberId: string | null;
  /** Canonical E.164. */
  phone: string | null;
  /** Whether the CRM receives its messages from the Cloud API or as a WhatsApp Web device; null if unknown. */
  isCloudApi: boolean | null;
}

/** A message in the CRM, in this tool's terms. */
export interface CrmMessage {
  /** The row's primary key, as text. */
  rowId: string;
  /** A {@link CrmConnection.key}. */
  connection: string;
  /** WhatsApp's id, a wamid or a key id, without the CRM's additions; null if the row has none. */
  externalId: string | null;
  /**
   * The CRM's name for the contact: two contacts of one person differ in it. Null if a file does not name the row's
   * contact.
   */
  contact: string | null;
  person: Identities;
  /** Null if the CRM does not keep it truthfully, or if the row has none. */
  direction: Direction | null;
  /** WhatsApp's own time, ms since 1970; null if the CRM only keeps its storage time, or if the row has none. */
  at: number | null;
  /** What the row has none of, or nothing valid, although the CRM keeps it of every message. */
  lacks: readonly LackedField[];
  /** When the CRM stored it, ms since 1970, if known. */
  storedAt: number | null;
  /** When the CRM took the edit or revoke that the row shows, ms since 1970; null if the row does not say, absent if it shows none. */
  editedAt?: number | null;
  /** The CRM's own word. */
  type: string;
  /** What the row is by everything that it says of it; empty if the CRM does not say it truthfully. */
  kinds: readonly ContentKind[];
  /** Undefined if the CRM's text is not WhatsApp's, for example a file name as a media row's body. */
  body: string | null | undefined;
  /**
   * Why no message is expected if none has its id: a group chat's row, a status. Null for everything that is missing
   * from the log if it has no counterpart.
   */
  aside: AsideReason | null;
}

/** A field whose absence shows that a row is damaged. */
export type LackedField = 'direction' | 'timestamp';

/** The fields that are null. */
export function lackedOf(fields: Readonly<Partial<Record<LackedField, unknown>>>): LackedField[] {
  const names: readonly LackedField[] = ['direction', 'timestamp'];
  return names.filter((name) => fields[name] === null);
}

/** Why a row of the CRM's message table is not a message. */
export const ASIDE_REASONS = [
  'activity',
  'album',
  'broadcast',
  'call',
  'contact_card',
  'edit',
  'group',
  'newsletter',
  'other_channel',
  'poll_vote',
  'private_note',
  'protocol',
  'quoted_stub',
  'reaction',
  'revoke',
  'status_broadcast',
  'unsent',
] as const;
export type AsideReason = (typeof ASIDE_REASONS)[number];

/** The meaning of a row of the CRM's message table. */
export type CrmRow =
  | { kind: 'message'; message: CrmMessage }
  | { kind: 'aside'; rowId: string; connection: string; reason: AsideReason };

/** What decides whether a CRM keeps a message at all. */
export interface KeptQuestion {
  type: string;
  direction: Direction;
  source: MessageSource;
  body: string | null;
  isGroup: boolean;
  isRevoked: boolean;
  hasErrors: boolean;
  /** It is older than everything the CRM has of the connection. */
  isBeforeCrm: boolean;
  /** It is older than every message of its source that the CRM has of the connection: it may keep none, or only since an update. */
  isBeforeSource: boolean;
  /** How the CRM receives the connection's messages. */
  isCloudApi: boolean;
}

/**
 * Why a CRM never stores a message; `automatic`: the CRM sent it itself, `without_id`: its rows of them have no id;
 * `chat_export`: a phone showed it, its id is unknown, and a row that nothing explains may be it.
 */
export const NOT_KEPT_REASONS = [
  'automatic',
  'chat_export',
  'echo',
  'group',
  'history',
  'type',
  'with_errors',
  'without_id',
  'without_media',
] as const;
export type NotKeptReason = (typeof NOT_KEPT_REASONS)[number];

/** A table or view, and columns that it always has; the first name of each is the column's own spelling. */
export interface CrmTable {
  /** Undefined: the schema that the database's URL names. */
  schema?: string;
  table: string;
  columns: readonly string[];
}

/** Whether the CRM's database has a column of one of the dialect's tables: versions and forks differ in them. */
export type HasColumn = (table: string, column: string) => boolean;

/** One CRM: what its tables look like and mean. Everything in it is pure. */
export interface Dialect {
  name: CrmName;
  /** Its readable name: `Evolution API`. */
  title: string;
  /** Its table of messages. */
  messages: CrmTable;
  /** The dialect of the version or fork with these columns, if different. */
  version?: (has: HasColumn) => Dialect;
  /** Other tables that the connections (the first one) and contacts come from; without any, messages name their connections. */
  tables: readonly CrmTable[];
  /** Tables that only some versions have. */
  optionalTables?: readonly CrmTable[];
  /** Tables of messages' surroundings that a comparison does not need: a file of one is passed over. */
  needlessTables?: readonly CrmTable[];
  /** Tables without which a file of messages is incomplete, for example without their contacts. */
  neededFiles?: readonly string[];
  /** Tables without which a file of messages does not say whose they are. */
  contactFiles?: readonly string[];
  /** Gives the records of `readConnection`. */
  connectionsQuery: (has: HasColumn) => string;
  /** Without tables of connections, the record is `{ connection: key }`. */
  readConnection: (record: CrmRecord) => CrmConnection;
  /** Puts what the other tables' files say about a connection into its record, as the query's joins do. */
  joinConnection?: (tables: CrmTables) => (connection: CrmRecord) => CrmRecord;
  /**
   * One page of messages, in the order of an index: `$1::text[]` the connections' keys, `$2::text[]` the cursor of the row after
   * which it begins or null, `$3` how many. Each record has `cursor`, an array of texts.
   */
  messagesQuery: (has: HasColumn) => string;
  /**
   * True where `messagesQuery` gives all rows of `$1`, and the server keeps the place: where no column tells rows apart, pages by a
   * key would leave out rows that share one or have none; where rows come by a join, each page would make all of it again.
   */
  isReadAtOnce?: boolean;
  readRow: (record: CrmRecord) => CrmRow;
  /** Puts what the other tables' files say about a message into its record, as the query's joins do. */
  join?: (tables: CrmTables) => (message: CrmRecord) => CrmRecord;
  /**
   * Names that the CRM knows to be one person's, besides those in its messages: one page, `$1::text` the id after which it begins
   * or null, `$2` how many. Each record has `id`. Null where this version has no such table.
   */
  pairsQuery?: (has: HasColumn) => string | null;
  readPair?: (record: CrmRecord) => Identities;
  notKept: (question: KeptQuestion) => NotKeptReason | null;
  /** Which text of an edited message the CRM has: the last one, or any that the message ever had. */
  bodyOfEdited: 'latest' | 'any';
  /** What every row of a connection leaves empty, it does not keep: its columns are a user's own. */
  hasOptionalFields?: boolean;
  /** The compared form of a text, if the CRM writes its marks differently. */
  wordsOf?: (text: string) => string;
}

/** Records of other tables by table and id. */
export type CrmTables = ReadonlyMap<string, ReadonlyMap<string, CrmRecord>>;
