/**
 * The words that a log system puts before every line of what a program printed over several: `docker logs -t`, `kubectl --prefix`,
 * stern, GitHub Actions, `ts`, `grep -n`, a logger's level. No list of such systems is complete, so the lines themselves tell: they
 * begin alike up to their numbers, and go on as the lines of one pretty-printed value do.
 */

/** No log system writes more before a line. */
const LONGEST_PREFIX = 400;

const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const MINUS = 0x2d;

function bytesOf(text: string): ReadonlySet<number> {
  return new Set(Array.from(text, (character) => character.charCodeAt(0)));
}

/** What a prefix can end in: a word is never cut. */
const ENDS_PREFIX = bytesOf(' \t:|]>)-');
/** How the line of a pretty-printed value begins that is not indented: with the bracket that closes it. */
const CLOSERS = bytesOf('}])');
/** With these, JSON and what programs print begin: they are no words of a prefix. */
const BEGINS_VALUE = bytesOf('{"\'`');

/**
 * What stands before the first line of a value as well as before its second; undefined where they do not begin alike, or the second
 * is not indented behind it.
 */
export function sharedPrefix(first: Buffer, second: Buffer): Buffer | undefined {
  const [begin = SPACE] = first;
  if (isIndent(begin) || BEGINS_VALUE.has(begin)) return undefined;
  const [end] = alike(first.subarray(0, LONGEST_PREFIX), second);
  for (let length = end; length > 0; length--) {
    if (!ENDS_PREFIX.has(first[length - 1] ?? 0)) continue;
    const prefix = first.subarray(0, withoutIndent(first, length));
    const rest = withoutPrefix(second, prefix);
    return rest !== undefined && isIndent(rest[0] ?? 0) ? prefix : undefined;
  }
  return undefined;
}

/** Where a prefix ends that has white space at its end: of what is inside a value, that is the indentation of both lines. */
function withoutIndent(first: Buffer, length: number): number {
  const size = endOfWords(first, length);
  const indent = length - size;
  if (indent > DEEP) return length - DEEP;
  const isWord = !BRACKETS.has(first[length] ?? 0);
  return isWord && indent > MOST_BEHIND_PREFIX ? size + MOST_BEHIND_PREFIX : length;
}

/** Where the words among the first `length` bytes end, without the white space behind them. */
function endOfWords(bytes: Buffer, length: number): number {
  let size = length;
  while (size > 0 && isIndent(bytes[size - 1] ?? 0)) size--;
  return size;
}

const BRACKETS = bytesOf('{[(');
/** Deeper than this only what is inside a value is indented. */
const DEEP = 8;
/** So many blanks systems put behind their words, before what a program printed. */
const MOST_BEHIND_PREFIX = 2;

/** A line without its prefix; undefined if it does not begin so. At the end of an empty line, white space may be missing. */
export function withoutPrefix(line: Buffer, prefix: Buffer): Buffer | undefined {
  const end = matchedLength(line, prefix);
  if (end !== undefined) return line.subarray(end);
  const size = endOfWords(prefix, prefix.length);
  return size < prefix.length && matchedLength(line, prefix.subarray(0, size)) === line.length
    ? line.subarray(line.length)
    : undefined;
}

/** Whether what remains of a line can be in a value that began in an earlier one: it is indented, empty, or a closing bracket. */
export function isInsideValue(rest: Buffer): boolean {
  const [first] = rest;
  return first === undefined || isIndent(first) || CLOSERS.has(first);
}

/**
 * Where in a line its indentation begins that is inside a value, behind words of a log system: nothing else is indented so far. 0 for any
 * other line. In UTF-16 units of a text, or in bytes of Latin-1.
 */
export function wordsBeforeIndent(line: string): number {
  const [, words = ''] = DEEP_BEHIND_WORDS.exec(line.slice(0, LONGEST_PREFIX + LONGEST_INDENT)) ?? [];
  return words.length;
}

const LONGEST_INDENT = 400;
/** A person's text is indented by eight columns, or by four in the message of WhatsApp Web alone. */
const DEEP_BEHIND_WORDS =
  /^([^\s{"'`][^{"'`\n]*?)(?:[ ]{8}|\t{2}|[ ]{4,}(?=(?:["']?(?:text|caption|conversation|body)["']?:|<(?:text|caption|conversation|body)>)))/;

/** How many bytes of `line` the prefix takes, whose numbers can be others; undefined if the line begins in another way. */
function matchedLength(line: Buffer, prefix: Buffer): number | undefined {
  const [ofPrefix, ofLine] = alike(prefix, line);
  return ofPrefix === prefix.length ? ofLine : undefined;
}

/** How far two lines begin alike, up to their numbers: where that ends in each. */
function alike(first: Buffer, second: Buffer): [number, number] {
  let at = 0;
  for (let i = 0; i < first.length;) {
    const [next, nextAt] = step(first, i, second, at);
    if (next === i) return [i, at];
    i = next;
    at = nextAt;
  }
  return [first.length, at];
}

/** Goes on by one character in both, or by one number; stays where they differ. */
function step(first: Buffer, i: number, second: Buffer, at: number): [number, number] {
  const byte = first[i];
  const other = second[at];
  if (other === undefined) return [i, at];
  if (isDigit(byte) && isDigit(other)) return [afterNumber(first, i), afterNumber(second, at)];
  const isSame = byte === other || (isSeparator(byte) && isSeparator(other));
  return isSame ? [i + 1, at + 1] : [i, at];
}

/** grep writes `-` around the number of a line beside the one it found, and `:` around that one's. */
function isSeparator(byte: number | undefined): boolean {
  return byte === COLON || byte === MINUS;
}

function afterNumber(bytes: Buffer, from: number): number {
  let at = from;
  while (isDigit(bytes[at])) at++;
  return at;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function isIndent(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}
