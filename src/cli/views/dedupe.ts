import type {
  DedupeResult,
  DuplicateClass,
  DuplicateCounts,
  DuplicateSample,
  LookAlike,
} from '../../commands/dedupe/result.js';
import { needsForce } from '../../commands/dedupe/result.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import type { Presentation } from '../ui/presentation.js';
import { formatAmount, formatCount, formatDuration } from '../ui/quantities.js';
import { typedAgain, withoutDryRun } from '../typed-again.js';
import {
  faint,
  fields,
  list,
  numbers,
  section,
  span,
  table,
  text,
  type Block,
  type Item,
  type Line,
  type Verdict,
} from '../ui/document.js';

/** What each class is, for people. */
const CLASSES: Readonly<Record<DuplicateClass, string>> = {
  lead: 'two contacts that are one person',
  conversation: 'two conversations or open tickets of one contact',
  same_id: 'several rows with one id',
  same_message: 'one message under two ids',
  no_id: 'copies without an id',
};

const KEPT: Readonly<Record<LookAlike['why'], string>> = {
  other_conversation: 'one id in several conversations',
  other_content: 'one id, different contents',
  no_twin: 'no id, and not a copy of another message',
};

/** How the command was called, as far as the advice depends on it. */
export interface DedupeCall {
  argv: readonly string[];
}

/** A plan or a run of dedupe in every format. */
export function presentDedupe(result: DedupeResult, call: DedupeCall): Presentation {
  const { classes, ...summary } = result;
  return {
    json: result,
    lines: [...classes, summary],
    csv: {
      columns: ['class', 'groups', 'rows'],
      rows: classes.map(({ class: name, groups, rows }) => [name, groups, rows]),
    },
    document: {
      verdict: verdictOf(result),
      blocks: [
        section('Duplicates', [classTable(result)]),
        section('Examples', [list(classes.flatMap((counts) => exampleItems(counts, result.applied)))]),
        keptSection(result),
        section('Connections', [connectionLines(result)]),
        fields([
          ['database', result.database],
          ['run', result.runId],
        ]),
      ],
      next: nextSteps(result, call),
    },
  };
}

/** A database without a connection may be the wrong one: nothing in it counts as good. */
export function hasNothing({ connections, classes, status }: DedupeResult): boolean {
  return status === 'completed' && connections.length === 0 && classes.every(({ groups }) => groups === 0);
}

function verdictOf(result: DedupeResult): Verdict {
  const { status, applied, durationMs, resumedFrom } = result;
  const rows = total(result);
  const amount = formatAmount(rows, 'duplicate');
  const detail = formatDuration(durationMs);
  const remarks =
    resumedFrom === undefined ? [] : [`Resumed the run ${resumedFrom.runId}, which had been stopped.`];
  switch (status) {
    case 'interrupted':
      return {
        mark: 'stopped',
        text: applied ? `Interrupted; ${amount} merged` : 'Interrupted; nothing was changed',
        detail,
        remarks,
      };
    case 'completed':
    case 'partial':
      if (hasNothing(result))
        return { mark: 'warn', text: 'Nothing to look through: there is no connection', detail, remarks };
      if (rows === 0) return { mark: 'good', text: 'No duplicates', detail, remarks };
      return applied
        ? { mark: 'good', text: `${amount} merged`, detail, remarks }
        : { mark: 'warn', text: `${amount} found; nothing was changed`, detail, remarks };
  }
}

/** Only classes of which there are any. */
function classTable({ classes, applied }: DedupeResult): Block {
  return table(
    ['class', 'what', numbers('groups'), numbers(applied ? 'rows deleted' : 'rows to delete')],
    classes
      .filter(({ groups }) => groups > 0)
      .map(({ class: name, groups, rows }) => [
        span('strong', name),
        CLASSES[name],
        formatCount(groups),
        formatCount(rows),
      ]),
  );
}

function exampleItems({ class: name, groups, samples }: DuplicateCounts, applied: boolean): Item[] {
  const more = groups - samples.length;
  return [
    ...samples.map((sample) => ({
      line: sampleLine(name, sample, applied),
      under: sample.evidence.map(faint),
    })),
    ...(more > 0 && samples.length > 0
      ? [{ line: faint(`and ${formatAmount(more, 'more group')} of ${name}`) }]
      : []),
  ];
}

function sampleLine(name: DuplicateClass, sample: DuplicateSample, applied: boolean): Line {
  const { connection, survivor, goes } = sample;
  const where = connection === null ? '' : ` on ${connection}`;
  const others = goes.length > 1 ? ` and ${goes.length - 1} more` : '';
  const [keep, remove] = applied ? ['kept', 'deleted'] : ['keep', 'delete'];
  return [`${name}${where}: ${keep} `, span('strong', survivor), `, ${remove} ${goes[0] ?? ''}${others}`];
}

function keptSection({ collisions, withoutId }: DedupeResult): Block {
  const counts = [
    ...(collisions.found === 0 ? [] : [formatAmount(collisions.found, 'collision')]),
    ...(withoutId.found === 0 ? [] : [`${formatAmount(withoutId.found, 'row')} without an id`]),
  ];
  const items = [collisions, withoutId].flatMap(({ found, samples }): Item[] => [
    ...samples.map(({ connection, externalId, rows, why }) => ({
      line: `${connection}: ${KEPT[why]}${externalId === null ? '' : ` (${externalId})`}: ${rows.slice(0, 3).join(', ')}${rows.length > 3 ? ', …' : ''}`,
    })),
    ...(found > samples.length ? [{ line: faint(`and ${formatCount(found - samples.length)} more`) }] : []),
  ]);
  return section('Not duplicates', [list(items)], counts.join(', '));
}

function connectionLines({ connections, applied }: DedupeResult): Block {
  return text(
    ...connections
      .filter(({ doubled }) => doubled > 0)
      .map(
        ({ name, messages, doubled, share }) =>
          `${name}: ${formatCount(doubled)} of ${formatAmount(messages, 'message')} ${applied ? 'deleted' : 'to delete'} (${(share * 100).toFixed(1)} %)`,
      ),
  );
}

function nextSteps(result: DedupeResult, { argv }: DedupeCall): Remedy[] {
  if (result.status === 'interrupted') return [typedAgain(argv, 'resumes it')];
  if (hasNothing(result))
    return [remedy('replay', ['LOG', '--register'], 'imports a webhook log, and adds its connections')];
  const verify = remedy('verify', [], 'checks everything else');
  if (!result.applied) {
    return total(result) === 0
      ? [verify]
      : needsForce(result)
        ? [
            typedAgain(argv, 'merges them although there are many; undo restores them', (words) => [
              ...withoutDryRun(words),
              '--apply',
              '--force',
            ]),
          ]
        : [
            typedAgain(argv, 'merges the duplicates; undo restores them', (words) => [
              ...withoutDryRun(words),
              '--apply',
            ]),
          ];
  }
  const steps: Remedy[] = [];
  if (result.requeued > 0) {
    const due = formatAmount(result.requeued, 'raw entry', 'raw entries');
    steps.push(
      remedy('replay', [], `replays ${due} that ${result.requeued === 1 ? 'is' : 'are'} pending again`),
    );
  }
  steps.push(verify);
  const runs = [result.runId, result.resumedFrom?.runId].filter((id) => typeof id === 'string');
  if (total(result) > 0) {
    steps.push(...runs.map((id) => remedy('undo', [id], 'restores what this run changed')));
  }
  return steps;
}

function total({ classes }: DedupeResult): number {
  return classes.reduce((sum, { rows }) => sum + rows, 0);
}
