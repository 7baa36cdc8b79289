/** Words that a body of Meta or of WhatsApp Web has and hardly anything else. No log system escapes a letter of them. */
const WORDS = [
  'whatsapp_business_account',
  'messaging_product',
  'messages.upsert',
  'messages.update',
  'messages.set',
  'messaging-history.set',
  'MESSAGES_UPSERT',
];

/** How the beginning of gzip is written in base64. */
const GZIP_IN_BASE64 = 'H4sIA';

/** How the inside of `word` is written in base64, wherever in the encoded text it starts. */
function inBase64(word: string): string[] {
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.from(' '.repeat(before) + word).toString('base64');
    // Only characters all of whose six bits are the word's own.
    return encoded.slice(Math.ceil((before * 4) / 3), Math.floor(((before + word.length) * 4) / 3));
  });
}

/** How Node prints the bytes of `word`, and of the beginning of gzip. */
function inPrintedBuffer(word: string): string {
  return Buffer.from(word)
    .toString('hex')
    .replace(/..(?!$)/g, '$& ');
}
const GZIP_IN_BUFFER = '<Buffer 1f 8b 08';

const PLAIN = WORDS.map((word) => Buffer.from(word));
const ENCODED = [
  ...WORDS.slice(0, 3).flatMap(inBase64),
  GZIP_IN_BASE64,
  ...WORDS.slice(0, 3).map(inPrintedBuffer),
  GZIP_IN_BUFFER,
].map((word) => Buffer.from(word));
/** One of them stands in every body, however its quotes are escaped: `{`, Ruby's arrow, nginx's and a URL's brackets. */
const BRACKETS = ['{', '[', '=>', 'x7B', '%7B'].map((text) => Buffer.from(text));

/** Whether bytes hold the word of a body as it is or in base64, whatever is around it. */
export function hasMarker(bytes: Buffer): boolean {
  return includesAny(bytes, PLAIN) || includesAny(bytes, ENCODED);
}

/** How a member with the id of a message begins or goes on, alone in a line of JSON over several. */
const IDS = ['"wamid.', '"remoteJid"'].map((text) => Buffer.from(text));

export function hasId(line: Buffer): boolean {
  return includesAny(line, IDS);
}

/** Numbers of a list of bytes, or of an object by their place, in JSON or Ruby: `[123,34,`, `"0":123,"1":34,`, `"0"=>123, "1"=>34,`. */
const BYTES = /[[:>]\s*-?\d{1,3}\s*,\s*(?:"1"\s*(?::|=>)\s*)?-?\d{1,3}\s*,/;
const PLACES = /"\d+"\s*(?::|=>)/g;
const GZIP_IN_BYTES = /[[:>]\s*31\s*,\s*(?:"1"\s*(?::|=>)\s*)?(?:139|-117)\s*,/;

/** Whether a value holds the word of a body as the numbers of its bytes, or gzip in them. */
export function hasMarkedBytes(value: Buffer): boolean {
  if (value.length < SHORTEST_BYTES) return false;
  const text = value.toString('latin1');
  if (!BYTES.test(text)) return false;
  if (GZIP_IN_BYTES.test(text)) return true;
  for (const [numbers] of text.replace(PLACES, '').matchAll(/(?:\s*-?\d{1,3}\s*,){15,50000}/g)) {
    if (hasMarker(Buffer.from(numbers.split(',').map(Number)))) return true;
  }
  return false;
}

/** No webhook has fewer bytes, of which each is two digits or more. */
const SHORTEST_BYTES = 120;

/** Whether a line without findable JSON may hold a body in another notation, and is no sentence that only mentions one. */
export function mayHoldBody(line: Buffer): boolean {
  if (includesAny(line, PLAIN) && includesAny(line, BRACKETS)) return true;
  return includesAny(line, ENCODED);
}

/** How a value begins in a notation that is no JSON: JSON's own is the value that was found. */
const BRACES = ['{', '=>', 'x7B', '%7B'].map((text) => Buffer.from(text));

/** Whether words before a value may hold a body themselves: an event's name, alone or in square brackets, is a label. */
export function mayEndBody(words: Buffer): boolean {
  if (includesAny(words, ENCODED)) return true;
  return includesAny(words, PLAIN) && includesAny(words, BRACES);
}

/** No log system and no logger writes more before a body. */
const LONGEST_BEGINNING = 600;
const UUID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/gi;

/**
 * How a line begins, up to the first word of a body, without its numbers: a program begins each of its lines about a webhook in
 * the same way, and no rest of such a line begins so. undefined for a line without such a word near its beginning.
 */
export function beginningOf(line: Buffer): string | undefined {
  const head = line.subarray(0, LONGEST_BEGINNING);
  let end = Infinity;
  for (const word of [...PLAIN, ...ENCODED]) {
    const at = head.indexOf(word);
    if (at !== -1) end = Math.min(end, at + word.length);
  }
  if (end === Infinity) return undefined;
  return head.toString('latin1', 0, end).replace(UUID, '0').replace(/\d+/g, '0');
}

function includesAny(bytes: Buffer, words: readonly Buffer[]): boolean {
  return words.some((word) => bytes.includes(word));
}
