import type { Direction } from '../../model/enumerations.js';
import type { CrmName } from '../crm.js';
import type { ContactCard, Place } from './contents.js';

/** A message that a CRM has lost, with all that a row of it needs. */
export interface LostMessage {
  /** The CRM's connection: a {@link CrmConnection.key}. */
  connection: string;
  externalId: string;
  /** The key id of WhatsApp Web; null where the wamid does not tell it. */
  stanzaId: string | null;
  /** What the CRM calls the contact, where it has messages of the person. */
  contact: string | null;
  /** E.164. */
  phone: string | null;
  lid: string | null;
  /** Digits as WhatsApp writes them, where they differ from the phone's. */
  waId: string | null;
  name: string | null;
  direction: Direction;
  type: string;
  body: string | null;
  mediaId: string | null;
  mimeType: string | null;
  fileName: string | null;
  /** Of a location, where its coordinates are known. */
  place: Place | null;
  /** Of a message with contacts. */
  cards: readonly ContactCard[] | null;
  /** Ms since 1970. */
  at: number;
  status: string | null;
  quotedId: string | null;
}

/** A row that is a duplicate of another one of the same message. */
export interface DoubledRow {
  /** The CRM's connection: a {@link CrmConnection.key}. */
  connection: string;
  /** The row that stays: of the same message, the one of its person, and with fewest differences. */
  keptRowId: string;
  rowId: string;
}

/** The statements of a script. */
export interface ScriptForm {
  crm: CrmName;
  /** Why there is a script only for a database that was read itself, not for files. */
  needsDatabase?: string;
  /** Statements before the transaction, such as an index that is built beside running writers. */
  before?: (run: string) => readonly RepairStep[];
  steps: (run: string) => readonly RepairStep[];
  /** What takes everything back that `steps` and `before` made. */
  undo: (run: string) => readonly RepairStep[];
  undoAfter?: (run: string) => readonly RepairStep[];
}

/** How the rows that a CRM has lost are put back by SQL. Its statements see the lost messages as `wr_lost`. */
export interface RepairForm extends ScriptForm {
  /** Messages younger than this are left out: the CRM itself may still be at work on them. */
  minimumAgeMs: number;
  /** Whether a message comes back as a text that says what it was: the CRM's own form needs what SQL cannot bring, or nobody knows. */
  isStoredAsText: (message: LostMessage) => boolean;
}

const FILES: ReadonlySet<string> = new Set(['image', 'video', 'audio', 'document', 'sticker']);

export function isFile({ type }: Pick<LostMessage, 'type'>): boolean {
  return FILES.has(type);
}

/** How a CRM's duplicates are removed by SQL. Its statements see them as `wr_doubles`. */
export type PruneForm = ScriptForm;

/** One statement, and what it does: the script is read by a person before it is run. */
export interface RepairStep {
  does: string;
  sql: string;
}

/** A text as an SQL literal that means the same whatever the server's settings and psql make of backslashes. */
export function sqlText(text: string | null): string {
  if (text === null) return 'null';
  // PostgreSQL stores no NUL, and a message never holds one (M8).
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? `E${quoted}` : quoted;
}

/** An expression for a fresh uuid that bears the mark of the repair: its first twelve digits. */
export function markedId(run: string): string {
  return `('${run}' || substr(md5(random()::text || clock_timestamp()::text), 13))::uuid`;
}

/** A condition: the uuid in this column bears the mark of the repair. */
export function isMarked(run: string, column: string): string {
  return `${column}::text like '${run.slice(0, 8)}-${run.slice(8, 12)}-%'`;
}
