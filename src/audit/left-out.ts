import { remedy } from '../model/remedy.js';
import type { EntryGroup } from '../store/queries/report.js';
import type { RejectGroup } from '../store/tables/rejects.js';
import { amount } from '../model/amount.js';
import { alert, type Alert } from './alert.js';

/** Items that were rejected lately; `connection` is null for those that no connection takes. */
export function rejectAlert(
  connection: { id: string; name: string } | null,
  rejects: readonly RejectGroup[],
  days: number,
): Alert[] {
  const recent = rejects.filter((group) => group.recent.count > 0);
  const [most] = [...recent].sort((a, b) => b.recent.count - a.recent.count);
  if (most === undefined) return [];
  const count = recent.reduce((total, group) => total + group.recent.count, 0);
  const reasons = recent.map(
    (group) => `${group.recent.count.toLocaleString('en-US')} ${group.reason.replaceAll('_', ' ')}`,
  );
  return [
    alert('rejects', connection, {
      since: Math.min(...recent.flatMap((group) => group.recent.firstAt ?? [])),
      state: Math.max(...recent.flatMap((group) => group.recent.lastAt ?? [])),
      count,
      message: `${amount(count, 'item was', 'items were')} rejected in the last ${amount(days, 'day')}: ${reasons.join(', ')}.`,
      remedy: remedy('explain', [`log:${most.webhookLogId}`], 'shows the entry and what was rejected of it'),
    }),
  ];
}

/** Entries that brought nothing, because they are not JSON or their form is not known. */
export function brokenAlerts(entries: readonly EntryGroup[], days: number): Alert[] {
  const kinds = [
    {
      status: 'failed',
      one: 'is broken JSON',
      many: 'are broken JSON',
      advice: 'Export it again and replay that.',
    },
    {
      status: 'unrecognized',
      one: 'is in an unknown format',
      many: 'are in an unknown format',
      advice: 'It is kept; a version that supports it can replay it.',
    },
  ];
  return kinds.flatMap(({ status, one, many, advice }) => {
    const groups = entries.filter((group) => group.status === status && group.isRecent);
    const count = groups.reduce((total, group) => total + group.count, 0);
    const [first] = groups
      .flatMap(({ firstBroken }) => firstBroken ?? [])
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    if (first === undefined) return [];
    const { id, origin } = first;
    return [
      alert('entries_failed', null, {
        since: Math.min(...groups.map(({ firstStoredAt }) => firstStoredAt)),
        state: Math.max(...groups.map(({ lastStoredAt }) => lastStoredAt)),
        subject: status,
        count,
        message: `${amount(count, 'entry', 'entries')} of the last ${amount(days, 'day')} ${count === 1 ? one : many}, the first at ${origin ?? `log:${id}`}. ${advice}`,
        remedy: remedy('explain', [`log:${id}`], 'shows the first of them'),
      }),
    ];
  });
}
