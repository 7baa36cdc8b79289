import type {
  DedupeResult,
  DuplicateClass,
  DuplicateCounts,
  DuplicateSample,
  LookAlike,
} from '../../core/dedupe/result.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import { typedAgain } from '../typed-again.js';
import type { Look } from './look.js';
import { nextLines } from './next-lines.js';
import type { Grid, Presentation } from './presentation.js';
import { formatAmount, formatCount, formatDuration } from './quantities.js';
import { sanitize, truncate } from './sanitize.js';
import { renderTable } from './table.js';

const INDENT = '  ';

/** What each class is, for people. */
const CLASSES: Readonly<Record<DuplicateClass, string>> = {
  lead: 'two contacts, one person',
  conversation: 'two conversations or open tickets of one contact',
  same_id: 'one id, several rows',
  same_message: 'one message, two ids',
  no_id: 'copies without an id',
};

const KEPT: Readonly<Record<LookAlike['why'], string>> = {
  other_conversation: 'one id in several conversations',
  other_content: 'one id, different contents',
  no_twin: 'no id, and no message that it is a copy of',
};

/** How the command was called, as far as the advice depends on it. */
export interface DedupeCall {
  argv: readonly string[];
}

/** A plan or a run of dedupe in every format. */
export function presentDedupe(result: DedupeResult, call: DedupeCall): Presentation {
  const { classes, ...summary } = result;
  const csv: Grid = {
    columns: ['class', 'groups', 'rows'],
    rows: classes.map(({ class: name, groups, rows }) => [name, groups, rows]),
  };
  const next = nextSteps(result, call);
  return {
    json: result,
    lines: [...classes, summary],
    csv,
    markdown: [
      { title: result.applied ? `Merged by ${result.runId ?? ''}` : 'Stored twice', ...csv },
      connectionGrid(result),
      sampleGrid(classes),
      keptGrid(result),
      {
        title: 'Next',
        columns: ['command', 'why'],
        rows: next.map((step) => [step, step.why]),
      },
    ].filter(({ rows }) => rows.length > 0),
    text: (look) => describeResult(result, next, look),
  };
}

async function describeResult(result: DedupeResult, next: readonly Remedy[], look: Look): Promise<string> {
  const sections = [
    headline(result, look),
    await classTable(result, look),
    samplesSection(result, look),
    keptSection(result, look),
    sharesSection(result, look),
    `${look.bold('Data in')}   ${sanitize(result.database)}`,
    [look.bold('Next'), ...nextLines(next, look).map((line) => `${INDENT}${line}`)].join('\n'),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function headline(result: DedupeResult, look: Look): string {
  const rows = total(result);
  const time = look.dim(formatDuration(result.durationMs));
  const lines = [`${verdict(result, rows, look)}  ${time}`];
  if (result.resumedFrom !== undefined) {
    lines.push(`${INDENT}Went on where the run ${result.resumedFrom.runId} had stopped.`);
  }
  if (result.runId !== null) lines.push(`${INDENT}${look.dim(`run ${result.runId}`)}`);
  return lines.join('\n');
}

function verdict({ status, applied }: DedupeResult, rows: number, look: Look): string {
  const amount = formatAmount(rows, 'row');
  switch (status) {
    case 'interrupted':
      return look.bold(
        look.yellow(
          applied ? `■ Interrupted; ${amount} merged, and stored` : '■ Interrupted; nothing was changed',
        ),
      );
    case 'completed':
    case 'partial':
      if (rows === 0) return look.bold(look.green('✔ Nothing is stored twice'));
      return applied
        ? look.bold(look.green(`✔ ${amount} merged`))
        : look.bold(look.yellow(`▲ ${amount} would go; nothing was changed`));
  }
}

async function classTable({ classes, applied }: DedupeResult, look: Look): Promise<string> {
  return renderTable(
    [
      { heading: 'class' },
      { heading: 'what' },
      { heading: 'groups', align: 'right' },
      { heading: applied ? 'rows gone' : 'rows to go', align: 'right' },
    ],
    classes.map(({ class: name, groups, rows }) => [
      rows === 0 ? name : look.bold(name),
      CLASSES[name],
      formatCount(groups),
      formatCount(rows),
    ]),
    look,
  );
}

function samplesSection({ classes }: DedupeResult, look: Look): string {
  const lines = classes.flatMap(({ class: name, groups, samples }) => [
    ...samples.flatMap((sample) => sampleLines(name, sample, look)),
    ...(groups > samples.length && samples.length > 0
      ? [`${INDENT}${look.dim(`and ${formatAmount(groups - samples.length, 'more group')} of ${name}`)}`]
      : []),
  ]);
  return lines.length === 0 ? '' : [look.bold('For example'), ...lines].join('\n');
}

function sampleLines(name: DuplicateClass, sample: DuplicateSample, look: Look): string[] {
  const { connection, survivor, goes, evidence } = sample;
  const where = connection === null ? '' : ` on ${truncate(sanitize(connection), 24)}`;
  const others = goes.length > 1 ? ` and ${goes.length - 1} more` : '';
  return [
    `${INDENT}${name}${where}: ${look.bold(sanitize(survivor))} stays, ${sanitize(goes[0] ?? '')}${others} ${goes.length > 1 ? 'go' : 'goes'}`,
    ...(evidence.length === 0 ? [] : [`${INDENT}${INDENT}${look.dim(sanitize(evidence.join('; ')))}`]),
  ];
}

function keptSection({ collisions, withoutId }: DedupeResult, look: Look): string {
  const lines = [collisions, withoutId].flatMap(({ found, samples }) => [
    ...samples.map(
      ({ connection, externalId, rows, why }) =>
        `${INDENT}${truncate(sanitize(connection), 24)}: ${KEPT[why]}${externalId === null ? '' : ` (${sanitize(externalId)})`}: ${sanitize(rows.slice(0, 3).join(', '))}${rows.length > 3 ? ', …' : ''}`,
    ),
    ...(found > samples.length
      ? [`${INDENT}${look.dim(`and ${formatCount(found - samples.length)} more`)}`]
      : []),
  ]);
  if (lines.length === 0) return '';
  const counts = [
    collisions.found === 0 ? '' : formatAmount(collisions.found, 'collision'),
    withoutId.found === 0 ? '' : `${formatAmount(withoutId.found, 'row')} without an id`,
  ].filter((part) => part !== '');
  return [`${look.bold('Kept as they are')}  ${counts.join(', ')}`, ...lines].join('\n');
}

function sharesSection({ connections, applied }: DedupeResult, look: Look): string {
  const concerned = connections.filter(({ doubled }) => doubled > 0);
  if (concerned.length === 0) return '';
  return [
    look.bold('Connections'),
    ...concerned.map(
      ({ name, messages, doubled, share }) =>
        `${INDENT}${truncate(sanitize(name), 24)}: ${formatCount(doubled)} of ${formatAmount(messages, 'message')} ${applied ? 'went' : 'would go'} (${percent(share)})`,
    ),
  ].join('\n');
}

function nextSteps(result: DedupeResult, { argv }: DedupeCall): Remedy[] {
  if (result.status === 'interrupted') return [typedAgain(argv, 'goes on')];
  const verify = remedy('verify', [], 'looks at what is left, and at all other rules');
  if (!result.applied) {
    return total(result) === 0
      ? [verify]
      : [typedAgain(argv, 'merges it; undo puts it back', (words) => [...words, '--apply'])];
  }
  const steps: Remedy[] = [];
  if (result.requeued > 0) {
    const due = formatAmount(result.requeued, 'entry', 'entries');
    steps.push(remedy('replay', [], `takes up ${due} of the raw log that became due again`));
  }
  steps.push(verify);
  const runs = [result.runId, result.resumedFrom?.runId].filter((id) => typeof id === 'string');
  if (total(result) > 0) {
    steps.push(...runs.map((id) => remedy('undo', [id], 'puts back what this run changed')));
  }
  return steps;
}

function connectionGrid({ connections }: DedupeResult): Grid {
  return {
    title: 'Connections',
    columns: ['name', 'messages', 'doubled', 'share'],
    rows: connections.map(({ name, messages, doubled, share }) => [name, messages, doubled, percent(share)]),
  };
}

function sampleGrid(classes: readonly DuplicateCounts[]): Grid {
  return {
    title: 'For example',
    columns: ['class', 'connection', 'stays', 'goes', 'evidence'],
    rows: classes.flatMap(({ class: name, samples }) =>
      samples.map(({ connection, survivor, goes, evidence }) => [
        name,
        connection,
        survivor,
        goes.join(' '),
        evidence.join('; '),
      ]),
    ),
  };
}

function keptGrid({ collisions, withoutId }: DedupeResult): Grid {
  return {
    title: `Kept as they are (${collisions.found + withoutId.found})`,
    columns: ['connection', 'why', 'id', 'rows'],
    rows: [...collisions.samples, ...withoutId.samples].map(({ connection, why, externalId, rows }) => [
      connection,
      KEPT[why],
      externalId,
      rows.join(' '),
    ]),
  };
}

function total({ classes }: DedupeResult): number {
  return classes.reduce((sum, { rows }) => sum + rows, 0);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
