import { sqlText, type LostMessage, type RepairForm, type RepairStep } from './repair.js';

/** Messages per `insert` into the staging table. */
const PER_STATEMENT = 500;

const COLUMNS: readonly (readonly [
  name: string,
  type: string,
  value: (message: LostMessage) => string | null,
])[] = [
  ['connection', 'text not null', (m) => m.connection],
  ['external_id', 'text not null', (m) => m.externalId],
  ['stanza_id', 'text', (m) => m.stanzaId],
  ['contact', 'text', (m) => m.contact],
  ['phone', 'text', (m) => m.phone],
  ['lid', 'text', (m) => m.lid],
  ['wa_id', 'text', (m) => m.waId],
  ['name', 'text', (m) => m.name],
  ['direction', 'text not null', (m) => m.direction],
  ['type', 'text not null', (m) => m.type],
  ['body', 'text', (m) => m.body],
  ['media_id', 'text', (m) => m.mediaId],
  ['mime_type', 'text', (m) => m.mimeType],
  ['file_name', 'text', (m) => m.fileName],
  ['at', 'timestamptz not null', (m) => new Date(m.at).toISOString()],
  ['status', 'text', (m) => m.status],
  ['quoted_id', 'text', (m) => m.quotedId],
];

/** What the head of a script says. */
export interface ScriptSubject {
  /** A mark that every row of the repair bears: 12 hexadecimal digits. */
  run: string;
  /** `Evolution API at postgresql://…`. */
  crm: string;
  /** The file that takes it back. */
  undoFile: string;
  /** ISO time. */
  madeAt: string;
}

/**
 * Writes a repair as SQL that a person can read, review and run with psql: one transaction, which stages the lost messages in a
 * temporary table and inserts from it only what is not there. Running it twice adds nothing.
 */
export class RepairScript {
  private readonly waiting: string[] = [];
  messages = 0;

  constructor(
    private readonly form: RepairForm,
    private readonly subject: ScriptSubject,
  ) {}

  /** What comes before the messages. */
  head(): string {
    const { run, crm, undoFile, madeAt } = this.subject;
    return [
      `-- Repair ${run} for ${oneLine(crm)}, made ${madeAt}.`,
      '-- Inserts the messages that the webhook log has and the CRM has lost. It changes no message that is there.',
      '-- Read it, then run it once, with the CRM’s own role:  psql "$CRM_URL" -v ON_ERROR_STOP=1 -f THIS_FILE',
      '-- A second run adds nothing. An error rolls everything back.',
      `-- To take it back:  psql "$CRM_URL" -v ON_ERROR_STOP=1 -f ${oneLine(undoFile)}`,
      '',
      ...stepLines(this.form.before?.(run) ?? []),
      'begin;',
      `set local lock_timeout = '10s';`,
      '-- Two repairs at a time would both find a message missing.',
      `select pg_advisory_xact_lock(hashtextextended('wa-reconcile repair', 0));`,
      '',
      '-- The lost messages, oldest first.',
      'create temporary table wr_lost (',
      '  position bigint generated always as identity,',
      COLUMNS.map(([name, type]) => `  ${name} ${type}`).join(',\n'),
      ') on commit drop;',
      '',
    ].join('\n');
  }

  /** The text for one more message: '' until a statement is full. */
  add(message: LostMessage): string {
    this.messages += 1;
    this.waiting.push(`  (${COLUMNS.map(([, , value]) => sqlText(value(message))).join(', ')})`);
    return this.waiting.length < PER_STATEMENT ? '' : this.flush();
  }

  /** What comes after the messages. */
  tail(): string {
    const steps = stepLines(this.form.steps(this.subject.run));
    return [this.flush(), 'analyze wr_lost;', '', ...steps, 'commit;', ''].join('\n');
  }

  undo(): string {
    const { run, crm } = this.subject;
    return [
      `-- Takes back the repair ${run} of ${oneLine(crm)}.`,
      '-- Removes only rows that bear the mark of this repair, and restores what it recomputed.',
      'begin;',
      `set local lock_timeout = '10s';`,
      `select pg_advisory_xact_lock(hashtextextended('wa-reconcile repair', 0));`,
      '',
      ...stepLines(this.form.undo(run)),
      'commit;',
      '',
      ...stepLines(this.form.undoAfter?.(run) ?? []),
    ].join('\n');
  }

  private flush(): string {
    if (this.waiting.length === 0) return '';
    const names = COLUMNS.map(([name]) => name).join(', ');
    const rows = this.waiting.splice(0).join(',\n');
    return `insert into wr_lost (${names}) values\n${rows};\n`;
  }
}

function stepLines(steps: readonly RepairStep[]): string[] {
  return steps.flatMap(({ does, sql }) => [`-- ${does}`, `${sql.trim()};`, '']);
}

/** A comment must not end before its text does. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ');
}
