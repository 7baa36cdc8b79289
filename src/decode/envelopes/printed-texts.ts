/**
 * Texts in a value that a program printed over several lines, in a form that is not read as a whole or has lost its head. A body
 * in such a text is a person's words: read on its own, it would become a webhook (rule E1).
 */

import { withoutColors } from './clock.js';
import { decoratedMember } from './decorated-json.js';
import { readLiteral } from './literals.js';

/** A form in which programs print values. */
export type PrintForm =
  | 'php_print_r'
  | 'php_var_export'
  | 'php_var_dump'
  | 'php_serialize'
  | 'printed_by_python'
  | 'printed_by_ruby'
  | 'printed_by_node'
  | 'printed_json'
  | 'yaml'
  | 'xml'
  | 'form';

/** Parts of a body in each form. */
const OF_BODY: readonly (readonly [PrintForm, RegExp])[] = [
  ['printed_by_node', /(?:^|[\s{,])(?:object: '(?:whatsapp|page|instagram)|messaging_product: 'whatsapp)/],
  ['printed_by_python', /'(?:object': '(?:whatsapp|page|instagram)|messaging_product': 'whatsapp)/],
  ['php_print_r', /\[(?:object\] => (?:whatsapp|page|instagram)|messaging_product\] => whatsapp)/],
  ['php_var_export', /'(?:object' => '(?:whatsapp|page|instagram)|messaging_product' => 'whatsapp)/],
  [
    'php_serialize',
    /s:\d+:"(?:object";s:\d+:"(?:whatsapp|page|instagram)|messaging_product";s:\d+:"whatsapp)/,
  ],
  ['php_var_dump', /^\s*string\(\d+\) "whatsapp(?:_business_account)?"\s*$/m],
  ['yaml', /(?:^|\s)(?:object: ['"]?whatsapp_business_account|messaging_product: ['"]?whatsapp)['"]?\s*$/m],
  ['xml', /<(?:object>whatsapp_business_account|messaging_product>whatsapp)</],
  ['form', /(?:^|[\s&?"])object=whatsapp_business_account&/],
  [
    'printed_json',
    /^[^{"\n]{0,400}[ \t]"(?:object": ?"(?:whatsapp|page|instagram)|messaging_product": ?"whatsapp|id": ?"wamid\.|remoteJid": ?"\d)[^"\n]{0,200}",?\s*$/m,
  ],
];

/** A member of pretty-printed JSON with a text. */
const MEMBER_WITH_TEXT = /^[ \t]+"(?:[^"\\\n]|\\.){1,80}"\s*:\s*"/;

/** A text of a person between double quotes, as Node prints one with an apostrophe, or a piece of one. */
const DEEP_TEXT =
  /^(?: {8}|\t\t)\s*(?:'?(?:text|caption|conversation|title|description|name|body|content|message)'?: )?"/;

/** A member of pretty-printed JSON with a value that goes on in the next lines. */
const MEMBER_WITH_VALUE = /^[ \t]+"(?:[^"\\\n]|\\.){1,80}"\s*:\s*[[{]/;

/**
 * Whether a line is a member of JSON that was printed over several lines, alone: the value's beginning is missing. What its text holds is
 * a person's.
 */
function isMemberOfJson(line: string): boolean {
  const [head] = MEMBER_WITH_TEXT.exec(line.slice(0, LONGEST_MEMBER_HEAD)) ?? [];
  if (head === undefined) return false;
  const end = endOfString(line, head.length, '"');
  return end === undefined || /^\s*,?\s*$/.test(line.slice(end + 1, end + 1 + LONGEST_END));
}

const LONGEST_MEMBER_HEAD = 600;

/** In which form a part of a body was printed; undefined for any other text. */
export function printFormOf(text: string): PrintForm | undefined {
  const ofBody = OF_BODY.find(([, pattern]) => pattern.test(text))?.[0];
  if (ofBody !== undefined) return ofBody;
  const [first = '', second] = text.split('\n', 2);
  if (second === undefined) return undefined;
  const strings = new PrintedStrings();
  strings.take(first);
  return strings.take(second);
}

/**
 * How a line in the middle of a value begins that Node, Python or Ruby print: with a member, a piece of a text, or a bracket. The line
 * of Rails (`  Parameters: {"object"=>`) is a whole one.
 */
const MEMBER =
  /^\s+(?!\w+: [[{]+"(?:[^"\\]|\\.){0,200}" ?=>)(?:(?:'(?:[^'\\]|\\.){0,200}'|[A-Za-z_$][\w$]{0,80}): ?(?:['"`{[(\d-]|\w+,?$|$)|(?<=\s{8})"(?!(?:[^"\\]|\\.){0,200}"\s*:)|[bu]?['`](?!(?:[^'\\]|\\.){0,200}' ?=>)|[[{]\s*(?:$|')|[[{][[{\s]*[\w$]+:|[[{\s]*(?:"(?:[^"\\]|\\.){0,200}"|:\w{1,80}) ?=>)/;
/** The same, of any line but the first: what begins in double quotes can be JSON. */
const MORE = /^\s+(?:"|[[{][\s[{]*')/;

/** Whether a line can stand in the middle of a print by Node, Python or Ruby. */
export function isInsidePrint(line: string, isFirst = true): boolean {
  return MEMBER.test(line) || (!isFirst && MORE.test(line));
}

/** The form of a print over several lines that begins in the middle of its value; undefined for any other text. */
export function fragmentOf(text: string): PrintForm | undefined {
  const [first = '', second] = text.trimEnd().slice(0, LONGEST_START).split('\n', 2);
  if (isDecorated(first)) return 'printed_json';
  // Alone, a line is an entry of a log: `  Parameters: {"object"=>…}` of Rails.
  if (second === undefined) {
    if (isMemberOfJson(first)) return 'printed_json';
    return DEEP_TEXT.test(first) ? 'printed_by_node' : undefined;
  }
  if (MEMBER_WITH_VALUE.test(first)) return 'printed_json';
  if (!isInsidePrint(first)) return undefined;
  // In a group of lines that are all indented, a value can be whole.
  const start = text.search(/\S/);
  const isBracket = text[start] === '{' || text[start] === '[';
  const literal = isBracket && start < DEEP ? readLiteral(text, start) : undefined;
  if (literal !== undefined && literal.kind !== 'cut' && text.slice(literal.end).trim() === '')
    return undefined;
  if (/^\s+(?:'(?:[^'\\]|\\.)*':|[bu]['"])/.test(text.slice(0, LONGEST_START))) return 'printed_by_python';
  if (/^\s+[[{]*(?:"(?:[^"\\]|\\.)*" ?=>)/.test(text.slice(0, LONGEST_START))) return 'printed_by_ruby';
  return OF_BODY.find(([, pattern]) => pattern.test(text))?.[0] ?? 'printed_by_node';
}

const LONGEST_START = 2_000;

/** Whether a text begins with a member of JSON over several lines, among words that make it unreadable. */
export function isDecorated(text: string): boolean {
  if (!text.includes('"')) return false;
  const end = text.indexOf('\n');
  const kind = decoratedMember(end === -1 ? text : text.slice(0, end))?.kind;
  return kind === 'member';
}

/** Keys of what a person wrote or chose. */
const OF_TEXT: ReadonlySet<string> = new Set('text caption conversation title description name'.split(' '));
/** Keys of that in a message, and of a request's body. */
const OF_TEXT_OR_BODY: ReadonlySet<string> = new Set(['body', 'content', 'message']);
/** Requests are not printed deeper; messages in a webhook are. */
export const DEEP = 8;
/** Names of what only a message has, among the words before. */
const OF_PERSON = /\b(?:from|sender|phone|contact|author|remote_?jid|wa_id|chat_?id|from_?me)\b/i;
const LONGEST_PREFIX = 2000;

/** Whether the string of a property is a person's text, even where it is a body as a whole. */
function isTextKey(key: string, before: string): boolean {
  if (OF_TEXT.has(key)) return true;
  if (!OF_TEXT_OR_BODY.has(key)) return false;
  const line = before.slice(before.lastIndexOf('\n') + 1);
  const isDeep =
    indentOf(line) >= DEEP || /\btext['"\]]?\s*(?::|=>)\s*\{\s*['"]?body/.test(line.slice(-LONGEST_PREFIX));
  return isDeep || OF_PERSON.test(before.slice(-LONGEST_PREFIX));
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/** A string that is open in a line. */
interface OpenString {
  form: PrintForm;
  /** Whether it goes on in the next line; otherwise the next line tells. */
  isSure: boolean;
  /** Takes the next line: whether it is none of the string, holds the string's end, or more of it. */
  goOn: (line: string) => 'no' | 'last' | 'more';
}

/** Follows the lines of a log: which of them go on with a string that an earlier one has begun. */
export class PrintedStrings {
  #open: OpenString | undefined;

  /** What the last line leaves open: a string, perhaps one, or none. */
  get state(): 'open' | 'perhaps' | 'none' {
    if (this.#open === undefined) return 'none';
    return this.#open.isSure ? 'open' : 'perhaps';
  }

  /** Whether that string is of a form of PHP's, which all say for certain that a string begins. */
  get isOfPhp(): boolean {
    return this.#open?.form.startsWith('php_') === true;
  }

  /** The form of the string that the line goes on with; undefined for a line of its own, which may begin one. */
  take(line: string): PrintForm | undefined {
    const open = this.#open;
    const way = open?.goOn(line) ?? 'no';
    if (open === undefined || way === 'no') {
      this.#open = openStringOf(line);
      return undefined;
    }
    if (way === 'last') this.#open = undefined;
    else open.isSure = true;
    return open.form;
  }
}

/** The string that a line of a print leaves open, or may. */
function openStringOf(line: string): OpenString | undefined {
  return openCounted(line) ?? openExported(line) ?? openUnquoted(line) ?? openBlock(line) ?? openPieces(line);
}

const COUNTED = /(?<![A-Za-z0-9])(?:s:(\d{1,9}):|string\((\d{1,9})\) )"/g;

/** `s:485:"oi`, `string(485) "oi`: PHP says how many bytes follow. */
function openCounted(line: string): OpenString | undefined {
  const counted = countedIn(line);
  if (counted === undefined || counted.missing < 0) return undefined;
  let { missing } = counted;
  return {
    form: counted.form,
    isSure: true,
    goOn: (next) => {
      const bytes = Buffer.byteLength(next);
      missing -= bytes + 1;
      if (missing >= 0) return 'more';
      const rest = Buffer.from(next)
        .subarray(Math.max(0, bytes + missing + 1))
        .toString();
      const another = countedIn(rest);
      if (another === undefined || another.missing < 0) return 'last';
      ({ missing } = another);
      return 'more';
    },
  };
}

interface Counted {
  form: PrintForm;
  key: string;
  /** The string's bytes in the text, as a text of Latin-1. */
  inner: string;
  size: number;
  /** How many of its bytes are not in the text. */
  missing: number;
}

/** The counted string in which a text ends. What looks like one inside another is its text. */
function countedIn(text: string): Counted | undefined {
  if (!text.includes(':"') && !text.includes(') "')) return undefined;
  const bytes = Buffer.from(text).toString('latin1');
  let key = '';
  COUNTED.lastIndex = 0;
  for (let match = COUNTED.exec(bytes); match !== null; match = COUNTED.exec(bytes)) {
    const form = match[1] === undefined ? 'php_var_dump' : 'php_serialize';
    const size = Number(match[1] ?? match[2]);
    const start = COUNTED.lastIndex;
    const missing = start + size - bytes.length;
    if (missing >= 0) return { form, key, inner: bytes.slice(start), size, missing };
    key = bytes.slice(start, start + Math.min(size, 80));
    COUNTED.lastIndex = start + size;
  }
  return undefined;
}

/** `'body' => 'oi`: var_export leaves line ends as they are. */
function openExported(line: string): OpenString | undefined {
  const [head] = /^\s+(?:'(?:[^'\\]|\\.)*'|\d+) => '/.exec(line) ?? [];
  if (head === undefined || endOfString(line, head.length, "'") !== undefined) return undefined;
  return {
    form: 'php_var_export',
    isSure: true,
    goOn: (next) => (endOfString(next, 0, "'") === undefined ? 'more' : 'last'),
  };
}

const UNQUOTED = /^( +)\[([^\]\n]*)\] => (?!(?:Array|\S+ Object)\s*$)/;
/** print_r indents each level by so much, and its keys by half of it. */
const LEVEL = 8;

/**
 * `    [body] => oi`: print_r escapes nothing. Behind a person's text nothing of the print is certain, up to its last bracket, with one
 * at its place for each level before: only those are counted.
 */
function openUnquoted(line: string): OpenString | undefined {
  const [head, { length: indent } = '', key = ''] = UNQUOTED.exec(line) ?? [];
  if (head === undefined || indent % LEVEL !== LEVEL / 2) return undefined;
  let closing = indent - LEVEL / 2;
  let isSure = isTextKey(key, head);
  return {
    form: 'php_print_r',
    isSure,
    goOn: (next) => {
      const isBracket = /^ *[()]\s*$/.test(next);
      if (!isSure && (isBracket || /^ +\[[^\]]*\] => /.test(next))) return 'no';
      isSure = true;
      if (isBracket && next.trim() === ')' && indentOf(next) === closing) closing -= LEVEL;
      return closing < 0 ? 'last' : 'more';
    },
  };
}

/** `body: |-`: a block of YAML, in which every line is indented deeper than its key. */
function openBlock(line: string): OpenString | undefined {
  const [, before = '', key = ''] = /^( *(?:- +)*)["']?(\w{1,40})["']?: [|>][-+]?\d?\s*$/.exec(line) ?? [];
  if (key === '' || !isTextKey(key, line)) return undefined;
  return {
    form: 'yaml',
    isSure: true,
    goOn: (next) => (next.trim() === '' || indentOf(next) > before.length ? 'more' : 'no'),
  };
}

/** `'oi\n' +` (Node), `'oi '` (Python): a piece of a string, with more of them in the next lines. */
function openPieces(written: string): OpenString | undefined {
  const line = withoutColors(written);
  const end = /(['"`])( \+)?\s*$/.exec(line.slice(-LONGEST_END));
  if (end === null || !/^\s+[bu]?['"`]|[:([]\s*[bu]?['"`]/.test(line)) return undefined;
  const isNode = end[2] !== undefined;
  return {
    form: isNode ? 'printed_by_node' : 'printed_by_python',
    isSure: false,
    goOn: (nextWritten) => {
      const next = withoutColors(nextWritten);
      if (!/^\s+[bu]?['"`]/.test(next)) return 'no';
      const goesOn = isNode ? /['"`] \+\s*$/ : /['"`]\s*$/;
      return goesOn.test(next.slice(-LONGEST_END)) ? 'more' : 'last';
    },
  };
}

const LONGEST_END = 20;

/** The index of the quote that ends a string whose text begins at `from`. */
function endOfString(text: string, from: number, quote: string): number | undefined {
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === '\\') at++;
    else if (character === quote) return at;
  }
  return undefined;
}

/** Where a value stands in a text. */
interface Span {
  start: number;
  end: number;
}

/** The form of the print in one of whose texts a value of `text` is; undefined where all are values of their own. */
export function printAround(text: string, values: readonly Span[]): PrintForm | undefined {
  const strings = new PrintedStrings();
  /** Where the line with the last value begins and ends, and what the lines so far leave open in it. */
  let from = 0;
  let to = -1;
  /** Where the last value ends. */
  let last = 0;
  for (const { start, end } of values) {
    if (start > to) {
      from = to + 1;
      for (
        let next = text.indexOf('\n', from);
        next !== -1 && next < start;
        next = text.indexOf('\n', from)
      ) {
        strings.take(text.slice(from, next));
        from = next + 1;
      }
      const lineEnd = text.indexOf('\n', end);
      to = lineEnd === -1 ? text.length : lineEnd;
      const form = strings.take(text.slice(from, to));
      if (form !== undefined) return form;
    }
    const form = stringAround(text, from, { start, end }, Math.max(from, last));
    if (form !== undefined) return form;
    last = end;
  }
  return undefined;
}

/** The same for one value, in its line, which begins at `line`; what opens a string around it is at `from` or after. */
function stringAround(text: string, line: number, { start, end }: Span, from: number): PrintForm | undefined {
  const before = text.slice(from, start);
  const after = text.slice(end, end + LONGEST_END);
  const counted = countedIn(before);
  if (counted !== undefined) {
    const { form, key, inner, size } = counted;
    const isWhole =
      inner === '' && (end === text.length || size === Buffer.byteLength(text.slice(start, end)));
    const isUnknown = form === 'php_var_dump' && /\s/.test(text[line] ?? '');
    return isWhole && !isUnknown && !isTextKey(key, text.slice(0, start)) ? undefined : form;
  }
  const unquoted = from === line ? /^\s+\[([^\]\n]*)\] => /.exec(before) : null;
  if (unquoted !== null) {
    const [head, key = ''] = unquoted;
    const isWhole = before.slice(head.length).trim() === '' && /^\s*(?:\n|$)/.test(after);
    return isWhole && !isTextKey(key, text.slice(0, start)) ? undefined : 'php_print_r';
  }
  return quotedAround(text, line, { start, end }, before, after);
}

const PROPERTY =
  /(?:^\s*|[{,[(]\s*)(?:'([^'\\\n]{1,80})'|"([^"\\\n]{1,80})"|([\w$]{1,80}))\s*(:|=>)\s*\(?[bu]?(['`])/g;
/** A piece of a string, which began before. */
const PIECE = /^\s+[bu]?(['`])/;

/** `body: 'oi {…}'`, `'body': 'oi {…}'`, `'body' => 'oi {…}'`, in an indented line or behind an open bracket. */
function quotedAround(
  text: string,
  line: number,
  { start, end }: Span,
  before: string,
  after: string,
): PrintForm | undefined {
  const isIndented = /[ \t]/.test(text[line] ?? '');
  const piece = isIndented ? PIECE.exec(before) : null;
  if (piece !== null) {
    const [head, quote = ''] = piece;
    if (endOfString(before, head.length, quote) === undefined) {
      const isWhole = before.length === head.length && (end === text.length || after.startsWith(quote));
      const isLast = /^['`]\s*(?:\}|\+\s*(?:\n|$))/.test(after);
      if (isWhole && !isLast && indentOf(before) < DEEP) return undefined;
      return after.includes('+') ? 'printed_by_node' : 'printed_by_python';
    }
  }
  // A text of Ruby on a line of its own.
  const [quoted] = /^\s{8,}"/.exec(before) ?? [];
  const isOpen = quoted !== undefined && endOfString(before, quoted.length, '"') === undefined;
  if (isOpen || (text[start] === '"' && /^\s{8,}$/.test(before))) return 'printed_by_ruby';
  PROPERTY.lastIndex = 0;
  for (let match = PROPERTY.exec(before); match !== null; match = PROPERTY.exec(before)) {
    const [, single, double, bare, arrow, quote = ''] = match;
    const close = endOfString(before, PROPERTY.lastIndex, quote);
    if (close !== undefined) {
      PROPERTY.lastIndex = close;
      continue;
    }
    if (!isIndented && !isInBraces(before.slice(0, match.index + 1))) return undefined;
    const isWhole =
      before.length === PROPERTY.lastIndex &&
      (end === text.length || (after.startsWith(quote) && !/^.\s*\+/.test(after)));
    const key = single ?? double ?? bare ?? '';
    const isDeep = arrow === ':' && indentOf(before) >= DEEP;
    if (isWhole && !isDeep && !isTextKey(key, text.slice(0, start))) return undefined;
    if (arrow === '=>') return 'php_var_export';
    return bare === undefined ? 'printed_by_python' : 'printed_by_node';
  }
  return undefined;
}

/** Whether words leave a brace open. */
function isInBraces(words: string): boolean {
  let depth = 0;
  for (const character of words) {
    if (character === '{') depth++;
    else if (character === '}' && depth > 0) depth--;
  }
  return depth > 0;
}
