import type { PruneResult } from '../../commands/prune/types.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import { countOf, faint, fields, list, numbers, section, table } from '../ui/document.js';
import type { Presentation } from '../ui/presentation.js';
import { formatAmount, formatBytes, formatCount } from '../ui/quantities.js';

/** What `prune` did or would do, in every format. `apply`: the command that does it. */
export function presentPrune(result: PruneResult, apply: Remedy): Presentation {
  const { groups, kept, entries, runId, before, status } = result;
  const next = nextSteps(result, apply);
  return {
    json: { ...result, remedies: next },
    lines: [result],
    csv: {
      columns: ['class', 'connection', 'entries', 'bytes'],
      rows: groups.map((row) => [row.class, row.connection, row.entries, row.bytes]),
    },
    document: {
      verdict: { mark: status === 'completed' ? 'good' : 'warn', text: pruneHeadline(result) },
      blocks: [
        section(`Received before ${before.slice(0, 16).replace('T', ' ')} UTC`, [
          table(
            ['class', 'connection', numbers('entries'), numbers('bytes')],
            groups.map((row) => [
              row.class,
              row.connection ?? '–',
              countOf(row.entries),
              formatBytes(row.bytes),
            ]),
          ),
        ]),
        section('Kept: a repair may need them, or their messages changed meanwhile', [
          list([
            ...kept.map((id) => ({ line: [faint(id)] })),
            ...(entries.kept > kept.length
              ? [{ line: [faint(`and ${formatCount(entries.kept - kept.length)} more`)] }]
              : []),
          ]),
        ]),
        fields([['run', runId]]),
      ],
      next,
    },
  };
}

export function pruneHeadline({ entries, bytes, applied, status, vacuumed }: PruneResult): string {
  const space = vacuumed ? '; the space is free again' : '';
  if (entries.planned + entries.kept === 0) return `Nothing to prune${space}`;
  const kept = entries.kept === 0 ? '' : `, ${applied ? 'kept' : 'keep'} ${formatCount(entries.kept)}`;
  if (!applied)
    return `Would prune ${formatAmount(entries.planned, 'raw body', 'raw bodies')} (${formatBytes(bytes)})${kept}; nothing was changed`;
  const stopped = status === 'interrupted' ? ', and was interrupted' : '';
  return `Pruned ${formatAmount(entries.pruned, 'raw body', 'raw bodies')} (${formatBytes(bytes)})${kept}${stopped}${space}`;
}

function nextSteps({ applied, entries }: PruneResult, apply: Remedy): Remedy[] {
  return [
    ...(applied || entries.planned === 0 ? [] : [apply]),
    ...(entries.kept === 0
      ? []
      : [remedy('reconcile', ['--apply'], 'restores what the database lacks; then they can be pruned')]),
  ];
}
