import type { KeptEntries, RawDiscardResult } from '../../core/raw-discard/result.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import type { Look } from './look.js';
import type { Grid, Presentation } from './presentation.js';
import { formatAmount, formatBytes, formatCount } from './quantities.js';
import { sanitize } from './sanitize.js';
import { renderTable } from './table.js';

/** So many files are shown to people; JSON has all. */
const SHOWN_FILES = 20;

const WHY: Readonly<Record<KeptEntries['reason'], string>> = {
  messages: 'messages came from them, which would have no source',
  history: 'they are history chunks, which would count as missing',
  updates: 'their updates wait for a message',
  applied: 'items of them were applied',
  in_progress: 'a replay has not finished them',
};

/** What `raw discard` did or would do, in every format. `apply`: the command that does it. */
export function presentRawDiscard(result: RawDiscardResult, apply: Remedy): Presentation {
  const files: Grid = {
    columns: ['file', 'connection', 'entries', 'discarded', 'kept', 'bytes', 'messages'],
    rows: result.files.map((row) => [
      row.file,
      row.connection,
      row.entries,
      row.discarded,
      row.kept,
      row.bytes,
      row.messages,
    ]),
  };
  const kept: Grid = {
    title: 'Kept',
    columns: ['reason', 'entries', 'messages', 'samples'],
    rows: result.kept.map((row) => [
      row.reason,
      row.entries,
      row.messages,
      row.samples.map(nameOf).join(' '),
    ]),
  };
  return {
    json: { ...result, remedies: nextSteps(result, apply) },
    lines: [result],
    csv: files,
    markdown: [{ title: headline(result), ...files }, ...(result.kept.length === 0 ? [] : [kept])],
    text: (look) => describe(result, apply, look),
  };
}

async function describe(result: RawDiscardResult, apply: Remedy, look: Look): Promise<string> {
  const { files, kept, applied, runId, status } = result;
  const mark = status === 'completed' ? look.green('✔') : look.yellow('!');
  const shown = files.slice(0, SHOWN_FILES);
  const table = await renderTable(
    [
      { heading: 'file' },
      { heading: 'connection' },
      { heading: applied ? 'discarded' : 'to discard', align: 'right' },
      { heading: 'kept', align: 'right' },
      { heading: 'messages', align: 'right' },
    ],
    shown.map((row) => [
      sanitize(row.file ?? '–'),
      sanitize(row.connection ?? '–'),
      formatCount(row.discarded),
      formatCount(row.kept),
      formatCount(row.messages),
    ]),
    look,
    '  ',
  );
  const parts = [
    `${mark} ${headline(result)}.`,
    ...(runId === null ? [] : [look.dim(`  run ${runId}`)]),
    '',
    table,
  ];
  if (files.length > shown.length) {
    parts.push(look.dim(`  and ${formatAmount(files.length - shown.length, 'more file')}`));
  }
  if (kept.length > 0) parts.push('', look.bold('Kept'), ...kept.flatMap((one) => keptLines(one, look)));
  const next = nextSteps(result, apply);
  if (next.length > 0) {
    parts.push(
      '',
      look.bold('Next'),
      ...next.map((one) => `  ${look.cyan(look.line(one))}\n    ${look.dim(one.why)}`),
    );
  }
  return parts.join('\n');
}

function headline({ entries, bytes, applied, rejects }: RawDiscardResult): string {
  const amount = `${formatAmount(entries.discarded, 'raw entry', 'raw entries')} (${formatBytes(bytes)})`;
  const kept = entries.kept === 0 ? '' : `, kept ${formatCount(entries.kept)}`;
  if (entries.discarded === 0) return `Nothing can be discarded${kept}`;
  if (!applied) return `Would discard ${amount}${kept}; nothing was changed`;
  const rejected = rejects === 0 ? '' : ` and ${formatAmount(rejects, 'rejected item')}`;
  return `Discarded ${amount}${rejected}${kept}`;
}

function keptLines({ reason, entries, messages, samples }: KeptEntries, look: Look): string[] {
  const brought = messages === 0 ? '' : ` (${formatAmount(messages, 'message')})`;
  return [
    `  ${formatAmount(entries, 'entry', 'entries')}${brought}: ${WHY[reason]}`,
    ...samples.map((sample) => look.dim(`    ${sanitize(nameOf(sample))}`)),
  ];
}

function nameOf({ id, origin }: KeptEntries['samples'][number]): string {
  return origin === null ? `log:${id}` : `log:${id} ${origin}`;
}

function nextSteps({ runId, entries }: RawDiscardResult, apply: Remedy): Remedy[] {
  if (runId !== null) return [remedy('undo', [runId], 'puts them back, byte for byte')];
  return entries.discarded === 0 ? [] : [apply];
}
