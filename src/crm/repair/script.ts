import { phonesToLookUp } from '../../identity/phone.js';
import { sqlText, type DoubledRow, type LostMessage, type RepairStep, type ScriptForm } from './repair.js';

/** Rows per `insert` into the staging table. */
const PER_STATEMENT = 500;

/** What a script stages, and what its head says of it. */
export interface Staging<T> {
  table: string;
  /** `Inserts the messages that …`, a line each. */
  says: readonly string[];
  columns: readonly (readonly [name: string, type: string, value: (row: T) => string | null])[];
}

export const LOST: Staging<LostMessage> = {
  table: 'wr_lost',
  says: [
    'Inserts the messages that the webhook log has and the CRM has lost. It changes no message that is there.',
  ],
  columns: [
    ['connection', 'text not null', (m) => m.connection],
    ['external_id', 'text not null', (m) => m.externalId],
    ['stanza_id', 'text', (m) => m.stanzaId],
    ['contact', 'text', (m) => m.contact],
    ['phone', 'text', (m) => m.phone],
    ['lid', 'text', (m) => m.lid],
    ['wa_id', 'text', (m) => m.waId],
    ['numbers', 'text[] not null', numbersOf],
    ['name', 'text', (m) => m.name],
    ['direction', 'text not null', (m) => m.direction],
    ['type', 'text not null', (m) => m.type],
    ['body', 'text', (m) => m.body],
    ['media_id', 'text', (m) => m.mediaId],
    ['mime_type', 'text', (m) => m.mimeType],
    ['file_name', 'text', (m) => m.fileName],
    ['place', 'jsonb', (m) => jsonText(m.place)],
    ['cards', 'jsonb', (m) => jsonText(m.cards)],
    ['at', 'timestamptz not null', (m) => new Date(m.at).toISOString()],
    ['status', 'text', (m) => m.status],
    ['quoted_id', 'text', (m) => m.quotedId],
  ],
};

function jsonText(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}

/** Digits under which a contact may be stored, WhatsApp's own first: a second contact of a person is worse than none (I1). */
function numbersOf({ waId, phone }: LostMessage): string {
  const spellings = phone === null ? [] : phonesToLookUp(phone).map((spelling) => spelling.slice(1));
  const numbers = waId === null ? spellings : [waId, ...spellings];
  // Digits need no quotes inside an array's literal.
  return `{${[...new Set(numbers)].filter((number) => /^\d+$/.test(number)).join(',')}}`;
}

export const DOUBLES: Staging<DoubledRow> = {
  table: 'wr_doubles',
  says: [
    'Removes rows that are a second copy of a message which the CRM has under another row. Of each message one row stays.',
    'What it removes is kept in tables named wa_reconcile_…, from which the undo file restores it.',
  ],
  columns: [
    ['connection', 'text not null', (row) => row.connection],
    ['kept', 'text not null', (row) => row.keptRowId],
    ['double', 'text not null', (row) => row.rowId],
    ['equal', 'boolean not null', (row) => String(row.isEqual)],
  ],
};

/** What the head of a script says. */
export interface ScriptSubject {
  /** A mark that everything which the script makes bears: 12 hexadecimal digits. */
  run: string;
  /** `Evolution API at postgresql://…`. */
  crm: string;
  /** The file that takes it back. */
  undoFile: string;
  /** ISO time. */
  madeAt: string;
}

/**
 * Writes SQL that a person can read, review and run with psql: one transaction, which stages its rows in a temporary table and
 * does only what is not done yet. Running it twice changes nothing more.
 */
export class Script<T> {
  private readonly waiting: string[] = [];

  constructor(
    private readonly form: ScriptForm,
    private readonly staging: Staging<T>,
    private readonly subject: ScriptSubject,
  ) {}

  /** What comes before the rows. */
  head(): string {
    const { run, crm, undoFile, madeAt } = this.subject;
    const { table, says, columns } = this.staging;
    return [
      `-- Repair ${run} for ${oneLine(crm)}, made ${madeAt}.`,
      ...says.map((line) => `-- ${line}`),
      '-- Read it, then run it with a role that may write:  psql "$CRM_URL" -v ON_ERROR_STOP=1 -f THIS_FILE',
      '-- A second run changes nothing more. An error rolls everything back.',
      `-- To take it back:  psql "$CRM_URL" -v ON_ERROR_STOP=1 -f ${oneLine(undoFile)}`,
      '',
      ...stepLines(this.form.before?.(run) ?? []),
      ...BEGIN,
      `create temporary table ${table} (`,
      '  position bigint generated always as identity,',
      columns.map(([name, type]) => `  ${name} ${type}`).join(',\n'),
      ') on commit drop;',
      '',
    ].join('\n');
  }

  /** The text for one more row: '' until a statement is full. */
  add(row: T): string {
    this.waiting.push(`  (${this.staging.columns.map(([, , value]) => sqlText(value(row))).join(', ')})`);
    return this.waiting.length < PER_STATEMENT ? '' : this.flush();
  }

  /** What comes after the rows. `notes`: what only the rows show, a line each. */
  tail(notes: readonly string[] = []): string {
    const steps = stepLines(this.form.steps(this.subject.run));
    return [
      this.flush(),
      `analyze ${this.staging.table};`,
      '',
      ...notes.map((note) => `-- ${oneLine(note)}`),
      ...(notes.length === 0 ? [] : ['']),
      ...steps,
      'commit;',
      '',
    ].join('\n');
  }

  undo(): string {
    const { run, crm } = this.subject;
    return [
      `-- Takes back the repair ${run} of ${oneLine(crm)}.`,
      '-- Touches only what bears the mark of this repair, and restores what it changed.',
      ...BEGIN,
      ...stepLines(this.form.undo(run)),
      'commit;',
      '',
      ...stepLines(this.form.undoAfter?.(run) ?? []),
    ].join('\n');
  }

  private flush(): string {
    if (this.waiting.length === 0) return '';
    const names = this.staging.columns.map(([name]) => name).join(', ');
    const rows = this.waiting.splice(0).join(',\n');
    return `insert into ${this.staging.table} (${names}) values\n${rows};\n`;
  }
}

const BEGIN = [
  'begin;',
  `set local lock_timeout = '10s';`,
  '-- Two repairs at a time would both find a message missing.',
  `select pg_advisory_xact_lock(hashtextextended('wa-reconcile repair', 0));`,
  '',
];

function stepLines(steps: readonly RepairStep[]): string[] {
  return steps.flatMap(({ does, sql }) => [`-- ${does}`, `${sql.trim()};`, '']);
}

/** A comment must not end before its text does. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ');
}
