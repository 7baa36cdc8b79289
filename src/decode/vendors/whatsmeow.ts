import type { JsonObject, JsonValue } from '../../model/json.js';
import { instantOf } from '../../model/time.js';
import { withoutAbsent } from '../baileys/proto-values.js';
import { asObject, asString } from '../read.js';

/** Real messages nest about ten deep (a reply to a reply with its context); deeper levels are attacks on the stack. */
const MAX_DEPTH = 32;

/**
 * A message event of whatsmeow (`{Info, Message}`; WAHA's GOWS engine hands it on) in the form of Baileys' messages. undefined
 * when it is none.
 */
export function fromWhatsmeow(event: JsonObject): JsonObject | undefined {
  const info = asObject(event.Info);
  const id = asString(info?.ID);
  const chat = asString(info?.Chat);
  if (info === undefined || id === undefined || chat === undefined) return undefined;
  const fromMe = info.IsFromMe === true;
  const isGroup = info.IsGroup === true || !isPerson(chat);
  const alt = asString(info.SenderAlt);
  const key = withoutAbsent({
    remoteJid: chat,
    fromMe,
    id,
    participant: isGroup ? asString(info.Sender) : undefined,
    participantAlt: isGroup ? alt : undefined,
    // Of an own message the sender is the business; the other address of the chat is the recipient's.
    remoteJidAlt: isGroup ? undefined : fromMe ? asString(info.RecipientAlt) : alt,
  });
  return withoutAbsent({
    key,
    message: nameAsBaileys(event.Message ?? null, MAX_DEPTH),
    messageTimestamp: instantOf(asString(info.Timestamp)?.slice(0, 64) ?? ''),
    pushName: asString(info.PushName),
    category: asString(info.Category),
  });
}

function isPerson(chat: string): boolean {
  return chat.endsWith('@s.whatsapp.net') || chat.endsWith('@lid') || chat.endsWith('@c.us');
}

/**
 * A protobuf message in Go's JSON with the names that JavaScript gives its fields: Go writes `fileSHA256`, `stanzaID` and `URL`,
 * JavaScript `fileSha256`, `stanzaId` and `url`. Enums are numbers in both, bytes base64.
 */
function nameAsBaileys(value: JsonValue, depth: number): JsonValue {
  if (typeof value !== 'object' || value === null || depth === 0) return value;
  if (Array.isArray(value)) return value.map((element) => nameAsBaileys(element, depth - 1));
  const entries = Object.entries(value).map(([key, field]): [string, JsonValue] => [
    nameInJavaScript(key),
    nameAsBaileys(field, depth - 1),
  ]);
  return Object.fromEntries(entries);
}

/** `JPEGThumbnail` is `jpegThumbnail`, `remoteJID` `remoteJid`: of each run of capitals only the first begins a word. */
function nameInJavaScript(name: string): string {
  const words = name.replace(/[A-Z]+(?![a-z])/g, (run) => run.charAt(0) + run.slice(1).toLowerCase());
  return words.charAt(0).toLowerCase() + words.slice(1);
}
