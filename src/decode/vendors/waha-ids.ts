import type { JsonObject, JsonValue } from '../../model/json.js';
import { withoutAbsent } from '../baileys/proto-values.js';
import { asObject, asString } from '../read.js';

/** What WAHA's id of a message says. */
export interface WahaId {
  fromMe: boolean;
  /** The chat, as WAHA writes it: `5511…@c.us`, `…@lid`, `…@g.us`. */
  chat: string;
  /** WhatsApp Web's key id: the same as Baileys' and as the stanza id inside a wamid (M10). */
  id: string;
  /** The author, in a group or a broadcast. */
  participant: string | undefined;
}

/**
 * `true_5511…@c.us_3EB0…`, in groups with the author behind it. whatsapp-web.js marks its own copies of messages to oneself with
 * `_out` in the author's place.
 */
const SERIALIZED = /^(true|false)_([^\s_]{1,128}@[a-z.]{1,32})_([^\s_]{1,256})(?:_(\S{1,160}))?$/;

/** Reads an id in the form of a text, or as the object that whatsapp-web.js makes it of. undefined for a bare key id. */
export function parseWahaId(value: JsonValue | undefined): WahaId | undefined {
  const text = asString(value) ?? asString(asObject(value)?._serialized);
  if (text === undefined || text.length > 600) return undefined;
  const [, fromMe, chat, id, last] = SERIALIZED.exec(text) ?? [];
  if (chat === undefined || id === undefined) return undefined;
  return {
    fromMe: fromMe === 'true',
    chat,
    id,
    participant: last?.includes('@') === true ? last : undefined,
  };
}

/** The key id in an id of any form: serialized, an object, or bare. */
export function bareIdOf(value: JsonValue | undefined): string | undefined {
  return parseWahaId(value)?.id ?? asString(asObject(value)?.id) ?? asString(value);
}

/**
 * The key of the message that `payload` is about, in Baileys' form. Where the id is bare, the chat is in `from` and `to`: the
 * engines without a browser write the chat into `from` even for own messages, and leave `to` empty.
 */
export function keyOf(payload: JsonObject): JsonObject {
  const whole = parseWahaId(payload.id);
  if (whole !== undefined) {
    const { chat: remoteJid, fromMe, id, participant } = whole;
    return withoutAbsent({ remoteJid, fromMe, id, participant });
  }
  const fromMe = payload.fromMe === true;
  const from = asString(payload.from);
  return withoutAbsent({
    remoteJid: asString(payload.remoteJid) ?? (fromMe ? (asString(payload.to) ?? from) : from),
    fromMe,
    id: bareIdOf(payload.id),
    participant: asString(payload.participant),
  });
}
