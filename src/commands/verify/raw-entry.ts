import { countMessages, readPathsOfRun, streamMessagesFromElsewhere } from '../../store/checks/messages.js';
import { amount } from '../../model/amount.js';
import type { Check } from './check.js';
import { Recorder } from './recorder.js';
import { scopeOf } from './scope-of.js';
import { replayFileRemedy } from './words.js';

/**
 * Where every message came from can be shown. One that names no raw entry is from another program, or from before the log
 * was kept, which is no fault; one whose entry is gone has lost its evidence.
 */
export const rawEntryCheck: Check = {
  name: 'raw_entry',
  title: 'every message has its raw entry',
  async run(view) {
    const recorder = new Recorder(view, 'raw_entry');
    const scope = scopeOf(view);
    recorder.checked = await countMessages(view.sql, scope);
    let runId: string | null = null;
    for await (const page of streamMessagesFromElsewhere(view.sql, scope)) {
      if (view.signal.aborted) break;
      for (const row of page) {
        const { id, connectionId, externalId, batchId } = row;
        const subject = externalId ?? `message ${id}`;
        if (batchId === null) {
          await recorder.note('-', { connectionId, subject, detail: 'from elsewhere' });
          continue;
        }
        runId ??= row.runId;
        const detail = `its raw entry log:${batchId} is gone`;
        await recorder.finding('-', { connectionId, subject, detail });
      }
    }
    const { found, noted } = recorder;
    const parts = [
      ...(found > 0
        ? [`${amount(found, 'message names', 'messages name')} a raw entry that is gone from the raw log`]
        : []),
      ...(noted > 0
        ? [
            `${amount(noted, 'message has', 'messages have')} no raw log entry (deleted, or written by another program)`,
          ]
        : []),
    ];
    const [only, second] = found > 0 && runId !== null ? await readPathsOfRun(view.sql, runId) : [];
    const file = only === undefined || only === '-' || second !== undefined ? null : only;
    return recorder.result(
      parts.length > 0 ? parts.join('; ') : `${amount(recorder.checked, 'message')} with their raw entries`,
      found > 0 ? replayFileRemedy(file) : null,
    );
  },
};
