import { countMessages } from '../../store/checks/message-ids.js';
import { streamMessagesFromElsewhere } from '../../store/checks/raw-entries.js';
import { amount } from '../amount.js';
import type { Check } from './check.js';
import { Recorder } from './recorder.js';
import { scopeOf } from './scope-of.js';

/** Where every message came from can be shown. One from another program, or from before the log was kept, is no fault. */
export const rawEntryCheck: Check = {
  name: 'raw_entry',
  title: 'every message has its raw entry',
  async run(view) {
    const recorder = new Recorder(view, 'raw_entry');
    const scope = scopeOf(view);
    recorder.checked = await countMessages(view.sql, scope);
    for await (const page of streamMessagesFromElsewhere(view.sql, scope)) {
      if (view.signal.aborted) break;
      for (const { id, connectionId, externalId, batchId } of page) {
        await recorder.note('-', {
          connectionId,
          subject: externalId ?? `message ${id}`,
          detail:
            batchId === null ? 'from elsewhere' : `from elsewhere: log:${batchId} is not in the raw log`,
        });
      }
    }
    return recorder.result(
      recorder.noted === 0
        ? `${amount(recorder.checked, 'message')} with their raw entries`
        : `${amount(recorder.noted, 'message is', 'messages are')} from elsewhere: no raw entry tells of them`,
      null,
    );
  },
};
