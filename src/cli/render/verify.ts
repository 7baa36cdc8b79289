import type {
  CheckResult,
  EnforcedIndex,
  Recomputed,
  VerifiedItem,
  VerifyResult,
} from '../../core/verify/result.js';
import type { Advice } from '../../model/remedy.js';
import type { Look } from './look.js';
import type { Grid, Presentation } from './presentation.js';
import { formatAmount, formatCount, formatDuration } from './quantities.js';
import { sanitize, truncate } from './sanitize.js';

/** Ids come from outside, and can be as long as somebody likes. */
const LONGEST_SAMPLE = 300;

/** One line of `--items`: `SIGN CHECK CONNECTION SUBJECT DETAIL`, separated by tabs, whatever is in them. */
export function itemLine({ sign, check, connection, subject, detail }: VerifiedItem): string {
  return [sign, check, connection ?? '', subject, detail].map(sanitize).join('\t');
}

export function presentVerify(result: VerifyResult): Presentation {
  const { checks, ...summary } = result;
  const grid = checkGrid(checks);
  return {
    json: result,
    lines: [...checks, summary],
    csv: grid,
    markdown: [
      { title: 'Checks', ...grid },
      ...sampleGrids(checks),
      ...(result.enforced.length === 0 ? [] : [enforcedGrid(result.enforced)]),
      ...(sumOf(result.recomputed) === 0 ? [] : [recomputedGrid(result.recomputed)]),
    ],
    text: (look) => describeResult(result, look),
  };
}

function checkGrid(checks: readonly CheckResult[]): Grid {
  return {
    columns: ['check', 'status', 'severity', 'checked', 'found', 'summary', 'remedy'],
    rows: checks.map(({ check, status, severity, checked, found, summary, remedy }) => [
      check,
      status,
      severity,
      checked,
      found,
      summary,
      remedy,
    ]),
  };
}

function sampleGrids(checks: readonly CheckResult[]): Grid[] {
  const rows = checks.flatMap(({ check, samples }) =>
    samples.map(({ connection, subject, detail }) => [check, connection, subject, detail]),
  );
  const columns = ['check', 'connection', 'subject', 'detail'];
  return rows.length === 0 ? [] : [{ title: 'Samples', columns, rows }];
}

function enforcedGrid(enforced: readonly EnforcedIndex[]): Grid {
  return {
    title: 'Unique indexes',
    columns: ['index', 'outcome', 'reason', 'remedy'],
    rows: enforced.map(({ index, outcome, reason, remedy }) => [
      index,
      outcome,
      reason ?? null,
      remedy ?? null,
    ]),
  };
}

function recomputedGrid(recomputed: Recomputed): Grid {
  return { title: 'Recomputed', columns: ['table', 'rows'], rows: Object.entries(recomputed) };
}

function sumOf({ conversations, leads, tickets }: Recomputed): number {
  return conversations + leads + tickets;
}

function describeResult(result: VerifyResult, look: Look): string {
  const { checks, enforced, recomputed } = result;
  const width = Math.max(0, ...checks.map(({ check }) => check.length));
  return [
    ...describeEnforced(enforced, recomputed, look),
    ...checks.flatMap((check) => describeCheck(check, width, look)),
    ...(checks.length === 0 ? [] : ['']),
    verdict(result, look),
  ].join('\n');
}

/** What `--enforce` did; what was there already is only counted. */
function describeEnforced(enforced: readonly EnforcedIndex[], recomputed: Recomputed, look: Look): string[] {
  if (enforced.length === 0) return [];
  const lines = enforced.flatMap(({ index, outcome, reason, remedy }) => {
    switch (outcome) {
      case 'present':
        return [];
      case 'created':
      case 'recreated':
        return [`${look.green('✔')} ${outcome}  ${sanitize(index)}`];
      case 'blocked':
        return [
          `${look.red('✘')} blocked  ${sanitize(index)}: ${sanitize(reason ?? 'unknown')}`,
          ...remedyLine(remedy ?? null, look),
        ];
    }
  });
  const present = enforced.filter(({ outcome }) => outcome === 'present').length;
  if (lines.length === 0) lines.push(`${look.green('✔')} all ${formatCount(present)} present`);
  return [
    look.bold('Unique indexes'),
    ...lines,
    '',
    ...describeRecomputed(recomputed, look),
    look.bold('Checks'),
  ];
}

function describeRecomputed(recomputed: Recomputed, look: Look): string[] {
  if (sumOf(recomputed) === 0) return [];
  const counts = [
    formatAmount(recomputed.conversations, 'conversation'),
    formatAmount(recomputed.leads, 'lead'),
    formatAmount(recomputed.tickets, 'ticket'),
  ];
  return [look.bold('Recomputed'), `${look.green('✔')} ${counts.join(', ')}`, ''];
}

function describeCheck(result: CheckResult, width: number, look: Look): string[] {
  const { check, status, samples, summary, remedy } = result;
  const line = `${mark(status, look)} ${check.padEnd(width)}  ${sanitize(summary)}`;
  if (status === 'ok') return [line];
  const shown = samples.map(({ connection, subject, detail }) => {
    const parts = [connection, subject, detail].filter((part) => part !== null && part !== '');
    return `    ${look.dim(truncate(sanitize(parts.join('  ')), LONGEST_SAMPLE))}`;
  });
  const more = samplesLeftOut(result);
  return [line, ...shown, ...(more === null ? [] : [`    ${look.dim(more)}`]), ...remedyLine(remedy, look)];
}

/** Findings may be more than the samples stand for: a sample can be a group of rows. */
function samplesLeftOut({ found, samples }: CheckResult): string | null {
  return samples.length >= 5 && found > samples.length
    ? `… ${formatCount(found)} in all; --items FILE lists them`
    : null;
}

function remedyLine(remedy: Advice | null, look: Look): string[] {
  return remedy === null ? [] : [`    ${look.cyan(sanitize(look.line(remedy)))}`];
}

function mark(status: CheckResult['status'], look: Look): string {
  switch (status) {
    case 'ok':
      return look.green('✔');
    case 'note':
      return look.cyan('·');
    case 'findings':
      return look.red('✘');
  }
}

function verdict(result: VerifyResult, look: Look): string {
  const { checks, findings, status, durationMs, database, enforced } = result;
  const where = look.dim(`(${sanitize(database)}, ${formatDuration(durationMs)})`);
  switch (status) {
    case 'interrupted':
      return `${look.yellow('Interrupted')}: ${formatAmount(checks.length, 'check')} done. ${where}`;
    case 'completed': {
      const blocked = enforced.filter(({ outcome }) => outcome === 'blocked').length;
      const still =
        blocked === 0 ? '' : `; ${formatAmount(blocked, 'unique index', 'unique indexes')} blocked`;
      const failing = checks.filter((check) => check.status === 'findings').length;
      if (findings + blocked === 0) {
        return `${look.green('Clean')}: ${formatAmount(checks.length, 'check')}, nothing found. ${where}`;
      }
      return `${look.red(formatAmount(findings, 'finding'))} in ${formatCount(failing)} of ${formatAmount(checks.length, 'check')}${still}. ${where}`;
    }
  }
}
