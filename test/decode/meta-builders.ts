import { decodeEntry } from '../../src/decode/decode-entry.js';
import { encodeWamid } from '../../src/identity/wamid.js';
import type { IncludableChat } from '../../src/model/enumerations.js';
import type { DecodedEntry, Fact } from '../../src/model/facts.js';
import type { JsonObject, JsonValue } from '../../src/model/json.js';

export const BUSINESS = '5511900000000';
export const ANA = '5511900000001';
export const BRUNO = '5521900000002';
export const USER_ID = 'BR.13491208655302741918';
export const PARENT = 'BR.ENT.11815799212886844830';
/** 2025-09-16T05:20:00Z, as webhooks write it, and as facts have it. */
export const SECONDS = '1758000000';
export const AT = 1758000000000;

export const METADATA = { display_phone_number: BUSINESS, phone_number_id: '800000000000001' };

export function wamid(stanzaId: string, phone = ANA): string {
  return encodeWamid(phone, stanzaId);
}

/** A whole webhook with one change. */
export function webhook(field: string, value: JsonObject): JsonObject {
  return {
    object: 'whatsapp_business_account',
    entry: [{ id: '900000000000001', changes: [{ value: withMetadata(value), field }] }],
  };
}

export function withMetadata(value: JsonObject): JsonObject {
  return { messaging_product: 'whatsapp', metadata: METADATA, ...value };
}

/** A text message from Ana; `parts` replace or add, undefined takes away. */
export function message(parts: Record<string, JsonValue | undefined> = {}): JsonObject {
  return without({
    from: ANA,
    id: wamid('A1'),
    timestamp: SECONDS,
    type: 'text',
    text: { body: 'oi' },
    ...parts,
  });
}

function without(parts: Record<string, JsonValue | undefined>): JsonObject {
  const kept: JsonObject = {};
  for (const [key, value] of Object.entries(parts)) if (value !== undefined) kept[key] = value;
  return kept;
}

/** A history webhook with one chunk of one thread. */
export function historyOf(messages: JsonValue, thread: JsonObject = { id: ANA }): JsonObject {
  return webhook('history', {
    history: [{ metadata: { phase: 0, chunk_order: 1, progress: 5 }, threads: [{ ...thread, messages }] }],
  });
}

export interface Given {
  receivedAt?: number;
  include?: IncludableChat[];
}

export function decode(body: JsonValue | string, { receivedAt, include = [] }: Given = {}): DecodedEntry {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const options = { include: new Set(include) };
  const result = decodeEntry(
    Buffer.from(text),
    receivedAt === undefined ? options : { ...options, receivedAt },
  );
  if (result.kind === 'invalid') throw new Error(`${result.reason}: ${result.message}`);
  return result.entry;
}

export function factsOf(body: JsonValue, given: Given = {}): Fact[] {
  return decode(body, given).sections.flatMap((section) => section.facts);
}

type FactOf<K extends Fact['kind']> = Extract<Fact, { kind: K }>;

/** The facts of one kind, in order. */
export function only<K extends Fact['kind']>(kind: K, facts: readonly Fact[]): FactOf<K>[] {
  return facts.filter((fact): fact is FactOf<K> => fact.kind === kind);
}

/** The one fact of a kind; fails when there are none or several. */
export function the<K extends Fact['kind']>(kind: K, facts: readonly Fact[]): FactOf<K> {
  const [fact, ...more] = only(kind, facts);
  if (fact === undefined || more.length > 0) {
    throw new Error(`expected one ${kind}, got ${facts.map((each) => each.kind).join(', ') || 'nothing'}`);
  }
  return fact;
}

/** What became of each item, in short: `message`, `rejected:message:missing_id`, `skipped:status:group`. */
export function outcomes(facts: readonly Fact[]): string[] {
  return facts.map((fact) =>
    fact.kind === 'skipped' || fact.kind === 'rejected'
      ? `${fact.kind}:${fact.subject}:${fact.reason}`
      : fact.kind,
  );
}
