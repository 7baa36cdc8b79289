import { readJson, type JsonObject, type JsonValue } from '../../model/json.js';
import { minuteOf } from '../../model/time.js';
import { asArray, asObject, cutText, numberOf, ownValue, textOf } from '../read.js';
import { parseTimestamp } from '../timestamp.js';

/** A message's text for a person who reads it in a CRM. */
export interface Wording {
  body: string | undefined;
  /** The body only names the content, so any text from another copy of the message is better. */
  isLabel?: boolean;
}

/** Maximum JSON text inside a message to read; a form's answers and an order have a few kilobytes. */
const LONGEST_JSON = 200_000;
const LONGEST_LINE = 2000;
/** A hostile form or menu must not fill a row; raw_body has all of it. */
const MOST_LINES = 200;

/** JSON.parse under its real type, instead of `any`. */

/** The object in a JSON text (`response_json`, `paramsJson`), or one already parsed by a program. */
export function paramsOf(value: JsonValue | undefined): JsonObject | undefined {
  if (typeof value !== 'string') return asObject(value);
  if (value.length > LONGEST_JSON) return undefined;
  try {
    return asObject(readJson(value));
  } catch {
    return undefined;
  }
}

/** The present lines as one text; undefined if none. */
export function linesOf(lines: readonly (string | undefined)[]): string | undefined {
  const present: string[] = [];
  for (const line of lines) {
    if (line !== undefined && line.trim() !== '' && present.push(line) === MOST_LINES) break;
  }
  return present.length === 0 ? undefined : present.join('\n');
}

/** A text shortened to fit one line of a longer text. */
export function lineText(value: JsonValue | undefined): string | undefined {
  const text = textOf(value);
  if (text === undefined) return undefined;
  const line = cutText(text, LONGEST_LINE).replaceAll(/\s+/g, ' ').trim();
  return line === '' ? undefined : line;
}

/** `poll_creation`, `pollCreation` and `poll-creation` as words: `Poll creation`. */
export function titleOf(name: string): string {
  const words = cutText(name, 100)
    .replaceAll(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .replaceAll(/[_\-\s]+/g, ' ')
    .trim();
  const [first = '', ...rest] = words.split(' ');
  const lower = rest.map((word) => (/^\p{Lu}\p{Ll}/u.test(word) ? word.toLowerCase() : word));
  return [first.charAt(0).toUpperCase() + first.slice(1), ...lower].join(' ');
}

/** `2025-09-16 05:20 UTC`. */
export function timeText(value: JsonValue | undefined): string | undefined {
  const at = parseTimestamp(value);
  return at === undefined ? undefined : minuteOf(at);
}

/**
 * `BRL 12.50` from an amount in fractions of a currency (`{value: 1250, offset: 100}`); undefined for none and for
 * zero.
 */
export function moneyText(value: JsonValue | undefined, currency?: JsonValue): string | undefined {
  const money = asObject(value);
  const offset = numberOf(money?.offset) ?? 1;
  return amountText(money?.value, offset, money?.currencyCode ?? money?.currency_code ?? currency);
}

/** The same for a number of thousandths, as WhatsApp Web has them (`amount1000`). */
export function amountText(
  value: JsonValue | undefined,
  offset: number,
  currency: JsonValue | undefined,
): string | undefined {
  const amount = longOf(value);
  if (amount === undefined || amount === 0 || !(offset >= 1)) return undefined;
  return [lineText(currency), (amount / offset).toFixed(2)].filter((part) => part !== undefined).join(' ');
}

/** A number in any of its JSON forms, including a protobuf Long. */
function longOf(value: JsonValue | undefined): number | undefined {
  const long = asObject(value);
  if (typeof long?.low === 'number' && typeof long.high === 'number') {
    return long.high * 2 ** 32 + (long.low >>> 0);
  }
  return numberOf(value);
}

/** Fields that hold the text of any content, best first. */
const TEXT_FIELDS = [
  'text',
  'body',
  'caption',
  'contentText',
  'message',
  'description',
  'title',
  'displayName',
  'name',
] as const;

/** The text of an unknown content: a plain field with a common name, or one level below it (`body.text`). */
export function textInside(content: JsonValue | undefined): string | undefined {
  if (typeof content === 'string') return textOf(content);
  const object = asObject(content);
  if (object === undefined) return undefined;
  for (const field of TEXT_FIELDS) {
    const value = ownValue(object, field);
    const inner = asObject(value);
    const text = inner === undefined ? value : (inner.text ?? inner.body);
    const found = typeof text === 'string' && text.trim() !== '' ? textOf(text) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Names of the types that may lack content. */
const LABELS: ReadonlyMap<string, string> = new Map([
  ['button', 'Button'],
  ['contacts', 'Contact'],
  ['errors', 'Unsupported message'],
  ['group_invite', 'Group invitation'],
  ['interactive', 'Interactive message'],
  ['location', 'Location'],
  ['order', 'Order'],
  ['poll', 'Poll'],
  ['product', 'Product'],
  ['template', 'Template'],
  ['unknown', 'Unsupported message'],
  ['unsupported', 'Unsupported message'],
]);

/** The text of a bubble with nothing to show: an empty one looks like a lost message. */
export function labelOf(type: string): Wording {
  const name = lineText(type);
  const known = name === undefined ? 'Unsupported message' : LABELS.get(name);
  return { body: known ?? `Unsupported message (${name ?? ''})`, isLabel: true };
}

/** The first informative error: Meta's words are all that this kind of message has. */
export function errorText(errors: JsonValue | undefined): string | undefined {
  for (const element of (asArray(errors) ?? []).slice(0, 20)) {
    const error = asObject(element);
    const text =
      lineText(asObject(error?.error_data)?.details) ??
      lineText(error?.details) ??
      lineText(error?.message) ??
      lineText(error?.title);
    if (text !== undefined) return text;
    const code = lineText(error?.code);
    if (code !== undefined) return `Error ${code}`;
  }
  return undefined;
}
