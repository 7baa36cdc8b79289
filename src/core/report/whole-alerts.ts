import type { ConnectionRow } from '../../store/connections.js';
import { amount } from '../amount.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import { commandOfRun } from '../recorded-command.js';
import { alert } from './connection-alerts.js';
import type { WholeFacts } from './facts.js';
import type { Alert } from './result.js';
import { listOf, minuteOf } from './words.js';

const NUMBERS_NAMED = 3;

/** Reasons of entries that a run is at work on, and takes up again by itself if it is killed. */
const IN_WORK = new Set(['unfinished', 'unfinished, requeued', 'requeued']);

/** What is wrong with the raw log and the runs. */
export function wholeAlerts(facts: WholeFacts): Alert[] {
  return [...pendingAlerts(facts), ...brokenAlerts(facts), ...diedAlerts(facts)];
}

interface Waiting {
  connection: ConnectionRow | null;
  reason: string;
  count: number;
  since: number;
  numbers: Set<string>;
  nameless: number;
}

function pendingAlerts(facts: WholeFacts): Alert[] {
  const atWork = facts.runs.some(({ row, status }) => status === 'running' && row.command !== 'reconcile');
  const waiting = new Map<string, Waiting>();
  for (const { group, connection } of facts.entries) {
    if (group.status !== 'pending') continue;
    const reason = group.reason ?? 'pending';
    if (atWork && IN_WORK.has(reason)) continue;
    const key = `${connection?.id ?? ''} ${reason}`;
    const known: Waiting = waiting.get(key) ?? {
      connection,
      reason,
      count: 0,
      since: group.firstStoredAt,
      numbers: new Set(),
      nameless: 0,
    };
    known.count += group.count;
    known.since = Math.min(known.since, group.firstStoredAt);
    for (const number of group.phoneNumberIds) known.numbers.add(number);
    if (group.phoneNumberIds.length === 0 && group.scope === null) known.nameless += group.count;
    waiting.set(key, known);
  }
  return [...waiting.values()].map((one) => pendingAlert(one, facts));
}

function pendingAlert(waiting: Waiting, { connections }: WholeFacts): Alert {
  const { connection, count, since, reason } = waiting;
  const entries = amount(count, 'entry waits', 'entries wait');
  const isUnknown = reason === 'unknown_connection' && connection === null;
  const isNameless = isUnknown && waiting.nameless === count;
  const message = isNameless
    ? `${entries} for somebody to say whose ${count === 1 ? 'it is' : 'they are'}: WhatsApp Web events name no number.`
    : isUnknown
      ? `${entries} for a connection that does not exist yet: phone_number_id ${listOf([...waiting.numbers].sort(), NUMBERS_NAMED)}.`
      : `${entries} to be replayed (${reason.replaceAll('_', ' ')}).`;
  return alert('entries_pending', connection?.name ?? null, {
    since,
    count,
    message,
    remedy: isNameless
      ? namelessRemedy(connections)
      : isUnknown
        ? remedy('replay', ['--register'], 'creates the connections that entries name, and replays them')
        : remedy('replay', [], 'replays what is pending'),
  });
}

function namelessRemedy(connections: readonly ConnectionRow[]): Remedy {
  const [only, second] = connections.filter(({ kind }) => kind === 'baileys');
  return only !== undefined && second === undefined
    ? remedy('replay', ['--connection', only.name], 'files them under that connection')
    : remedy('connection add', [], 'adds the connection that they belong to');
}

/** Entries that nothing came of, because they are no JSON or nobody knows their form. */
function brokenAlerts({ entries, days }: WholeFacts): Alert[] {
  const kinds = [
    {
      status: 'failed',
      one: 'is broken JSON',
      many: 'are broken JSON',
      advice: 'Export it again and replay that.',
    },
    {
      status: 'unrecognized',
      one: 'is in no form that is known',
      many: 'are in no form that is known',
      advice: 'It is kept; a version that knows the form can replay it.',
    },
  ];
  return kinds.flatMap(({ status, one, many, advice }) => {
    const groups = entries.filter(({ group }) => group.status === status && group.isRecent);
    const count = groups.reduce((total, { group }) => total + group.count, 0);
    if (count === 0) return [];
    const [origin] = groups.flatMap(({ group }) => group.origin ?? []).sort();
    const [broken] = groups.flatMap(({ group }) => group.broken ?? []).sort();
    const where = origin === undefined ? '' : `, the first at ${origin}`;
    return [
      alert('entries_failed', null, {
        since: Math.min(...groups.map(({ group }) => group.firstStoredAt)),
        count,
        message: `${amount(count, 'entry', 'entries')} of the last ${amount(days, 'day')} ${count === 1 ? one : many}${where}. ${advice}`,
        ...(broken === undefined ? {} : { remedy: remedy('explain', [`log:${broken}`], 'shows the entry') }),
      }),
    ];
  });
}

/** A run that died has done harm only until the same command comes to its end. */
function diedAlerts({ runs, recentSince }: WholeFacts): Alert[] {
  return runs
    .filter(({ row, status }) => status === 'died' && !row.isSucceeded && row.startedAt >= recentSince)
    .map(({ row }) =>
      alert('run_died', null, {
        since: row.startedAt,
        message: `The ${row.command} of ${minuteOf(row.startedAt)} died (process ${row.pid} on ${row.host}). What it had committed is stored; the same command goes on from there.`,
        remedy: commandOfRun(row.command, row.options, 'resumes it'),
      }),
    );
}
