import { isGreen } from '../../model/enumerations.js';
import type { CheckResult } from '../../commands/verify/types.js';
import { absentWords, allWords, unmatchedWords } from './compare.js';
import { comparedMessages } from '../../commands/report/comparisons.js';
import type { ShownOfReconcile } from '../../commands/reconcile/show-reconcile.js';
import type { ReconcileResult } from '../../commands/reconcile/types.js';
import { needsForce } from '../../commands/dedupe/result.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import type { Format } from '../ui/formats.js';
import type { Presentation } from '../ui/presentation.js';
import { formatAmount, formatCount, formatDuration } from '../ui/quantities.js';
import { typedAgain, withoutDryRun } from '../typed-again.js';
import {
  faint,
  fields,
  list,
  section,
  short,
  span,
  text,
  type Block,
  type Item,
  type Line,
  type Mark,
} from '../ui/document.js';
import { severityMark } from './alert-words.js';
import { alertItem, alertSteps } from './alerts.js';
import { problemItems, problemsIn } from './problems.js';
import { pruneHeadline } from './prune.js';
import { rejectsIn } from './report.js';

const SHOWN = 20;

/** A reconcile in every format: for people the verdict, and only what needs attention. */
export function presentReconciled(result: ReconcileResult, argv: readonly string[]): Presentation {
  const { verdict, durationMs, database, runId, replay } = result;
  return {
    json: result,
    isNews: !isGreen(result.report?.severity ?? null),
    lines: [result],
    csv: {
      columns: ['figure', 'count'],
      rows: Object.entries(result.figures).map(([figure, count]) => [figure, Number(count)]),
    },
    document: {
      verdict: {
        mark: markOf(result),
        text: verdict,
        detail: formatDuration(durationMs),
        remarks: remarksOf(result),
      },
      blocks: [
        alertsSection(result),
        findingsSection(result),
        duplicatesSection(result),
        section('CRMs', [list(comparisonItems(result))]),
        section('Problems of the replay', [list(replay === null ? [] : problemItems(replay))]),
        fields([
          ['database', database],
          ['run', runId],
        ]),
      ],
      next: nextSteps(result, argv),
    },
  };
}

/** What a form of the result shows of the beginnings of items. */
export function beginningsIn(format: Format, { replay, report }: ReconcileResult): ShownOfReconcile {
  return {
    problems: replay === null ? [] : problemsIn(format, replay),
    rejected: report === null ? [] : rejectsIn(format, report),
  };
}

function remarksOf(result: ReconcileResult): Line[] {
  const { dryRun, caughtUp, since, status, heldBack, figures, prune, report } = result;
  const remarks: Line[] = [];
  if (dryRun) remarks.push('Dry run: nothing was written.');
  if (caughtUp !== null && status !== 'failed' && status !== 'interrupted') {
    const then = dryRun ? 'the next run will cover it' : 'this run covers it';
    remarks.push(faint(`The run of ${minute(caughtUp.startedAt)} did not finish; ${then}.`));
  }
  if (since !== null) {
    const rest = formatAmount(figures.unchanged, 'stored message is', 'stored messages are');
    remarks.push(
      faint(`Compared with the raw log: what was stored or changed since ${minute(since)}.`),
      ...(figures.unchanged === 0
        ? []
        : [faint(`${rest} unchanged since last compared (--full compares everything).`)]),
    );
  }
  if (prune !== undefined && prune.entries.planned > 0) remarks.push(faint(`${pruneHeadline(prune)}.`));
  const erased = (report?.connections ?? []).reduce(
    (sum, { accounts }) => sum + (accounts.explained['skipped.erased'] ?? 0),
    0,
  );
  if (erased > 0) remarks.push(faint(`${formatAmount(erased, 'message')} of erased people left out.`));
  if (heldBack !== undefined) remarks.push(span('warn', heldBack));
  return remarks;
}

/** The worst of what was found and nobody has acknowledged; an interrupted or failed run has no verdict. */
function markOf({ status, report }: ReconcileResult): Mark {
  switch (status) {
    case 'completed':
    case 'partial':
      return severityMark(report?.severity ?? null);
    case 'interrupted':
      return 'stopped';
    case 'failed':
      return 'bad';
  }
}

function alertsSection({ report }: ReconcileResult): Block {
  const alerts = report?.alerts ?? [];
  const more = alerts.length - SHOWN;
  return section(`Alerts (${alerts.length})`, [
    list([
      ...alerts.slice(0, SHOWN).map(alertItem),
      ...(more > 0 ? [{ line: faint(`and ${formatCount(more)} more (--json)`) }] : []),
    ]),
  ]);
}

function findingsSection({ verify }: ReconcileResult): Block {
  const findings = (verify?.checks ?? []).filter(({ status }) => status === 'findings');
  return section('Findings', [list(findings.map(findingItem))]);
}

function findingItem({ check, severity, found, summary, samples, remedy: advice }: CheckResult): Item {
  return {
    mark: severity === 'loss' ? 'bad' : 'warn',
    line: [span('strong', check), `: ${summary} `, faint(`(${formatCount(found)})`)],
    under: [
      ...samples
        .slice(0, 1)
        .map(({ connection, subject, detail }) =>
          short([connection, subject, detail].filter((part) => part !== null).join('  ')),
        ),
      ...(advice === null ? [] : [advice]),
    ],
  };
}

function duplicatesSection({ dedupe }: ReconcileResult): Block {
  return section('Duplicates', [
    text(
      ...plannedClasses(dedupe).map(
        ({ class: kind, groups, rows }) =>
          `${kind}: ${formatAmount(rows, 'duplicate')} in ${formatAmount(groups, 'group')}`,
      ),
    ),
  ]);
}

/** What the run compared; what is wrong, and what could not be compared, is among the alerts. */
function comparisonItems({ report, startedAt }: ReconcileResult): Item[] {
  return (report?.comparisons ?? []).flatMap(({ name, crm, comparedAt, error, counts, absent }): Item[] => {
    if (comparedAt === null || comparedAt < startedAt || error !== null || counts === null) return [];
    const { lost, differs, other_contact: other, doubled } = counts;
    const wrong = (
      [
        [lost, 'lost'],
        [differs, 'different'],
        [other, 'under another contact'],
        [doubled, 'duplicated'],
      ] as const
    ).flatMap(([found, words]) => (found > 0 ? [`${formatCount(found)} ${words}`] : []));
    const messages = formatAmount(comparedMessages(counts), 'message');
    const what = wrong.length === 0 ? allWords(counts) : `${wrong.join(', ')} of ${messages}`;
    const besides = unmatchedWords(counts);
    const lacking = absent.length > 0 ? `; ${absentWords(absent)}` : '';
    const mark = wrong.length > 0 ? 'bad' : absent.length > 0 ? 'warn' : 'good';
    return [{ mark, label: name, line: `${crm}: ${what}${lacking}${besides}` }];
  });
}

function plannedClasses(dedupe: ReconcileResult['dedupe']) {
  return dedupe === null || dedupe.applied ? [] : dedupe.classes.filter(({ rows }) => rows > 0);
}

/** What helps against the worst alerts, then what concerns duplicates. */
function nextSteps({ report, dedupe, copies }: ReconcileResult, argv: readonly string[]): Remedy[] {
  return [
    ...alertSteps(report?.alerts ?? []),
    // With --apply, the duplicates are still there because there are too many: an alert says how to merge them.
    ...(dedupe === null ||
    plannedClasses(dedupe).length === 0 ||
    argv.includes('--apply') ||
    needsForce(dedupe)
      ? []
      : [
          typedAgain(argv, 'merges the duplicates; undo restores them', (words) => [
            ...withoutDryRun(words),
            '--apply',
          ]),
        ]),
    // The newest run first: only that order can be undone.
    ...[copies, dedupe].flatMap((merged) =>
      merged?.applied === true && merged.runId !== null && merged.classes.some(({ rows }) => rows > 0)
        ? [remedy('undo', [merged.runId], 'restores what was merged')]
        : [],
    ),
  ];
}

/** `2026-11-20 03:00 UTC`. */
function minute(instant: string): string {
  return `${instant.slice(0, 16).replace('T', ' ')} UTC`;
}
