import { remedy, type Remedy } from '../../model/remedy.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import { amount } from '../../model/amount.js';
import { commandOfRun } from '../../ingest/runs/recorded-command.js';
import { alert, type Alert } from '../../audit/alert.js';
import { brokenAlerts, rejectAlert } from '../../audit/left-out.js';
import type { WholeFacts } from './facts.js';
import { listOf, minuteOf } from './words.js';

const NUMBERS_NAMED = 3;

/** Reasons of entries that a run is at work on, and takes up again by itself if it is killed. */
const IN_WORK = new Set(['unfinished', 'unfinished, requeued', 'requeued']);

/** What is wrong with the raw log and the runs. */
export function wholeAlerts(facts: WholeFacts): Alert[] {
  return [
    ...pendingAlerts(facts),
    ...brokenAlerts(
      facts.entries.map(({ group }) => group),
      facts.days,
    ),
    ...rejectAlert(null, facts.rejects, facts.days),
    ...diedAlerts(facts),
  ];
}

interface Waiting {
  connection: ConnectionRow | null;
  reason: string;
  count: number;
  since: number;
  newest: number;
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
      newest: group.lastStoredAt,
      numbers: new Set(),
      nameless: 0,
    };
    known.count += group.count;
    known.since = Math.min(known.since, group.firstStoredAt);
    known.newest = Math.max(known.newest, group.lastStoredAt);
    for (const number of group.phoneNumberIds) known.numbers.add(number);
    if (group.phoneNumberIds.length === 0 && group.scope === null) known.nameless += group.count;
    waiting.set(key, known);
  }
  return [...waiting.values()].map((one) => pendingAlert(one, facts));
}

function pendingAlert(waiting: Waiting, { connections }: WholeFacts): Alert {
  const { connection, count, since, newest, reason } = waiting;
  const entries = amount(count, 'entry is', 'entries are');
  const isUnknown = reason === 'unknown_connection' && connection === null;
  const isNameless = isUnknown && waiting.nameless === count;
  const message = isNameless
    ? `${entries} pending: WhatsApp Web events name no number, so say which connection ${count === 1 ? 'it belongs' : 'they belong'} to.`
    : isUnknown
      ? `${entries} pending for a connection that does not exist yet: phone_number_id ${listOf([...waiting.numbers].sort(), NUMBERS_NAMED)}.`
      : `${entries} pending (${reason.replaceAll('_', ' ')}).`;
  return alert('entries_pending', connection, {
    since,
    state: newest,
    subject: reason,
    count,
    message,
    remedy: isNameless
      ? namelessRemedy(connections)
      : isUnknown
        ? remedy('replay', ['--register'], 'creates the connections that the entries name, and imports them')
        : remedy('replay', [], 'imports the pending entries'),
  });
}

function namelessRemedy(connections: readonly ConnectionRow[]): Remedy {
  const [only, second] = connections.filter(({ kind }) => kind === 'baileys');
  return only !== undefined && second === undefined
    ? remedy('replay', ['--connection', only.name], 'imports the pending entries for this connection')
    : remedy('connection add', [], 'adds the connection; then replay --connection NAME imports the entries');
}

/** A run that died has done harm only until a later run has covered its work. */
function diedAlerts({ runs, recentSince }: WholeFacts): Alert[] {
  return runs
    .filter(({ row, status }) => status === 'died' && !row.isSucceeded && row.startedAt >= recentSince)
    .map(({ row }) =>
      alert('run_died', null, {
        since: row.startedAt,
        state: row.id,
        subject: row.id,
        message: `The ${row.command} of ${minuteOf(row.startedAt)} died (process ${row.pid} on ${row.host}). What it had committed is stored; the same command finishes the work.`,
        remedy: commandOfRun(row.command, row.options, 'finishes the work'),
      }),
    );
}
