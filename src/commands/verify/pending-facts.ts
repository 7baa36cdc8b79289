import { countPendingFacts, streamOverdueFacts } from '../../store/checks/messages.js';
import { readArchivedConnections } from '../../store/tables/connections.js';
import { amount } from '../../model/amount.js';
import type { Check } from './check.js';
import { Recorder } from './recorder.js';
import { scopeOf } from './scope-of.js';
import { explainRemedy, REPLAY_ALL_REMEDY } from './words.js';

/** Webhooks come in any order, but within minutes: after a day, a message is not late but missing. */
const OVERDUE_MS = 24 * 60 * 60 * 1000;

/** No status, edit, revoke or reaction has waited more than a day for its message. */
export const pendingFactsCheck: Check = {
  name: 'pending_facts',
  title: 'nothing has waited for its message for a day',
  async run(view) {
    const recorder = new Recorder(view, 'pending_facts');
    const scope = scopeOf(view);
    recorder.checked = await countPendingFacts(view.sql, scope);
    const archived = await readArchivedConnections(view.sql);
    let stored = 0;
    let replayable = false;
    let example: string | null = null;
    for await (const facts of streamOverdueFacts(view.sql, scope, view.now - OVERDUE_MS)) {
      if (view.signal.aborted) break;
      for (const { connectionId, targetExternalId, kind, at, webhookLogId, isStored, isInLog } of facts) {
        // Nothing is expected of an archived connection.
        if (archived.has(connectionId)) continue;
        if (isStored) stored += 1;
        if (isStored && isInLog) replayable = true;
        else example ??= targetExternalId;
        const of = `${kind} of ${new Date(at).toISOString()}${webhookLogId === null ? '' : `, log:${webhookLogId}`}`;
        const detail = isStored
          ? `${of}: its message came, and it was not applied`
          : `${of}: target message not received`;
        await recorder.finding(isStored ? '*' : '-', { connectionId, subject: targetExternalId, detail });
      }
    }
    if (recorder.found === 0) {
      const pending =
        recorder.checked === 0 ? 'No pending updates' : amount(recorder.checked, 'pending update');
      return recorder.result(`${pending}, none for more than a day`, null);
    }
    const without = recorder.found - stored;
    const parts = [
      ...(without > 0 ? [`${amount(without, 'update')} whose target message was not received`] : []),
      ...(stored > 0 ? [`${amount(stored, 'update')} whose target message has no raw log entry`] : []),
    ];
    // Applying what waits is replay's, as soon as it meets the fact or its message again; what is not in the log it never meets.
    return recorder.result(
      `Pending for more than a day: ${parts.join(', ')}`,
      replayable ? REPLAY_ALL_REMEDY : explainRemedy(example),
    );
  },
};
