import type { BackupResult, CheckResult, RestoreResult, TableFigures } from '../../commands/backup/types.js';
import { remedy } from '../../model/remedy.js';
import { countOf, fields, numbers, section, table, text, type Block, type Mark } from '../ui/document.js';
import type { Presentation } from '../ui/presentation.js';
import { formatAmount, formatBytes } from '../ui/quantities.js';

/** What was written; `summary` is one line for a person who sees nothing else. */
export function presentBackup(result: BackupResult): Presentation & { summary: string } {
  const { file, mediaFiles, sealedRows, lacking, removed, later, abandoned } = result;
  const isDoubtful = lacking.length > 0;
  const summary = `${isDoubtful ? 'Backup complete, but it may not restore' : 'Backup complete'}: ${formatAmount(result.rows, 'row')} in ${formatBytes(result.bytes)}`;
  const remarks = [
    ...(isDoubtful
      ? [
          `The tables lack what the migrations make (${listed(lacking)}), and a restore takes no row that breaks it: \`verify\` says whether one does, \`verify --enforce\` makes indexes again.`,
        ]
      : []),
    ...sealed(sealedRows, 'Keep WA_RECONCILE_SECRET_KEY apart from it'),
    ...(mediaFiles === 0
      ? []
      : [
          `${formatAmount(mediaFiles, 'file')} of media ${mediaFiles === 1 ? 'is' : 'are'} not in it: copy the directory of \`media fetch\`.`,
        ]),
    ...(abandoned.length === 0
      ? []
      : [`${formatAmount(abandoned.length, 'unfinished file')} of killed backups removed.`]),
    ...(removed.length === 0 ? [] : [`${formatAmount(removed.length, 'older backup')} removed.`]),
    ...(later.length === 0
      ? []
      : [
          `${formatAmount(later.length, 'backup')} in the directory ${later.length === 1 ? 'has' : 'have'} a later time than this one: a clock was set back, or another machine’s is ahead.`,
        ]),
  ];
  const presented = common(result, `${summary}, ${file}`, remarks, isDoubtful ? 'warn' : 'good');
  return {
    ...presented,
    document: isDoubtful ? { ...presented.document, next: LACKING_NEXT } : presented.document,
    summary: [summary, ...remarks].join('\n'),
  };
}

/** What was proved. */
export function presentCheck(result: CheckResult): Presentation {
  return common(
    result,
    `The backup is sound: ${formatAmount(result.rows, 'row')}, ${formatBytes(result.bytes)}`,
    sealed(result.sealedRows, 'To use it, keep its WA_RECONCILE_SECRET_KEY'),
  );
}

/** What was stored. */
export function presentRestore(result: RestoreResult): Presentation {
  const { migrated, sealedRows } = result;
  const remarks = [
    ...sealed(sealedRows, 'They open with the same WA_RECONCILE_SECRET_KEY only'),
    ...(migrated.length === 0
      ? []
      : [`Brought up to this version: ${formatAmount(migrated.length, 'migration')}.`]),
  ];
  const presented = common(
    result,
    `Restored ${formatAmount(result.rows, 'row')} into ${result.database}`,
    remarks,
  );
  return {
    ...presented,
    document: {
      ...presented.document,
      next: [remedy('verify', [], 'compares every row with the raw log')],
    },
  };
}

const LACKING_NEXT = [
  remedy('verify', [], 'says whether rows break them'),
  remedy('verify', ['--enforce'], 'makes unique indexes again'),
];

const SHOWN = 5;

/** JSON has all of them. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).join('; ');
  return names.length > SHOWN ? `${shown}; and ${names.length - SHOWN} more` : shown;
}

function sealed(rows: number, advice: string): string[] {
  return rows === 0 ? [] : [`${formatAmount(rows, 'row')} ${rows === 1 ? 'is' : 'are'} sealed. ${advice}.`];
}

function common(
  result: BackupResult | CheckResult | RestoreResult,
  verdict: string,
  remarks: readonly string[],
  mark: Mark = 'good',
): Presentation {
  return {
    json: result,
    lines: [result],
    csv: {
      columns: ['table', 'rows', 'parts', 'bytes'],
      rows: result.tables.map((row) => [row.table, row.rows, row.parts, row.bytes]),
    },
    document: {
      verdict: { mark, text: verdict, remarks: [...remarks] },
      blocks: [
        fields([
          ['file', result.file],
          ['made', `${result.createdAt}, by wa-reconcile ${result.toolVersion}`],
          ['tables of', result.schema],
          ['encrypted', result.encrypted ? 'yes' : null],
        ]),
        tablesOf(result.tables),
        text(),
      ],
    },
  };
}

function tablesOf(tables: readonly TableFigures[]): Block {
  return section('Tables', [
    table(
      ['table', numbers('rows'), numbers('compressed')],
      tables
        .filter(({ rows }) => rows > 0)
        .map((row) => [row.table, countOf(row.rows), formatBytes(row.bytes)]),
    ),
  ]);
}
