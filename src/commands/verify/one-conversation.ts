import { countConversations, streamDoubledConversations } from '../../store/checks/conversations.js';
import { amount } from '../../model/amount.js';
import type { Check } from './check.js';
import { Recorder } from './recorder.js';
import { scopeOf } from './scope-of.js';
import { DEDUPE_REMEDY } from './words.js';

/** One lead has one conversation on one connection. */
export const oneConversationCheck: Check = {
  name: 'one_conversation',
  title: 'one conversation per lead and connection',
  async run(view) {
    const recorder = new Recorder(view, 'one_conversation');
    const scope = scopeOf(view);
    recorder.checked = await countConversations(view.sql, scope);
    for await (const crowds of streamDoubledConversations(view.sql, scope)) {
      if (view.signal.aborted) break;
      for (const { connectionId, key, rows } of crowds) {
        await recorder.finding('*', {
          connectionId,
          subject: `lead ${key}`,
          detail: `has ${amount(rows, 'conversation')}`,
        });
      }
    }
    return recorder.found === 0
      ? recorder.result(`${amount(recorder.checked, 'conversation')}, one per lead and connection`, null)
      : recorder.result(
          `${amount(recorder.found, 'lead has', 'leads have')} several conversations on one connection`,
          DEDUPE_REMEDY,
        );
  },
};
