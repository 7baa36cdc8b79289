import { parseJson } from '../../decode/parse-json.js';
import { asObject } from '../../decode/read.js';
import { canonicalPhone } from '../../identity/phone.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import type { ConnectionRow } from '../../store/tables/connections.js';

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
type Named = Pick<ConnectionRow, 'displayPhoneNumber' | 'wabaId' | 'wabaIds' | 'numbers'>;

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

/**
 * The account events in a stored body, whatever its wrapper. `at`: when the entry arrived, for events without a time.
 */
export function accountEventsIn(body: Uint8Array, at: number, isReceived: boolean): AccountEvent[] {
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
 * The removal in effect for a connection: its newest event is one, and nothing came live since. An event names a
 * number; one that names only an account applies to the numbers known to belong to it.
 */
export function standingRemoval(
  connection: Named & Pick<ConnectionRow, 'lastLiveEventAt'>,
  events: readonly AccountEvent[],
): AccountEvent | null {
  const [newest] = eventsAbout(connection, events).filter(
    ({ event }) => REMOVED.has(event) || CONNECTED.has(event),
  );
  if (newest === undefined || !REMOVED.has(newest.event)) return null;
  const cameBack = (connection.lastLiveEventAt ?? 0) > newest.at + STRAGGLERS_MS;
  return cameBack ? null : newest;
}

/** When a connection's number was last connected to the platform, according to events; ms since 1970. */
export function connectedAt(connection: Named, events: readonly AccountEvent[]): number | null {
  return eventsAbout(connection, events).find(({ event }) => CONNECTED.has(event))?.at ?? null;
}

/** The events about a connection's number, or about its whole account, newest first. */
function eventsAbout(
  { displayPhoneNumber: shown, wabaId, wabaIds: known, numbers }: Named,
  events: readonly AccountEvent[],
): AccountEvent[] {
  const own = new Set([...numbers, shown === null ? undefined : canonicalPhone(shown)]);
  const accounts = new Set([...known, ...(wabaId === null ? [] : [wabaId])]);
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
