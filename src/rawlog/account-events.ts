import { parseJson } from '../decode/parse-json.js';
import { asObject } from '../decode/read.js';
import { canonicalPhone } from '../identity/phone.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { Sql } from '../store/sql.js';
import type { ConnectionRow, ConnectionTimes } from '../store/tables/connections.js';
import type { HistoryRequestRow } from '../store/tables/graph.js';
import { readBodies, readAccountUpdateIds } from '../store/tables/stored-entries.js';

/** What Meta reported about an account or a number (`account_update`). */
export interface AccountEvent {
  /** `PARTNER_REMOVED`, `ACCOUNT_OFFBOARDED`, `ACCOUNT_RECONNECTED`, … */
  event: string;
  /** `PRIMARY_INACTIVITY`, …; why the coexistence ended, if given. */
  reason: string | null;
  phone: string | null;
  /** The entry's id (the WABA's, or the business portfolio's) and the WABA named by the event. */
  wabaIds: string[];
  at: number;
}

/** A connection, as named in events. */
type Named = Pick<ConnectionRow, 'id' | 'displayPhoneNumber' | 'wabaId' | 'wabaIds' | 'numbers'>;

/** After these, nothing arrives until the number is connected again. */
const REMOVED = new Set([
  'PARTNER_REMOVED',
  'ACCOUNT_OFFBOARDED',
  'ACCOUNT_DELETED',
  'PARTNER_APP_UNINSTALLED',
]);
const CONNECTED = new Set(['ACCOUNT_RECONNECTED', 'PARTNER_ADDED', 'PARTNER_APP_INSTALLED']);

/** Deeper than any known wrapper. */
const DEEPEST = 12;
/** Webhooks sent before a removal may arrive this much later. */
const STRAGGLERS_MS = 3_600_000;

/** Entries read: an account has a few a year. */
const ENTRIES_READ = 500;

/** The account events of the newest such entries in the raw log. `known`: the ids of all, where they were read before. */
export async function readAccountEvents(sql: Sql, known?: readonly string[]): Promise<AccountEvent[]> {
  // Ids grow with time.
  const ids = known?.toSorted().slice(-ENTRIES_READ) ?? (await readAccountUpdateIds(sql, ENTRIES_READ));
  const bodies = await readBodies(sql, ids);
  return bodies.flatMap(({ body, at, isReceived }) => accountEventsIn(body, at, isReceived));
}

/**
 * The account events in a stored body, whatever its wrapper. `at`: when the entry arrived, for events without a time.
 */
function accountEventsIn(body: Uint8Array, at: number, isReceived: boolean): AccountEvent[] {
  const found: AccountEvent[] = [];
  const visit = (value: JsonValue | undefined, entry: JsonObject, depth: number): void => {
    if (depth > DEEPEST) return;
    if (typeof value === 'string') {
      // Some logs keep the payload as text.
      if (/^\s*[[{]/.test(value)) visit(parse(value), entry, depth + 1);
    } else if (Array.isArray(value)) {
      for (const element of value) visit(element, entry, depth + 1);
    } else if (typeof value === 'object' && value !== null) {
      const changes = Array.isArray(value['changes']) ? value : entry;
      if (value['field'] === 'account_update') {
        const event = eventOf(value['value'], changes, at, isReceived);
        if (event !== null) found.push(event);
      }
      for (const part of Object.values(value)) visit(part, changes, depth + 1);
    }
  };
  visit(parse(new TextDecoder().decode(body)), {}, 0);
  return found;
}

function eventOf(
  value: JsonValue | undefined,
  entry: JsonObject,
  at: number,
  isReceived: boolean,
): AccountEvent | null {
  const details = asObject(value);
  const event = details?.['event'];
  if (details === undefined || typeof event !== 'string') return null;
  const waba = asObject(details['waba_info'])?.['waba_id'];
  const reason = asObject(details['disconnection_info'])?.['reason'];
  const { id, time } = entry;
  const phone = details['phone_number'];
  return {
    event,
    reason: typeof reason === 'string' ? reason : null,
    phone: typeof phone === 'string' ? (canonicalPhone(phone) ?? null) : null,
    wabaIds: [id, waba].filter((word) => typeof word === 'string'),
    // A replayed log was stored long after it arrived; the event's own time is then more accurate.
    at: !isReceived && typeof time === 'number' ? time * (time < 1e12 ? 1000 : 1) : at,
  };
}

/**
 * The entries that decide how an account stands, now or for a connection that is made later: of each number and account the last
 * removal and the last connecting. All others have been overtaken, and neither {@link standingRemoval} nor {@link connectingOf}
 * would answer otherwise without them.
 */
export async function readDecidingEntries(sql: Sql): Promise<string[]> {
  const newest = new Map<string, { at: number; ids: Set<string> }>();
  const ids = await readAccountUpdateIds(sql, null);
  for (let from = 0; from < ids.length; from += ENTRIES_READ) {
    const bodies = await readBodies(sql, ids.slice(from, from + ENTRIES_READ));
    for (const { id, body, at, isReceived } of bodies)
      for (const one of accountEventsIn(body, at, isReceived)) {
        const kind = REMOVED.has(one.event) ? 'removed' : CONNECTED.has(one.event) ? 'connected' : null;
        if (kind === null) continue;
        const key = JSON.stringify([kind, one.phone, [...new Set(one.wabaIds)].sort()]);
        const known = newest.get(key);
        if (known === undefined || known.at < one.at) newest.set(key, { at: one.at, ids: new Set([id]) });
        // Which of two at one time counts is decided by their order.
        else if (known.at === one.at) known.ids.add(id);
      }
  }
  return [...new Set([...newest.values()].flatMap((one) => [...one.ids]))];
}

/**
 * The removal in effect for a connection: its newest event is one, nothing came live since, and it was not connected
 * since, by what is on record (`connectedAt`). An event names a number; one that names only an account applies to the
 * numbers known to belong to it.
 */
export function standingRemoval(
  connection: Named & Pick<ConnectionRow, 'lastLiveEventAt'>,
  events: readonly AccountEvent[],
  connectedAt: number | null,
): AccountEvent | null {
  const [newest] = eventsAbout(connection, events).filter(
    ({ event }) => REMOVED.has(event) || CONNECTED.has(event),
  );
  if (newest === undefined || !REMOVED.has(newest.event)) return null;
  const cameBack = (connection.lastLiveEventAt ?? 0) > newest.at + STRAGGLERS_MS;
  return cameBack || (connectedAt ?? 0) > newest.at ? null : newest;
}

/** `PARTNER_REMOVED`, `ACCOUNT_OFFBOARDED (PRIMARY_INACTIVITY)`. */
export function removalWords({ event, reason }: AccountEvent): string {
  return reason === null ? event : `${event} (${reason})`;
}

/** When a number was last connected to the platform. Times are ms since 1970. */
export interface Connecting {
  /** Null if unknown. */
  at: number | null;
  /** `event`: Meta said so in an `account_update`. `recorded`: it is on record, by a person or an earlier command. */
  from: 'event' | 'recorded' | 'nothing';
}

/**
 * When a connection's number was last connected: the newer one of Meta's last word and the time on record. The only
 * place that decides it, for the report, verify, the check and the request. `all`: every connection, because an event
 * that names only an account may be about any of its numbers, and is nobody's if there are several (H1).
 */
export function connectingOf(
  connection: Named,
  recorded: number | null,
  events: readonly AccountEvent[],
  all: readonly Named[],
): Connecting {
  const told =
    eventsAbout(connection, events).find(
      ({ event, phone, wabaIds }) =>
        CONNECTED.has(event) &&
        (phone !== null || !all.some((other) => isAnother(other, connection, wabaIds))),
    )?.at ?? null;
  if (told !== null && told >= (recorded ?? 0)) return { at: told, from: 'event' };
  return recorded === null ? { at: null, from: 'nothing' } : { at: recorded, from: 'recorded' };
}

/**
 * Whether a request was made since a number was connected (ms since 1970; null if unknown): it then has what Meta gives
 * once. The only place that decides it. By when it was made, because a person says only roughly when that was; and by
 * what it was made for, because Meta's clock may be ahead of this machine's.
 */
export function isSince(
  { onboardedAt, requestedAt }: Pick<HistoryRequestRow, 'onboardedAt' | 'requestedAt'>,
  connectedAt: number | null,
): boolean {
  return connectedAt === null || Math.max(onboardedAt, requestedAt) >= connectedAt;
}

/** The times of connections, with the one that `connectingOf` gives as when each was activated. */
export function withConnecting(
  times: readonly ConnectionTimes[],
  connections: readonly ConnectionRow[],
  events: readonly AccountEvent[],
): ConnectionTimes[] {
  const byId = new Map(connections.map((row) => [row.id, row]));
  return times.map((own) => {
    const row = byId.get(own.id);
    if (row === undefined) return own;
    return { ...own, webhookActivatedAt: connectingOf(row, own.webhookActivatedAt, events, connections).at };
  });
}

/** Whether `other` is a second number of one of these accounts. */
function isAnother(other: Named, { id }: Named, wabaIds: readonly string[]): boolean {
  return other.id !== id && wabaIds.some((waba) => accountsOf(other).has(waba));
}

function accountsOf({ wabaId, wabaIds }: Pick<Named, 'wabaId' | 'wabaIds'>): Set<string> {
  return new Set([...wabaIds, ...(wabaId === null ? [] : [wabaId])]);
}

/** The events about a connection's number, or about its whole account, newest first. */
function eventsAbout(connection: Named, events: readonly AccountEvent[]): AccountEvent[] {
  const { displayPhoneNumber: shown, numbers } = connection;
  const own = new Set([...numbers, shown === null ? undefined : canonicalPhone(shown)]);
  const accounts = accountsOf(connection);
  return events
    .filter(({ phone, wabaIds }) =>
      phone === null ? wabaIds.some((id) => accounts.has(id)) : own.has(phone),
    )
    .sort((a, b) => b.at - a.at);
}

function parse(text: string): JsonValue | undefined {
  const parsed = parseJson(text);
  return parsed.ok ? parsed.value : undefined;
}
