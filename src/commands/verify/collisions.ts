import { countMessages, streamCollisionRecords } from '../../store/checks/messages.js';
import { amount } from '../../model/amount.js';
import type { Check } from './check.js';
import { isKeySound } from './duplicate-ids.js';
import { streamDecisions } from './message-doubles.js';
import { Recorder } from './recorder.js';
import { scopeOf } from './scope-of.js';
import { explainRemedy, listRows } from './words.js';

/**
 * No id is claimed by two different messages (M9). No machine can tell which one is right, so these are never merged. What
 * replay rejected for it is on record, and only noted.
 */
export const collisionsCheck: Check = {
  name: 'collisions',
  title: 'no id is claimed by two messages',
  async run(view) {
    const recorder = new Recorder(view, 'collisions');
    const scope = scopeOf(view);
    recorder.checked = await countMessages(view.sql, scope);
    const examples: (string | null)[] = [];
    if (!(await isKeySound(view))) {
      for await (const { kept } of streamDecisions(view, 'same_id')) {
        for (const { connectionId, externalId, rows, why } of kept) {
          if (examples.length === 0) examples.push(externalId);
          const where =
            why === 'other_conversation' ? 'in several conversations' : 'that say different things';
          const detail = `${amount(rows.length, 'message')} ${where}: ${listRows(rows)}`;
          await recorder.finding('!', { connectionId, subject: externalId ?? 'no id', detail });
        }
      }
    }
    for await (const records of streamCollisionRecords(view.sql, scope)) {
      if (view.signal.aborted) break;
      for (const { connectionId, externalId, webhookLogId, path } of records) {
        if (examples.length === 0) examples.push(externalId);
        const detail = `rejected, on record: log:${webhookLogId} ${path}`;
        await recorder.note('!', { connectionId, subject: externalId ?? path, detail });
      }
    }
    const remedy = examples[0] === undefined ? null : explainRemedy(examples[0]);
    return recorder.result(summaryOf(recorder), remedy);
  },
};

function summaryOf({ found, noted }: Recorder): string {
  const parts = [
    ...(found > 0 ? [`${amount(found, 'id is', 'ids are')} claimed by several messages`] : []),
    ...(noted > 0 ? [`${amount(noted, 'collision')} rejected and on record`] : []),
  ];
  return parts.length === 0 ? 'No id is claimed by two messages' : parts.join('; ');
}
