import { countMessages, streamSameIds, streamTwins } from '../../store/checks/message-ids.js';
import { TWIN_TOLERANCE_MS } from '../plan/message-book.js';
import type { Check } from './check.js';
import { Recorder } from './recorder.js';
import { judgeSameId } from './same-id.js';
import { scopeOf } from './scope-of.js';
import { amount, DEDUPE_COMMAND, listRows } from './words.js';

/** No message is stored twice: neither under one id (M1) nor under both of its names (M10). Finds rows too many. */
export const duplicateIdsCheck: Check = {
  name: 'duplicate_ids',
  title: 'every message is there once',
  async run(view) {
    const recorder = new Recorder(view, 'duplicate_ids');
    const scope = scopeOf(view);
    recorder.checked = await countMessages(view.sql, scope);
    for await (const rows of streamSameIds(view.sql, scope)) {
      if (view.signal.aborted) break;
      const [first] = rows;
      const { copies } = judgeSameId(rows);
      if (first === undefined || copies === 0) continue;
      const { connectionId, externalId } = first;
      const detail = `${amount(copies, 'copy', 'copies')} too many: ${listRows(rows)}`;
      await recorder.finding('*', { connectionId, subject: externalId, detail }, copies);
    }
    for await (const twins of streamTwins(view.sql, scope, TWIN_TOLERANCE_MS)) {
      if (view.signal.aborted) break;
      for (const { connectionId, wamid, keyId, apart } of twins) {
        const detail = `is there as ${keyId} as well, ${apart} ms apart`;
        await recorder.finding('*', { connectionId, subject: wamid, detail });
      }
    }
    return recorder.found === 0
      ? recorder.result(`${amount(recorder.checked, 'message')}, each there once`, null)
      : recorder.result(`${amount(recorder.found, 'row')} too many`, DEDUPE_COMMAND);
  },
};
