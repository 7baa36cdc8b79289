import type { ReconcileResult } from '../../core/reconcile/result.js';
import { typedAgain } from '../typed-again.js';
import { remedy, type Advice } from '../../model/remedy.js';
import type { Look } from './look.js';
import { withoutDryRun } from './next-step.js';
import type { Cell, Presentation } from './presentation.js';
import { formatCount, formatDuration } from './quantities.js';
import { problemLines } from './run-problems.js';
import { sanitize } from './sanitize.js';

const INDENT = '  ';
const SHOWN = 20;

/** A night in every format: for people the verdict first, and under it only what somebody has to look at. */
export function presentNight(result: ReconcileResult, argv: readonly string[]): Presentation {
  const figures = {
    columns: ['figure', 'count'],
    rows: Object.entries(result.figures).map(([figure, count]): Cell[] => [figure, Number(count)]),
  };
  const alerts = (result.report?.alerts ?? []).map(({ kind, connection, message, remedy }): Cell[] => [
    kind,
    connection,
    message,
    remedy,
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
      { title: 'Alerts', columns: ['kind', 'connection', 'message', 'remedy'], rows: alerts },
      { title: 'Findings', columns: ['check', 'found', 'summary', 'remedy'], rows: findings },
    ].filter(({ rows }) => rows.length > 0),
    text: (look) => renderNight(result, argv, look),
  };
}

function renderNight(result: ReconcileResult, argv: readonly string[], look: Look): string {
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
  const { verdict, durationMs, caughtUp, since, status, heldBack } = result;
  const lines = [`${mark(result, look)} ${sanitize(verdict)}  ${look.dim(formatDuration(durationMs))}`];
  if (result.dryRun) lines.push(`${INDENT}Dry run: nothing was written.`);
  if (caughtUp !== null && status !== 'failed' && status !== 'interrupted') {
    const when = day(caughtUp.startedAt);
    const then = result.dryRun ? 'the next one catches it up' : 'this one has caught it up';
    lines.push(`${INDENT}${look.dim(`The run of ${when} had not come to its end; ${then}.`)}`);
  }
  if (since !== null) lines.push(`${INDENT}${look.dim(`Checked: what was stored since ${day(since)}.`)}`);
  if (heldBack !== undefined) lines.push(`${INDENT}${look.yellow(sanitize(heldBack))}`);
  return lines.join('\n');
}

function mark({ status, figures }: ReconcileResult, look: Look): string {
  const { missing, doubled, findings, alerts } = figures;
  switch (status) {
    case 'completed':
      return missing + doubled + findings + alerts > 0 ? look.yellow('▲') : look.green('✔');
    case 'partial':
      return look.yellow('▲');
    case 'interrupted':
      return look.yellow('■');
    case 'failed':
      return look.red('✖');
  }
}

function alertsSection({ report }: ReconcileResult, look: Look): string {
  const alerts = report?.alerts ?? [];
  const lines = alerts
    .slice(0, SHOWN)
    .flatMap(({ connection, message, remedy }) => [
      `${look.yellow('!')} ${connection === null ? '' : `${look.bold(sanitize(connection))}: `}${sanitize(message)}`,
      ...remedyLines(remedy, look),
    ]);
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
  return section('Doubles', [...lines, `${INDENT}${look.cyan(look.line(again))}`], look);
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
