import type { JsonObject } from '../model/json.js';
import { mayHoldSignature } from '../decode/envelopes/http-head.js';
import { isMessageLike, isPersonsText } from '../decode/envelopes/wrappers.js';
import { isCalledSignature, namesHubSignature } from '../decode/envelopes/signatures.js';

/** A cell of a row, with the name of its column where the file gives one. */
export interface NamedCell {
  name: string | undefined;
  bytes: Buffer;
}

/**
 * The columns in which a table of messages has what a person wrote: a CRM's, which a dump of its database brings along. A webhook that
 * somebody pasted there is none (rule E1).
 */
export function personsColumns(names: readonly string[]): ReadonlySet<number> {
  const row: JsonObject = Object.fromEntries(names.map((name) => [name, null]));
  // Evolution API keeps a message of WhatsApp Web in these columns, as it is.
  if (names.includes('key') && names.includes('messageTimestamp')) row.key = { remoteJid: null };
  // A log has columns of phones and senders, too.
  if (!names.some((name) => OF_MESSAGES.has(name)) || !isMessageLike(row)) return new Set();
  return new Set(names.flatMap((name, column) => (isPersonsText(name, row) ? [column] : [])));
}

/** Columns that a table of messages has, and none of webhooks. */
const OF_MESSAGES: ReadonlySet<string> = new Set(
  'fromMe from_me remoteJid conversation_id conversationId message_type messageType ticketId ticket_id'.split(
    ' ',
  ),
);

/** Longer cells are no headers; the decoder does not look through them either. */
const LONGEST_HEADERS = 65_536;
/** A text that can only be a signature. */
const SIGNATURE = /^sha256=[\da-f]{64}$/i;
const HUB_SIGNATURE = 'x-hub-signature-256';

/** Whether a cell beside the body names its signer: the header itself, or all headers in any notation. */
export function saysWhoSigned({ name, bytes }: NamedCell): boolean {
  if (bytes.length === 0 || bytes.length >= LONGEST_HEADERS) return false;
  if (name !== undefined && namesHubSignature(name)) return true;
  if (name === undefined ? isSignature(bytes) : isCalledSignature(name, startOf(bytes))) return true;
  return bytes.includes('ignature') || bytes.includes('IGNATURE')
    ? mayHoldSignature(bytes.toString('latin1'))
    : false;
}

/**
 * The entry of a row: its body, byte for byte; where other cells say who signed it, an object of them and of the body as a text, so
 * that the raw log keeps what a later check of the signature needs.
 */
export function entryOfRow(body: Buffer, cells: readonly NamedCell[]): Buffer {
  const signing = cells.filter(({ bytes }) => bytes !== body);
  if (signing.length === 0) return body;
  const members = signing.map(({ name, bytes }, index) => member(nameOf({ name, bytes }, index), bytes));
  return Buffer.concat([
    Buffer.from('{'),
    ...members.flatMap((written) => [written, Buffer.from(',')]),
    member(BODY, body),
    Buffer.from('}'),
  ]);
}

/** The entry of a row with a body in several of its cells: an object of them all, each as a text. The same one twice is one. */
export function entryOfBodies(bodies: readonly NamedCell[], signing: readonly NamedCell[]): Buffer {
  const [first, ...others] = bodies.filter(({ bytes }, i) =>
    bodies.slice(0, i).every((other) => !other.bytes.equals(bytes)),
  );
  if (first === undefined || others.length === 0) return entryOfRow(first?.bytes ?? Buffer.alloc(0), signing);
  const inOthers = others.map(({ name, bytes }, i) => ({ name: name ?? `${BODY}${i + 2}`, bytes }));
  return entryOfRow(first.bytes, [...signing, ...inOthers]);
}

const BODY = 'body';

function nameOf({ name, bytes }: NamedCell, index: number): string {
  if (name === undefined && isSignature(bytes)) return HUB_SIGNATURE;
  if (name !== undefined && (namesHubSignature(name) || isCalledSignature(name, startOf(bytes)))) return name;
  if (name !== undefined && !saysWhoSigned({ name, bytes })) return name === BODY ? `${BODY}1` : name;
  return index === 0 ? 'headers' : `headers${index + 1}`;
}

/** No signature is longer. */
function startOf(bytes: Buffer): string {
  return bytes.toString('latin1', 0, 200);
}

function isSignature(bytes: Buffer): boolean {
  return bytes.length <= 80 && SIGNATURE.test(bytes.toString('latin1'));
}

/** A member of a JSON object. Invalid UTF-8 stays unchanged: the reader of the text will detect it. */
function member(name: string, text: Buffer): Buffer {
  const value = JSON.stringify(text.toString('latin1'));
  return Buffer.concat([Buffer.from(`${JSON.stringify(name)}:`), Buffer.from(value, 'latin1')]);
}
