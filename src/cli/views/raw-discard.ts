import type { KeptEntries, RawDiscardResult } from '../../commands/raw-discard/raw-discard.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import type { Presentation } from '../ui/presentation.js';
import { formatAmount, formatBytes, formatCount } from '../ui/quantities.js';
import { countOf, faint, fields, list, numbers, section, table, text } from '../ui/document.js';

/** So many files are shown to people; JSON has all. */
const SHOWN_FILES = 20;

const WHY: Readonly<Record<KeptEntries['reason'], string>> = {
  messages: 'messages were created from them and would lose their source',
  history: 'they are history chunks, which would count as missing',
  updates: 'their updates are pending until their message arrives',
  applied: 'items of them were applied',
  in_progress: 'a replay has not finished them',
};

/** The same, of all entries there are. */
const HAVE: Readonly<Record<KeptEntries['reason'], (isOne: boolean) => string>> = {
  messages: (isOne) => (isOne ? 'has messages' : 'have messages'),
  history: (isOne) => (isOne ? 'is a history chunk' : 'are history chunks'),
  updates: (isOne) => (isOne ? 'has pending updates' : 'have pending updates'),
  applied: (isOne) => (isOne ? 'was applied' : 'were applied'),
  in_progress: (isOne) => (isOne ? 'is being replayed' : 'are being replayed'),
};

/** What `raw discard` did or would do, in every format. `apply`: the command that does it. */
export function presentRawDiscard(result: RawDiscardResult, apply: Remedy): Presentation {
  const { files, kept, applied, runId, status } = result;
  const next = nextSteps(result, apply);
  const more = files.length - SHOWN_FILES;
  return {
    json: { ...result, remedies: next },
    lines: [result],
    csv: {
      columns: ['file', 'connection', 'entries', 'discarded', 'kept', 'bytes', 'messages'],
      rows: files.map((row) => [
        row.file,
        row.connection,
        row.entries,
        row.discarded,
        row.kept,
        row.bytes,
        row.messages,
      ]),
    },
    document: {
      verdict: { mark: status === 'completed' ? 'good' : 'warn', text: headline(result) },
      blocks: [
        section('Files', [
          table(
            [
              'file',
              'connection',
              numbers(applied ? 'discarded' : 'to discard'),
              numbers('kept'),
              numbers('messages'),
            ],
            files
              .slice(0, SHOWN_FILES)
              .map((row) => [
                row.file ?? '–',
                row.connection ?? '–',
                countOf(row.discarded),
                countOf(row.kept),
                countOf(row.messages),
              ]),
          ),
          text(...(more > 0 ? [faint(`and ${formatAmount(more, 'more file')}`)] : [])),
        ]),
        section('Kept', [
          list(
            kept.map(({ reason, entries, messages, samples }) => ({
              line: `${formatAmount(entries, 'entry', 'entries')}${messages === 0 ? '' : ` (${formatAmount(messages, 'message')})`}: ${WHY[reason]}`,
              under: samples.map((sample) => faint(nameOf(sample))),
            })),
          ),
        ]),
        fields([['run', runId]]),
      ],
      next,
    },
  };
}

function headline({ entries, bytes, applied, rejects, kept: reasons }: RawDiscardResult): string {
  const amount = `${formatAmount(entries.discarded, 'raw entry', 'raw entries')} (${formatBytes(bytes)})`;
  const kept = entries.kept === 0 ? '' : `, kept ${formatCount(entries.kept)}`;
  if (entries.discarded === 0) return `Nothing to discard${whyNothing(entries.kept, reasons)}`;
  if (!applied) return `Would discard ${amount}${kept}; nothing was changed`;
  const rejected = rejects === 0 ? '' : ` and ${formatAmount(rejects, 'rejected item')}`;
  return `Discarded ${amount}${rejected}${kept}`;
}

/** `: all 300 entries have messages`; where the reasons differ, the list under the headline has them. */
function whyNothing(chosen: number, reasons: readonly KeptEntries[]): string {
  if (chosen === 0) return '';
  const all = chosen === 1 ? 'the entry' : `all ${formatCount(chosen)} entries`;
  const [only, second] = reasons;
  const isOne = only !== undefined && second === undefined;
  return `: ${all} ${isOne ? HAVE[only.reason](chosen === 1) : `${chosen === 1 ? 'is' : 'are'} in use`}`;
}

function nameOf({ id, origin }: KeptEntries['samples'][number]): string {
  return origin === null ? `log:${id}` : `log:${id} ${origin}`;
}

function nextSteps({ runId, entries, adoptions }: RawDiscardResult, apply: Remedy): Remedy[] {
  const undos = adoptions.map((run) =>
    remedy('undo', [run], 'takes back what --adopt stored, with its raw entries'),
  );
  if (runId !== null) return [remedy('undo', [runId], 'restores them, byte for byte')];
  return entries.discarded === 0 ? undos : [apply, ...undos];
}
