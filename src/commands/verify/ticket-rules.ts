import { streamOpenTickets } from '../../store/checks/tickets.js';
import { CAME_LIVE_SQL } from '../../rules/evidence.js';
import { amount } from '../../model/amount.js';
import type { Check } from './check.js';
import { judgeTickets } from './judge-tickets.js';
import { Recorder } from './recorder.js';
import { scopeOf } from './scope-of.js';
import { ENFORCE_REMEDY } from './words.js';

/**
 * Open tickets say what their messages and their lead's source say (T1-T4). Tickets that people or other programs opened, or
 * moved to another stage, are left alone.
 */
export const ticketRulesCheck: Check = {
  name: 'ticket_rules',
  title: 'open tickets follow their live messages and the source of their leads',
  async run(view) {
    const recorder = new Recorder(view, 'ticket_rules');
    let baseless = 0;
    let mendable = 0;
    for await (const page of streamOpenTickets(view.sql, scopeOf(view), CAME_LIVE_SQL)) {
      if (view.signal.aborted) break;
      for (const { ticket, problems, mended, isBaseless } of await judgeTickets(view.sql, page)) {
        recorder.checked += 1;
        const { connectionId } = ticket;
        const subject = `ticket ${ticket.id}`;
        if (problems.length === 0) await recorder.good({ connectionId, subject, detail: 'open' });
        else {
          if (isBaseless) baseless += 1;
          if (mended !== null) mendable += 1;
          await recorder.finding('*', { connectionId, subject, detail: problems.join('; ') });
        }
      }
    }
    if (recorder.found === 0) {
      return recorder.result(
        `${amount(recorder.checked, 'open ticket')} that follow the open/close rules`,
        null,
      );
    }
    const wrong = `${amount(recorder.found, 'open ticket does', 'open tickets do')} not follow the open/close rules`;
    return recorder.result(
      baseless === 0
        ? wrong
        : `${wrong}; ${amount(baseless, 'of them rests', 'of them rest')} on no live message that is stored: for people to close or to keep`,
      mendable > 0 ? ENFORCE_REMEDY : null,
    );
  },
};
