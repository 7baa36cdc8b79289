import { isMessageLike } from '../decode/envelopes/wrappers.js';
import { parseObject } from '../decode/envelopes/line-frames.js';
import type { JsonValue } from '../model/json.js';

/** What loggers that write JSON call the level and the words of a line: pino, bunyan, winston, zap, slog, Monolog. */
const LEVEL = Buffer.from('"level');
const WORDS = ['msg', 'message', '@message', 'event'] as const;

/** A line of a logger is short; a longer one is looked at by the decoder. */
const LONGEST = 16 * 1024;

/** Parts of a line in which loggers describe a request, an error or their process, and never a body. */
const DESCRIBING: ReadonlySet<string> = new Set(
  (
    'req request res response headers query params remote err error exception cause context ctx extra tags labels ' +
    'span trace process host service source caller logger'
  ).split(' '),
);

/** Members with what a person wrote, or with any body. */
const PERSONS = ['text', 'body', 'content', 'caption', 'conversation', 'payload'] as const;

/** What lines about a webhook have; also in base64, and in JSON within a text. */
const OF_WEBHOOK =
  /whatsapp[_.]|messaging_product|phone_number_id|wamid\.|remote_?jid|@(?:c\.us|g\.us|lid|s\.)|messages?\.[a-z]|x-hub-signature|[{[]\s*\\*["'{]|=>|eyJ|H4sIA|V0aGF0c2FwcF/i;

/**
 * Whether a line is an ordinary one of a logger that writes JSON (`{"level":30,"msg":"listening"}`): it has a level and words, nothing
 * of a webhook, of a person or of their texts, and no part in which a body could be. Such a line is skipped as one of plain words
 * is. In doubt it is an entry.
 */
export function isLoggerLine(line: Buffer): boolean {
  if (line.length > LONGEST || !line.includes(LEVEL)) return false;
  const object = parseObject(line);
  if (object === undefined || !isLevel(object.level ?? object.level_name)) return false;
  const words = WORDS.map((key) => object[key]).filter((text) => typeof text === 'string');
  return words.length > 0 && isHarmless(object, true, 0);
}

function isLevel(level: JsonValue | undefined): boolean {
  return typeof level === 'number' || (typeof level === 'string' && level.length <= 20);
}

function isHarmless(value: JsonValue, isDescribing: boolean, depth: number): boolean {
  if (typeof value === 'string') return !OF_WEBHOOK.test(value);
  if (typeof value !== 'object' || value === null) return true;
  if (!isDescribing || depth > 8) return Object.keys(value).length === 0;
  if (Array.isArray(value))
    return value.every((each) => typeof each !== 'object' && isHarmless(each, true, depth));
  if (isMessageLike(value) || PERSONS.some((key) => Object.hasOwn(value, key))) return false;
  return Object.entries(value).every(
    ([key, each]) => !OF_WEBHOOK.test(key) && isHarmless(each, DESCRIBING.has(key), depth + 1),
  );
}
