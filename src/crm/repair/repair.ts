import type { Direction } from '../../model/enumerations.js';
import type { CrmName } from '../crm.js';
import type { ContactCard, Place } from './contents.js';

/** A lost message of a CRM, with everything its row needs. */
export interface LostMessage {
  /** The CRM's connection: a {@link CrmConnection.key}; the connection's name here, where the CRM no longer has it. */
  connection: string;
  externalId: string;
  /** The key id of WhatsApp Web; null if the wamid does not contain it. */
  stanzaId: string | null;
  /** The CRM's name for the contact, if it has messages of the person. */
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
  /** The best row by the log: of the same message, the one of its person, with the fewest differences. */
  keptRowId: string;
  rowId: string;
  /** Equally good by the log. Then the CRM decides: the furthest status, a file, the oldest. */
  isEqual: boolean;
}

/** The statements of a script. */
export interface ScriptForm {
  crm: CrmName;
  /** Why there is a script only for a database that was read itself, not for files. */
  needsDatabase?: string;
  /** Statements before the transaction, such as an index that is built beside running writers. */
  before?: (run: string) => readonly RepairStep[];
  steps: (run: string) => readonly RepairStep[];
  /** Reverts everything made by `steps` and `before`. */
  undo: (run: string) => readonly RepairStep[];
  undoAfter?: (run: string) => readonly RepairStep[];
}

/** How to restore a CRM's lost rows by SQL. Its statements see the lost messages as `wr_lost`. */
export interface RepairForm extends ScriptForm {
  /** Leaves out messages younger than this: the CRM may still be processing them. */
  minimumAgeMs: number;
  /**
   * Whether a message is restored as a text describing it: the CRM's own form requires what SQL cannot provide, or is
   * unknown.
   */
  isStoredAsText: (message: LostMessage) => boolean;
}

const FILES: ReadonlySet<string> = new Set(['image', 'video', 'audio', 'document', 'sticker']);

export function isFile({ type }: Pick<LostMessage, 'type'>): boolean {
  return FILES.has(type);
}

/** How a CRM's duplicates are removed by SQL. Its statements see them as `wr_doubles`; see {@link chooseBest}. */
export type PruneForm = ScriptForm;

/** The tables of messages and files of a CRM, and how good one of two copies of a message is: SQL over the row `m`. */
export interface Copies {
  table: string;
  /** The type of its key. */
  key: 'text' | 'int';
  /** A condition: `d` and `m` are the same message. */
  isSame: string;
  /** Higher is better. */
  status: string;
  hasFile: string;
  /** The oldest first. */
  age: string;
}

/**
 * Puts the remaining duplicates beside the kept row, in `wr_rows`. Of those equal by the log, the best one is chosen
 * when the script runs: their statuses may have changed since the comparison.
 */
export function chooseBest({ table, key, isSame, status, hasFile, age }: Copies): RepairStep {
  return {
    does: 'The duplicates that are still there, beside the row that stays: right words and time, furthest status, a file, the oldest.',
    sql: `
create temporary table wr_rows on commit drop as
select best.id as double, best.kept
from (
  select m.id, first_value(m.id) over (
    partition by copy.kept order by copy.equal desc, ${status} desc, ${hasFile} desc, ${age}, m.id) as kept
  from (
    select distinct s.kept, s.kept as id, true as equal from wr_doubles s
    union all
    select distinct on (s.double) s.kept, s.double, s.equal from wr_doubles s
  ) copy
  join ${table} d on d.id = copy.kept::${key}
  join ${table} m on m.id = copy.id::${key} and ${isSame}
) best
where best.id <> best.kept`,
  };
}

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
