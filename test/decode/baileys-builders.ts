import { readFileSync } from 'node:fs';
import { decodeBaileys, recognizeBaileys } from '../../src/decode/baileys/decode-baileys.js';
import type { IncludableChat } from '../../src/model/enumerations.js';
import type { Fact, Section, Unrecognized } from '../../src/model/facts.js';
import type { JsonObject, JsonValue } from '../../src/model/json.js';

export const ANA = '5511900000001@s.whatsapp.net';
export const ANA_LID = '111000000000001@lid';
export const CARLA = '5531900000003@s.whatsapp.net';
export const CARLA_LID = '111000000000003@lid';
export const GROUP = '120363000000000001@g.us';

const SAMPLES = new URL('../samples/', import.meta.url);

export function sample(name: string): JsonValue {
  return toJson(JSON.parse(readFileSync(new URL(name, SAMPLES), 'utf8')));
}

/** What JSON.parse gives is JSON; this says so to the compiler, and fails for the one value that is not. */
export function toJson(value: unknown): JsonValue {
  if (!isJson(value)) throw new Error('no JSON');
  return value;
}

function isJson(value: unknown): value is JsonValue {
  return value !== undefined;
}

export interface Decoded {
  sections: Section[];
  unrecognized: Unrecognized[];
  receivedAt?: number;
  facts: Fact[];
}

export interface Options {
  receivedAt?: number;
  include?: readonly IncludableChat[];
}

/** Recognizes and decodes a value as a replay would; fails when it is not recognized. */
export function decode(value: JsonValue, options: Options = {}): Decoded {
  const event = recognizeBaileys(value);
  if (event === undefined) throw new Error('not recognized as an event of Baileys');
  const decoded = decodeBaileys(event, {
    path: '$',
    include: new Set(options.include ?? []),
    ...(options.receivedAt === undefined ? {} : { receivedAt: options.receivedAt }),
  });
  return { ...decoded, facts: decoded.sections.flatMap((section) => section.facts) };
}

export function ofKind<K extends Fact['kind']>(decoded: Decoded, kind: K): Extract<Fact, { kind: K }>[] {
  return decoded.facts.filter((fact): fact is Extract<Fact, { kind: K }> => fact.kind === kind);
}

/** The one fact of a kind; fails when there is none, or more. */
export function theOnly<K extends Fact['kind']>(decoded: Decoded, kind: K): Extract<Fact, { kind: K }> {
  const [fact, ...more] = ofKind(decoded, kind);
  if (fact === undefined || more.length > 0) {
    throw new Error(`expected one ${kind}, got ${JSON.stringify(decoded.facts)}`);
  }
  return fact;
}

let made = 0;

/** A message from Ana that says "oi", but for what `fields` and `key` say. */
export function webMessage(fields: JsonObject = {}, key: JsonObject = {}): JsonObject {
  made += 1;
  return {
    key: { remoteJid: ANA, fromMe: false, id: `3A${String(made).padStart(18, '0')}`, ...key },
    message: { conversation: 'oi' },
    messageTimestamp: '1757900010',
    ...fields,
  };
}

/** A message whose content is `content`. */
export function saying(content: JsonObject, key: JsonObject = {}): JsonObject {
  return webMessage({ message: content }, key);
}

export function history(messages: JsonValue[], fields: JsonObject = {}): JsonObject {
  return { chats: [], contacts: [], messages, syncType: 3, progress: 50, ...fields };
}

export function live(messages: JsonValue[], type = 'notify'): JsonObject {
  return { messages, type };
}
