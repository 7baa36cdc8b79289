import type { ReconcileResult } from '../../core/reconcile/result.js';
import { typedAgain } from '../typed-again.js';
import { remedy, type Advice } from '../../model/remedy.js';
import type { Look } from './look.js';
import { withoutDryRun } from './next-step.js';
import type { Cell, Presentation } from './presentation.js';
import { formatAmount, formatCount, formatDuration } from './quantities.js';
import { alertLines } from './report-text.js';
import { problemLines } from './run-problems.js';
import { sanitize } from './sanitize.js';
import { acknowledgementWords, severityMark, severityPaint } from './severity.js';

const INDENT = '  ';
const SHOWN = 20;

/** A reconcile in every format: for people the verdict first, and under it only what somebody has to look at. */
export function presentReconciled(result: ReconcileResult, argv: readonly string[]): Presentation {
  const figures = {
    columns: ['figure', 'count'],
    rows: Object.entries(result.figures).map(([figure, count]): Cell[] => [figure, Number(count)]),
  };
  const alerts = (result.report?.alerts ?? []).map((alert): Cell[] => [
    alert.severity,
    alert.kind,
    alert.connection,
    alert.message,
    alert.remedy,
    acknowledgementWords(alert),
  ]);
  const findings = findingsOf(result).map(({ check, found, summary, remedy }): Cell[] => [
    check,
    found,
    summary,
    remedy,
  ]);
  return {
    json: result,
    lines: [result],
    csv: figures,
    markdown: [
      { title: result.verdict, ...figures },
      {
        title: 'Alerts',
        columns: ['severity', 'kind', 'connection', 'message', 'remedy', 'acknowledged'],
        rows: alerts,
      },
      { title: 'Findings', columns: ['check', 'found', 'summary', 'remedy'], rows: findings },
    ].filter(({ rows }) => rows.length > 0),
    text: (look) => renderReconciled(result, argv, look),
  };
}

function renderReconciled(result: ReconcileResult, argv: readonly string[], look: Look): string {
  const sections = [
    headline(result, look),
    alertsSection(result, look),
    findingsSection(result, look),
    doublesSection(result, argv, look),
    result.replay === null ? '' : section('Problems of the replay', problemLines(result.replay, look), look),
    placeSection(result, look),
  ];
  return `${sections.filter((part) => part !== '').join('\n\n')}\n`;
}

function headline(result: ReconcileResult, look: Look): string {
  const { verdict, durationMs, caughtUp, since, status, heldBack, figures } = result;
  const lines = [`${mark(result, look)} ${sanitize(verdict)}  ${look.dim(formatDuration(durationMs))}`];
  if (result.dryRun) lines.push(`${INDENT}Dry run: nothing was written.`);
  if (caughtUp !== null && status !== 'failed' && status !== 'interrupted') {
    const when = day(caughtUp.startedAt);
    const then = result.dryRun ? 'the next one catches it up' : 'this one has caught it up';
    lines.push(`${INDENT}${look.dim(`The run of ${when} had not come to its end; ${then}.`)}`);
  }
  if (since !== null) {
    const compared = `Compared with the raw log: what was stored or changed since ${day(since)}.`;
    const rest = `The other ${formatAmount(figures.unchanged, 'message is', 'messages are')} as when last compared (--full compares everything).`;
    lines.push(`${INDENT}${look.dim(compared)}`, `${INDENT}${look.dim(rest)}`);
  }
  if (heldBack !== undefined) lines.push(`${INDENT}${look.yellow(sanitize(heldBack))}`);
  return lines.join('\n');
}

/** The worst of what was found and nobody has acknowledged; an interrupted or failed run has no verdict. */
function mark({ status, report }: ReconcileResult, look: Look): string {
  switch (status) {
    case 'completed':
    case 'partial': {
      const severity = report?.severity ?? null;
      return severityPaint(severity, look)(severityMark(severity));
    }
    case 'interrupted':
      return look.yellow('■');
    case 'failed':
      return look.red('✖');
  }
}

function alertsSection({ report }: ReconcileResult, look: Look): string {
  const alerts = report?.alerts ?? [];
  const lines = alerts.slice(0, SHOWN).flatMap((alert) => alertLines(alert, look));
  return section(`Alerts (${alerts.length})`, [...lines, ...more(alerts.length, look)], look);
}

function findingsSection(result: ReconcileResult, look: Look): string {
  const findings = findingsOf(result);
  const lines = findings.flatMap(({ check, found, summary, remedy, samples }) => [
    `${look.yellow('*')} ${look.bold(check)}: ${sanitize(summary)} ${look.dim(`(${formatCount(found)})`)}`,
    ...samples
      .slice(0, 1)
      .map(
        ({ connection, subject, detail }) =>
          `${INDENT}${look.dim(sanitize([connection, subject, detail].filter((part) => part !== null).join('  ')))}`,
      ),
    ...remedyLines(remedy, look),
  ]);
  return section(`Findings (${findings.length})`, lines, look);
}

function findingsOf({ verify }: ReconcileResult) {
  return (verify?.checks ?? []).filter(({ status }) => status === 'findings');
}

function doublesSection({ dedupe }: ReconcileResult, argv: readonly string[], look: Look): string {
  if (dedupe === null || dedupe.applied) return '';
  const lines = dedupe.classes
    .filter(({ rows }) => rows > 0)
    .map(
      ({ class: kind, groups, rows }) =>
        `${kind}: ${formatCount(rows)} rows in ${formatCount(groups)} groups`,
    );
  if (lines.length === 0) return '';
  const again = typedAgain(argv, 'merges them', (words) => [...withoutDryRun(words), '--apply']);
  return section('Duplicates', [...lines, `${INDENT}${look.cyan(look.line(again))}`], look);
}

function placeSection({ runId, dedupe, database: place }: ReconcileResult, look: Look): string {
  const lines = [`${look.bold('Data in')}   ${sanitize(place)}`];
  if (runId !== null) lines.push(`${look.bold('Run')}       ${sanitize(runId)}`);
  if (dedupe?.applied === true && dedupe.runId !== null && dedupe.changed > 0) {
    lines.push(
      `${look.bold('Undo')}      ${look.cyan(look.line(remedy('undo', [dedupe.runId], 'puts back what was merged')))}`,
    );
  }
  return lines.join('\n');
}

function remedyLines(remedy: Advice | null, look: Look): string[] {
  return remedy === null ? [] : [`${INDENT}${look.cyan(sanitize(look.line(remedy)))}`];
}

function more(found: number, look: Look): string[] {
  return found > SHOWN ? [look.dim(`and ${formatCount(found - SHOWN)} more (--json)`)] : [];
}

function section(title: string, lines: readonly string[], look: Look): string {
  return lines.length === 0 ? '' : [look.bold(title), ...lines.map((line) => `${INDENT}${line}`)].join('\n');
}

/** `2026-11-20 03:00`, UTC. */
function day(instant: string): string {
  return `${instant.slice(0, 16).replace('T', ' ')} UTC`;
}
