import { ENFORCE_VALUES_REMEDY, judgeTickets } from '../../audit/derived-rows.js';
import { amount } from '../../model/amount.js';
import { remedy } from '../../model/remedy.js';
import { CAME_LIVE_SQL } from '../../rules/evidence.js';
import { streamOpenTickets, streamTicketless } from '../../store/checks/conversations.js';
import { forEachRow, scopeOf, type Check } from './check.js';

/** A person decides about a ticket without its message, but only after a replay has restored the log's messages. */
export const BY_HAND = ': close or keep by hand';

/**
 * Open tickets match their messages and their lead's source (T1-T4). Ignores tickets that people or other programs
 * opened or moved to another stage. A live message without a ticket (T2) is only noted: another program may have
 * removed the ticket on purpose, and the two look alike.
 */
export const ticketRulesCheck: Check = {
  severity: 'degraded',
  async run(view, recorder) {
    let baseless = 0;
    let fixable = 0;
    for await (const page of streamOpenTickets(view.sql, scopeOf(view), CAME_LIVE_SQL)) {
      if (view.signal.aborted) break;
      for (const judged of await judgeTickets(view.sql, page)) {
        const { ticket, problems, corrected, isBaseless, isAway } = judged;
        recorder.checked += 1;
        const { connectionId } = ticket;
        const subject = `ticket ${ticket.id}`;
        if (problems.length === 0) await recorder.good({ connectionId, subject, detail: 'open' });
        else {
          if (isBaseless) baseless += 1;
          if (corrected !== null || isAway) fixable += 1;
          await recorder.finding('*', { connectionId, subject, detail: problems.join('; ') });
        }
      }
    }
    await forEachRow(view, streamTicketless(view.sql, scopeOf(view), CAME_LIVE_SQL), (row) =>
      recorder.note('-', {
        connectionId: row.connectionId,
        subject: row.externalId,
        detail: `came live at ${time(row.timestamp)}, and no ticket of its conversation is open or was closed since`,
      }),
    );
    const { checked, found, noted } = recorder;
    if (found === 0) {
      const follow = amount(checked, 'open ticket follows', 'open tickets follow');
      const none = `${amount(noted, 'conversation has', 'conversations have')} no ticket for the newest live message`;
      return noted === 0
        ? { summary: `${follow} the open/close rules` }
        : {
            summary: `${follow} the open/close rules; ${none}`,
            remedy: remedy(
              'replay',
              ['--all'],
              'opens the tickets again, if no other program has removed them',
            ),
          };
    }
    const wrong = `${amount(found, 'open ticket does', 'open tickets do')} not follow the open/close rules`;
    const decided = `${amount(baseless, 'of them has', 'of them have')} no live message in the database${BY_HAND}`;
    return {
      summary: baseless === 0 ? wrong : `${wrong}; ${decided}`,
      remedy: fixable > 0 ? ENFORCE_VALUES_REMEDY : null,
    };
  },
};

function time(ms: number): string {
  return new Date(ms).toISOString();
}
