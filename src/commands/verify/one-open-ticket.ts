import { countOpenTickets, streamCrowdedTickets } from '../../store/checks/conversations.js';
import { amount } from '../../model/amount.js';
import type { Check } from './check.js';
import { Recorder } from './recorder.js';
import { scopeOf } from './scope-of.js';
import { DEDUPE_REMEDY } from './words.js';

/** One conversation has one open ticket at most; several become one as when conversations are merged. */
export const oneOpenTicketCheck: Check = {
  name: 'one_open_ticket',
  title: 'one open ticket per conversation',
  async run(view) {
    const recorder = new Recorder(view, 'one_open_ticket');
    const scope = scopeOf(view);
    recorder.checked = await countOpenTickets(view.sql, scope);
    for await (const crowds of streamCrowdedTickets(view.sql, scope)) {
      if (view.signal.aborted) break;
      for (const { connectionId, key, rows } of crowds) {
        await recorder.finding('*', {
          connectionId,
          subject: `conversation ${key}`,
          detail: `has ${amount(rows, 'open ticket')}`,
        });
      }
    }
    return recorder.found === 0
      ? recorder.result(`${amount(recorder.checked, 'open ticket')}, one per conversation`, null)
      : recorder.result(
          `${amount(recorder.found, 'conversation has', 'conversations have')} several open tickets`,
          DEDUPE_REMEDY,
        );
  },
};
