import { rateOf, type Measured } from './measured.js';
import type { ComparisonFigures, TargetFigures } from './measure-target.js';
import type { MeasuredVerify } from './run-binary.js';

const MB = 1024 * 1024;

/** One line of the table: what, messages per second, ratio to the first replay. */
export function ratesOf(figures: TargetFigures): string[][] {
  const { dryRun, first, second, comparison, floor } = figures;
  const lines: [string, Measured][] = [
    ...comparedWays(comparison, first.messages),
    ['replay, first time', first],
    ['replay, second time', second],
    ['replay --dry-run, first time', dryRun],
    ['staged COPY and one upsert', floor],
  ];
  return lines.map(([what, measured]) => [
    figures.title,
    what,
    format(rateOf(measured)),
    `${(rateOf(measured) / rateOf(first)).toFixed(2)}x`,
  ]);
}

function comparedWays(comparison: TargetFigures['comparison'], messages: number): [string, Measured][] {
  if (comparison === null) return [];
  const { createMany, oneByOne } = comparison;
  const sampled = oneByOne.messages < messages ? ` (rate of ${format(oneByOne.messages)})` : '';
  return [
    [`one by one with Prisma${sampled}`, oneByOne],
    ['createMany, batches of 1000', createMany],
  ];
}

/** One line of the second table: what, messages looked at per second, ratio to one `findFirst` each, time, memory. */
export function dedupeRatesOf({ title, dedupe }: TargetFigures): string[][] {
  const { plan, apply, findFirst } = dedupe;
  const doubles = ((100 * plan.rows) / (plan.messages - plan.rows)).toFixed(0);
  const times = (measured: Measured): string =>
    findFirst === null ? '-' : `${(rateOf(measured) / rateOf(findFirst)).toFixed(1)}x`;
  const row = (what: string, measured: Measured & { peakBytes?: number }): string[] => [
    title,
    what,
    format(rateOf(measured)),
    times(measured),
    `${(measured.milliseconds / 1000).toFixed(1)} s`,
    measured.peakBytes === undefined ? '' : `${(measured.peakBytes / MB).toFixed(0)} MB`,
  ];
  return [
    ...(findFirst === null
      ? []
      : [row(`one findFirst per message (rate of ${format(findFirst.messages)})`, findFirst)]),
    row(`dedupe, ${doubles} % doubles: the plan`, plan),
    row('dedupe --apply: plan and merge', apply),
  ];
}

/** One line of the third table: what, messages per second, time, memory. */
export function verifyRatesOf({
  title,
  verify,
  compare,
  verifyWithoutIndex,
}: ComparisonFigures & Partial<Pick<TargetFigures, 'verifyWithoutIndex'>>): string[][] {
  const row = (what: string, measured: MeasuredVerify): string[] => [
    title,
    what,
    format(rateOf(measured)),
    `${(measured.milliseconds / 1000).toFixed(1)} s`,
    `${(measured.peakBytes / MB).toFixed(0)} MB`,
  ];
  return [
    row('verify', verify),
    ...(verifyWithoutIndex === undefined ? [] : [row('verify without the unique index', verifyWithoutIndex)]),
    ...(compare === null ? [] : [row('compare with a CRM of as many messages', compare)]),
  ];
}

export const VERIFY_HEADER = ['database', 'way', 'messages/s', 'time', 'memory'];

export const DEDUPE_HEADER = ['database', 'way', 'messages/s', 'to findFirst', 'time', 'memory'];

export const RATES_HEADER = ['database', 'way', 'messages/s', 'to replay'];

export interface Verdict {
  title: string;
  budget: string;
  measured: string;
  /** Null where the budget does not bind: the figure is for information. */
  pass: boolean | null;
}

/** How much of what the database can take at most a replay has to store, by database. */
const LEAST_SHARE: Readonly<Record<string, number>> = { PostgreSQL: 0.35, PGlite: 0.3 };

/**
 * The budgets, and how the figures of one database keep them. Those against Prisma are for a server, as the embedded
 * database has no round trips to save; the one for memory is for a million messages.
 */
export function judge(figures: TargetFigures): Verdict[] {
  const { title, dryRun, first, second, comparison, floor, verify, verifyWithoutIndex } = figures;
  const times = (other: Measured): number => rateOf(first) / rateOf(other);
  const peak = Math.max(first.peakBytes, second.peakBytes) / MB;
  const verdicts: Omit<Verdict, 'title'>[] = [
    ...(comparison === null
      ? []
      : [
          {
            budget: 'at least 25x one by one',
            measured: `${times(comparison.oneByOne).toFixed(1)}x`,
            pass: times(comparison.oneByOne) >= 25,
          },
          {
            budget: 'at least 2x createMany',
            measured: `${times(comparison.createMany).toFixed(1)}x`,
            pass: times(comparison.createMany) >= 2,
          },
        ]),
    {
      budget: `at least ${LEAST_SHARE[title] ?? 0} of the rate of a staged COPY and one upsert`,
      measured: times(floor).toFixed(2),
      pass: times(floor) >= (LEAST_SHARE[title] ?? 0),
    },
    {
      budget: 'the second time faster than the first',
      measured: `${(1 / times(second)).toFixed(1)}x`,
      pass: times(second) < 1,
    },
    {
      budget: 'a dry run in at most 1.5x the time of the replay',
      measured: `${times(dryRun).toFixed(1)}x`,
      pass: times(dryRun) <= 1.5,
    },
    {
      budget: 'verify without the unique index in at most 3x the time with it',
      measured: `${(verifyWithoutIndex.milliseconds / verify.milliseconds).toFixed(1)}x`,
      pass: verifyWithoutIndex.milliseconds <= 3 * verify.milliseconds,
    },
    ...comparisonBudgets(figures),
    {
      budget: 'at most 1000 bytes per message',
      measured: describeSize(figures),
      pass: figures.bytesPerMessage <= 1000,
    },
    {
      budget: 'at most 350 MB of memory at 1,000,000 messages',
      measured: `${peak.toFixed(0)} MB`,
      pass: first.messages >= 1_000_000 ? peak <= 350 : null,
    },
  ];
  return verdicts.map((verdict) => ({ title, ...verdict }));
}

/** The budgets of a comparison alone. */
export function judgeComparison(figures: ComparisonFigures): Verdict[] {
  return comparisonBudgets(figures).map((verdict) => ({ title: figures.title, ...verdict }));
}

function comparisonBudgets({ verify, compare }: ComparisonFigures): Omit<Verdict, 'title'>[] {
  if (compare === null) return [];
  return [
    {
      budget: 'compare in at most the time of verify',
      measured: `${(compare.milliseconds / verify.milliseconds).toFixed(2)}x`,
      pass: compare.milliseconds <= verify.milliseconds,
    },
    {
      budget: 'compare in at most 350 MB of memory',
      measured: `${(compare.peakBytes / MB).toFixed(0)} MB (verify: ${(verify.peakBytes / MB).toFixed(0)} MB)`,
      pass: compare.peakBytes <= 350 * MB,
    },
  ];
}

function describeSize({ bytesPerMessage, directoryBytesPerMessage }: TargetFigures): string {
  const tables = format(bytesPerMessage);
  return directoryBytesPerMessage === null
    ? tables
    : `${tables} (directory: ${format(directoryBytesPerMessage)})`;
}

export const VERDICT_HEADER = ['database', 'budget', 'measured', 'verdict'];

export function verdictRow({ title, budget, measured, pass }: Verdict): string[] {
  return [title, budget, measured, pass === null ? '-' : pass ? 'PASS' : 'FAIL'];
}

export function plainTable(header: readonly string[], rows: readonly string[][]): string {
  const widths = header.map((cell, i) => Math.max(cell.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [header, ...rows].map(line).join('\n');
}

export function markdownTable(header: readonly string[], rows: readonly string[][]): string {
  const line = (row: readonly string[]): string => `| ${row.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

export function format(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
