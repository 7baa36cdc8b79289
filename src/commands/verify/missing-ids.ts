import { countMessages } from '../../store/checks/messages.js';
import { amount } from '../../model/amount.js';
import type { Check } from './check.js';
import { streamDecisions } from './message-doubles.js';
import { Recorder } from './recorder.js';
import { scopeOf } from './scope-of.js';
import { DEDUPE_REMEDY, explainRemedy } from './words.js';

/** Every message has an id. Replay stores none without (M7): these come from elsewhere. */
export const missingIdsCheck: Check = {
  name: 'missing_ids',
  title: 'every message has an id',
  async run(view) {
    const recorder = new Recorder(view, 'missing_ids');
    recorder.checked = await countMessages(view.sql, scopeOf(view));
    let copies = 0;
    let unnamed: string | null = null;
    for await (const { merges, kept } of streamDecisions(view, 'no_id')) {
      for (const { kept: twin, lost } of merges) {
        for (const { row } of lost) {
          copies += 1;
          const detail = `has no id; a copy of ${twin.row.externalId}`;
          await recorder.finding('*', { connectionId: row.connectionId, subject: `row ${row.id}`, detail });
        }
      }
      for (const { connectionId, rows } of kept) {
        const subject = `row ${rows.join(', ')}`;
        unnamed ??= rows[0] ?? null;
        await recorder.finding('!', {
          connectionId,
          subject,
          detail: 'has no id, and is no copy of a message with one',
        });
      }
    }
    if (recorder.found === 0) {
      return recorder.result(`${amount(recorder.checked, 'message')}, each with an id`, null);
    }
    const rest = recorder.found - copies;
    const parts = [
      ...(copies > 0 ? [`${amount(copies, 'copy', 'copies')} of messages with one`] : []),
      ...(rest > 0 ? [`${amount(rest, 'message')} that nothing can name`] : []),
    ];
    return recorder.result(
      `${amount(recorder.found, 'message')} without an id: ${parts.join(', ')}`,
      copies > 0 ? DEDUPE_REMEDY : explainRemedy(unnamed),
    );
  },
};
