import type { Provider } from '../../model/enumerations.js';
import type { Section, Unrecognized } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { decodeBaileys, recogniseBaileys } from '../baileys/decode-baileys.js';
import { decodeExport, isTelegramExport } from '../exports/decode-export.js';
import type { DecodeOptions } from '../options.js';
import { parseJson } from '../parse-json.js';
import { asObject, excerptOf } from '../read.js';
import { unwrapMeta } from './meta-body.js';
import { receivedAtOf, withRowTime } from './row-time.js';
import { bodiesIn, fieldNamedBy, isPrintedLine } from './wrappers.js';

/** Everything found in an entry so far. */
export interface Found {
  providers: Set<Provider>;
  sections: Section[];
  unrecognized: Unrecognized[];
  /** The first time that a row gave. */
  receivedAt: number | undefined;
}

/** What the wrappers around a value say. */
export interface Scope {
  options: DecodeOptions;
  /** Whether the caller gave receivedAt: then no row's own time replaces it. */
  timeIsGiven: boolean;
  /** The field that a wrapper named (360dialog's `event`, a row's `event_type`), for bodies that name none. */
  field: string | undefined;
  depth: number;
}

/** A value that is no webhook, with the reason. It is reported only when nothing around it is one. */
export interface Miss {
  path: string;
  reason: string;
  value: JsonValue;
}

/** Real wrappers nest three deep: a queue's record, a gateway's event, a body. */
const DEEPEST_WRAPPER = 8;

/**
 * Finds the webhooks in a value, however wrapped, and decodes them into `found` (rule E1). Returns undefined when there was
 * at least one, else why there was none.
 */
export function unwrap(value: JsonValue, path: string, scope: Scope, found: Found): Miss | undefined {
  if (scope.depth > DEEPEST_WRAPPER) return { path, reason: 'nested_too_deep', value };
  if (typeof value === 'string') return unwrapText(value, path, scope, found);
  if (Array.isArray(value)) return unwrapArray(value, path, scope, found);
  const object = asObject(value);
  if (object === undefined) return { path, reason: 'not_an_object', value };

  const graphApi = graphApiShape(object);
  if (graphApi !== undefined) return { path, reason: graphApi, value };
  if (unwrapMeta(object, path, scope, found)) {
    found.providers.add('meta');
    return undefined;
  }
  const event = recogniseBaileys(object);
  if (event !== undefined) {
    const decoded = decodeBaileys(event, { ...scope.options, path });
    found.providers.add('baileys');
    // One by one: as the arguments of one call, 100,000 sections would exhaust the stack.
    for (const section of decoded.sections) found.sections.push(section);
    for (const part of decoded.unrecognized) found.unrecognized.push(part);
    found.receivedAt ??= decoded.receivedAt;
    return undefined;
  }
  const exported = decodeExport(object, { ...scope.options, path });
  if (exported !== undefined) {
    found.providers.add('baileys');
    for (const section of exported.sections) found.sections.push(section);
    return undefined;
  }
  const miss = unwrapWrapper(object, path, scope, found);
  if (miss === undefined) return undefined;
  const vendor = vendorShape(object);
  return vendor === undefined ? miss : { path, reason: vendor, value };
}

function unwrapText(text: string, path: string, scope: Scope, found: Found): Miss | undefined {
  const parsed = parseJson(text);
  if (!parsed.ok) return { path, reason: 'invalid_json', value: text };
  return unwrap(parsed.value, path, { ...scope, depth: scope.depth + 1 }, found);
}

/**
 * Every element counts, but an array without a single webhook is one miss, not one per element; lines that a program
 * prints between its webhooks (CloudWatch's `START RequestId`) are no misses.
 */
function unwrapArray(elements: JsonValue[], path: string, scope: Scope, found: Found): Miss | undefined {
  const inside = { ...scope, depth: scope.depth + 1 };
  const misses: Miss[] = [];
  for (const [i, element] of elements.entries()) {
    const miss = unwrap(element, `${path}[${i}]`, inside, found);
    if (miss !== undefined) misses.push(miss);
  }
  if (misses.length === elements.length) return misses[0] ?? { path, reason: 'empty', value: elements };
  for (const miss of misses) if (miss.reason !== 'no_json') found.unrecognized.push(unrecognizedOf(miss));
  return undefined;
}

/** Unwraps a row, a request or a queue's record: tries its bodies in turn until one holds a webhook. */
function unwrapWrapper(wrapper: JsonObject, path: string, scope: Scope, found: Found): Miss | undefined {
  const bodies = bodiesIn(wrapper);
  if (bodies.length === 0) {
    return { path, reason: isPrintedLine(wrapper) ? 'no_json' : 'unknown_shape', value: wrapper };
  }
  const rowTime = receivedAtOf(wrapper);
  const inside: Scope = {
    ...withRowTime(scope, rowTime),
    field: fieldNamedBy(wrapper) ?? scope.field,
    depth: scope.depth + 1,
  };
  let best: Miss | undefined;
  for (const body of bodies) {
    const miss = unwrap(body.value, path + body.path, inside, found);
    if (miss === undefined) {
      found.receivedAt ??= rowTime;
      return undefined;
    }
    if (best === undefined || (isVague(best) && !isVague(miss))) best = miss;
  }
  return best === undefined || isVague(best) ? { path, reason: 'unknown_shape', value: wrapper } : best;
}

/** Whether a reason says less than a vendor's name or broken JSON does. */
function isVague(miss: Miss): boolean {
  return miss.reason === 'unknown_shape' || miss.reason === 'not_an_object' || miss.reason === 'empty';
}

export function unrecognizedOf(miss: Miss): Unrecognized {
  return { path: miss.path, reason: miss.reason, excerpt: excerptOf(miss.value) };
}

/**
 * The vendor whose own shape an unreadable entry has, for vendors that rewrite Meta's body instead of forwarding it. Such
 * entries are stored and reported, never guessed at: they lack ids, times or directions that the rules need. Checked
 * last, because a row with Meta's own body may have any column beside it.
 */
function vendorShape(value: JsonObject): string | undefined {
  if (isTelegramExport(value)) return 'telegram_json_without_ids';
  if (typeof value.app === 'string' && value.version === 2 && typeof value.type === 'string')
    return 'gupshup_v2';
  if (typeof value.type === 'string' && value.type.startsWith('whatsapp.')) return 'ycloud';
  if (typeof value.SmsMessageSid === 'string' || typeof value.MessageSid === 'string') return 'twilio';
  if (typeof value.whatsappMessageId === 'string' || typeof value.waId === 'string') return 'wati';
  if (typeof value.message_uuid === 'string') return 'vonage';
  const data = asObject(value.data);
  if (typeof data?.event_type === 'string' && typeof data.record_type === 'string') return 'telnyx';
  if (value.service === 'channels' && typeof value.event === 'string') return 'bird';
  return undefined;
}

/**
 * A request to Meta or its response: some logs have both beside the webhooks, and they look like a value with messages.
 * Checked first, because the `messages` of a response were never received.
 */
function graphApiShape(value: JsonObject): string | undefined {
  if (value.messaging_product !== 'whatsapp' || value.metadata !== undefined) return undefined;
  if (typeof value.to === 'string' || typeof value.recipient === 'string') return 'graph_api_request';
  const contact = Array.isArray(value.contacts) ? asObject(value.contacts[0]) : undefined;
  return contact?.input === undefined ? undefined : 'graph_api_response';
}
