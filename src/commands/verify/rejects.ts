import { readAlertAcks } from '../../store/tables/alert-acks.js';
import { readEntryGroups } from '../../store/queries/report.js';
import { readRejectGroups } from '../../store/tables/rejects.js';
import { amount } from '../../model/amount.js';
import { acknowledge } from '../../audit/acknowledgements.js';
import { brokenAlerts, rejectAlert } from '../../audit/left-out.js';
import type { Check } from './check.js';
import { Recorder } from './recorder.js';

/** As long as `report` shows them: what nobody has looked at by then is not looked at because a check repeats it. */
const DAYS = 14;

/** What came lately and could not become a message: rejected items, broken and unknown entries, unless acknowledged. */
export const rejectsCheck: Check = {
  name: 'rejects',
  title: `no item was rejected and no entry unreadable in the last ${DAYS} days, but for what is acknowledged`,
  async run(view) {
    const { sql, now } = view;
    const recorder = new Recorder(view, 'rejects');
    const since = now - DAYS * 86_400_000;
    const groups = await readRejectGroups(sql, since);
    const of = (connectionId: string | null): typeof groups =>
      groups.filter((group) => group.connectionId === connectionId);
    const raised = [
      ...view.connections.flatMap((connection) => rejectAlert(connection, of(connection.id), DAYS)),
      ...(view.restricted
        ? []
        : [...rejectAlert(null, of(null), DAYS), ...brokenAlerts(await readEntryGroups(sql, since), DAYS)]),
    ];
    const alerts = acknowledge(raised, await readAlertAcks(sql), now);
    for (const { acknowledged, connectionId, id, message, count } of alerts) {
      recorder.checked += count ?? 1;
      const item = { connectionId, subject: id, detail: message };
      if (acknowledged === null) await recorder.finding('!', item, count ?? 1);
    }
    const open = alerts.filter(({ acknowledged }) => acknowledged === null);
    const told =
      recorder.checked === 0
        ? 'Nothing rejected or unreadable'
        : `${amount(recorder.checked, 'rejected item or unreadable entry', 'rejected items and unreadable entries')}, ${recorder.found} not acknowledged`;
    return recorder.result(`${told} in the last ${DAYS} days`, open[0]?.remedy ?? null);
  },
};
