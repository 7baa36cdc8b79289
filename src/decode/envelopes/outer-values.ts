/**
 * What the words before a value say about its context. JSON inside a message's text, or inside a value in another
 * notation, is part of that: read on its own, a customer's text would become a webhook (rule E1).
 */

import { printAround, type PrintForm } from './printed-texts.js';

/** `fmt.Println` of a Go map: `map[entry:[map[id:…]]]`. */
const GO_MAP = /\bmap\[[\w-]+:/;

/** Keys under which programs log a person's text, directly before a value. */
const BEFORE_TEXT = /\b(?:text|content|caption|conversation)["']?\s*(?:[=:]|=>)\s*["'`]?$/i;
/** Words that mark a line as about one person's message. */
const OF_PERSON = /\b(?:from|sender|phone|contact|author|remote_?jid|wa_id|chat_?id|from_?me)\b/i;

/** What a whole body contains, and no label in a log's prefix does. */
const OF_BODY = /whatsapp_business_account|messaging_product|remoteJid["']?\s*(?::|=>)/;

/** Words of a body as programs print their own objects, and as XML (`Webhook(object=whatsapp_business_account`): both, no label has two. */
const OBJECT_OF_BODY = /\bobject\s?(?:= ?['"]?|>|:)whatsapp_business_account\b/i;
const PRODUCT_OF_BODY = /\bmessaging_?product\s?(?:= ?['"]?|>|:)whatsapp\b/i;

/** Found only in a webhook's body, or a text around one. */
const MARK =
  /whatsapp_business_account|messaging_product|phone_number_id|remoteJid|messag(?:es|ing-history)[._](?:upsert|set|update)/i;

export function hasMark(text: string): boolean {
  return MARK.test(text);
}

/** Where something encoded can stand in which a mark is; a signature is none. */
const ENCODED = /(?<!sha\d{1,3}=)(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{40}/;

/** What every body has two of, in any notation or encoding that keeps its words. */
const WORDS_OF_BODY = [
  ['whatsapp_business_account', 'messaging_product'],
  ['messaging_product', 'phone_number_id', 'metadata'],
  ['remoteJid', 'fromMe'],
] as const;
const BRACKET = /[{[]|%7B|\\x7B/i;

/** Whether words are a body, or a part of one, and no label that only mentions one. */
export function isOfBody(words: string): boolean {
  if (!hasMark(words) || !BRACKET.test(words)) return false;
  return WORDS_OF_BODY.some((all) => all.every((word) => words.includes(word)));
}

/** Whether a text has a bracket in which a value could be: any but those of a logger's level (`[INFO]`). */
export function hasBracket(text: string): boolean {
  return text.includes('{') || (text.includes('[') && /\[(?![A-Za-z]{1,10}\])/.test(text));
}

/**
 * Why a value is no entry of its own: Go's print of a map, which quotes nothing; a text in another print; or a text, or an unreadable
 * value, around it.
 */
export type PartReason = 'go_map' | 'inside_text' | PrintForm;

/**
 * The way to a message's text, in any notation: `text=Text(body='oi`, `[text][body]=`, `text.body":`, `<text><body>`. Behind it words of
 * the text may follow.
 */
const WAY_TO_TEXT =
  /\btext\b[^\w\n]{0,8}[=.[({<>:"'][^\w\n]{0,8}(?:\w{1,40}[([{=<]\s?)?body\b[^\w\n]{0,6}[^"'`)\]}<>&\n]{0,400}$/i;
/** A text of XML, or of YAML without quotes, so deep that it is in a message. */
const DEEP_TEXT =
  /(?:^|\n)(?:[ \t]{4,}<(?:text|body|caption|conversation)>[^<\n]*|(?: {8}|\t\t)\s*(?:text|body|caption|conversation): [^"'{\n]*)$/;
/** A member of JSON over several lines, in its text: whatever its key is, that is no entry of its own. */
const IN_MEMBER = /\n[ \t]*"(?:[^"\\\n]|\\.){1,80}":[ ]?"[^\n]*$/;
/** The same in one of its lines, without its indentation. */
const IN_TEXT = /(?:^|\s)"(?:text|body|caption|conversation)": "(?:[^"\\\n]|\\.)*$/;

/** Whether `prefix` ends where a person's text begins, or in it: `message from 5511900000001 text=`. */
export function endsBeforeText(prefix: string): boolean {
  const near = prefix.slice(-LONGEST_PREFIX);
  const way = near.slice(-LONGEST_WAY);
  if (WAY_TO_TEXT.test(way) || IN_TEXT.test(way) || DEEP_TEXT.test(near) || IN_MEMBER.test(near)) return true;
  return BEFORE_TEXT.test(prefix.slice(-LONGEST_LABEL)) && OF_PERSON.test(near);
}

const LONGEST_LABEL = 40;
const LONGEST_WAY = 500;
const LONGEST_PREFIX = 2000;

/** Where a value stands in a text, and in what syntax it is written. */
interface Span {
  start: number;
  end: number;
  syntax?: string | undefined;
}

/** What stands in a line before a member of a value whose beginning is missing. */
const BEFORE_MEMBER =
  /^[ \t]+(?:'(?:[^'\\]|\\.){0,200}'|"(?:[^"\\]|\\.){0,200}"|[\w$]{1,200})\s*(?::|=>)\s*[[{(\s]*$/;

/** The form of a print of which a value in its notation is only a member. */
function memberOf(text: string, { start, syntax }: Span): PrintForm | undefined {
  if (syntax !== 'inspect' && syntax !== 'python') return undefined;
  const before = text.slice(Math.max(text.lastIndexOf('\n', start - 1) + 1, start - LONGEST_PREFIX), start);
  if (!BEFORE_MEMBER.test(before)) return undefined;
  return syntax === 'python' ? 'printed_by_python' : 'printed_by_node';
}

/**
 * Of what the values of a text are parts; undefined where they are values of their own. `enclosed`: the first of them with open
 * brackets before it.
 */
export function partReasonIn(
  text: string,
  values: readonly Span[],
  enclosed: Span | undefined,
): PartReason | undefined {
  const marked = values.filter(({ start, end }) => hasMark(text.slice(start, end)));
  const held =
    marked.length > 0 ? marked : values.filter(({ start, end }) => ENCODED.test(text.slice(start, end)));
  if (held.length === 0) return undefined;
  const print = marked.length > 0 ? printAround(text, marked) : undefined;
  if (print !== undefined) return print;
  const member = held.map((value) => memberOf(text, value)).find((form) => form !== undefined);
  if (member !== undefined) return member;
  let words = '';
  let from = 0;
  for (const { start, end } of values) {
    words += `${text.slice(from, start)} `;
    from = end;
  }
  words += text.slice(from);
  if (enclosed !== undefined && GO_MAP.test(words)) return 'go_map';
  if (enclosed !== undefined && OF_BODY.test(words)) return 'inside_text';
  if (OBJECT_OF_BODY.test(words) && PRODUCT_OF_BODY.test(words)) return 'inside_text';
  return held.some(({ start }) => endsBeforeText(text.slice(0, start))) ? 'inside_text' : undefined;
}

/** `{'key':`, `{key:`, `{"key"=>`, `{:key=>`: how values in the notations of Python, Node and Ruby begin. */
const LITERAL_START =
  /\{\s*(?:'(?:[^'\\]|\\.){0,200}'\s*(?::|=>)|"(?:[^"\\]|\\.){0,200}"\s*=>|:(?:\w+|"[^"\\]{0,200}")\s*=>|[A-Za-z_$][\w$]*\s*(?::(?!:)|=>))/g;

/**
 * The value in a notation other than JSON that is open at `at`, in its brackets or in one of its texts: where it begins, and
 * whether the line ends inside it, outside its texts.
 */
export function literalAround(
  line: string,
  at: number,
): { start: number; isUnfinished: boolean } | undefined {
  const go = GO_MAP.exec(line.slice(0, at));
  if (go !== null) return { start: go.index, isUnfinished: false };
  for (const { index } of line.slice(0, at).matchAll(LITERAL_START)) {
    const literal = bracketsFrom(line, index, at);
    if (literal.isAround) return { start: index, isUnfinished: literal.isUnfinished };
  }
  return undefined;
}

/** Follows brackets and quotes from `start`: whether `at` is inside the first bracket, and the line's end outside any text. */
function bracketsFrom(line: string, start: number, at: number): { isAround: boolean; isUnfinished: boolean } {
  let depth = 0;
  let quote: string | undefined;
  for (let i = start; i < line.length; i++) {
    const character = line[i] ?? '';
    if (character === '\\') i++;
    else if (quote !== undefined) {
      if (character === quote) quote = undefined;
    } else if (character === '"' || character === "'" || character === '`') quote = character;
    else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') {
      depth--;
      if (depth <= 0) return { isAround: i >= at, isUnfinished: false };
    }
  }
  return { isAround: true, isUnfinished: quote === undefined };
}
