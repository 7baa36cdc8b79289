import { countMessages, streamWithoutId } from '../../store/checks/message-ids.js';
import { TWIN_TOLERANCE_MS } from '../plan/message-book.js';
import type { Check } from './check.js';
import { Recorder } from './recorder.js';
import { scopeOf } from './scope-of.js';
import { amount, DEDUPE_COMMAND } from './words.js';

/** Every message has an id. Replay stores none without (M7): these come from elsewhere. */
export const missingIdsCheck: Check = {
  name: 'missing_ids',
  title: 'every message has an id',
  async run(view) {
    const recorder = new Recorder(view, 'missing_ids');
    const scope = scopeOf(view);
    recorder.checked = await countMessages(view.sql, scope);
    let copies = 0;
    for await (const rows of streamWithoutId(view.sql, scope, TWIN_TOLERANCE_MS)) {
      if (view.signal.aborted) break;
      for (const { id, connectionId, isNull, twin } of rows) {
        if (twin !== null) copies += 1;
        const what = isNull ? 'has no id' : 'has a blank id';
        const detail = twin === null ? `${what}, and no message says the same` : `${what}; a copy of ${twin}`;
        await recorder.finding(twin === null ? '!' : '*', { connectionId, subject: `row ${id}`, detail });
      }
    }
    if (recorder.found === 0)
      return recorder.result(`${amount(recorder.checked, 'message')}, each with an id`, null);
    const rest = recorder.found - copies;
    const parts = [
      ...(copies > 0 ? [`${amount(copies, 'copy', 'copies')} of messages with one`] : []),
      ...(rest > 0 ? [`${amount(rest, 'message')} that nothing can name`] : []),
    ];
    return recorder.result(
      `${amount(recorder.found, 'message')} without an id: ${parts.join(', ')}`,
      copies > 0 ? DEDUPE_COMMAND : null,
    );
  },
};
