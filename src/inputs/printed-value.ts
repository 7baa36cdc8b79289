import { COLORS, withoutColors } from '../decode/envelopes/clock.js';
import { DEEP, isInsidePrint } from '../decode/envelopes/printed-texts.js';

/**
 * How a bracket begins a value in the notation of Node, Python or Ruby: `{'key':`, `{ key:`, `{"key"=>`, `{:key=>`, or a list of texts.
 * What begins as JSON is none.
 */
const LITERAL =
  /(?:[[{(]\s*){0,16}(?:\{\s*(?:'(?:[^'\\]|\\.){0,200}'\s*(?::|=>)|"(?:[^"\\]|\\.){0,200}"\s*=>|"[^"\\']{0,200}'[^"\\]{0,200}"\s*:|:(?:\w{1,200}|"[^"\\]{0,200}")\s*=>|\[(?:Symbol\(|')|[A-Za-z_$][\w$]{0,200}[?!]?\s*(?::(?!:)|=>))|[[(]\s*[bBuU]?['`]|\(\s*[bBuU]?")/y;
const JSON_VALUE = /(?:[[{]\s*){0,16}\{\s*"(?:[^"\\]|\\.){0,200}"\s*:/y;

/** How a line of such a value begins where a key is due: a text, a name, a symbol, a number, or what stands for left out parts. */
const KEY =
  /^(?:['"`<{(:]|\[[A-Z']|\.\.\.|…|-?\d[\d_.]*n?\s*(?:$|:|,|=>)|[A-Za-z_$][\w$.]{0,200}[?!]?\s*(?::|=>|\(|<|,|$))/;
/** A number or a time in a list is the only word of its line. */
const NUMBER_FIRST = /^[-+]?\d/;
const NUMBER = /^[-+]?[\w.:+-]+\s*(?:[,\])}]|$)/;
/** How a body in JSON begins, alone or behind a label: no line of the other notations does. */
const BEGINS_JSON = /^(?:[\w$]{1,80}:\s*)?[[{\s]*\{\s*"[^"\\']{0,200}"\s*:/;

/** Starts of values in one line that turn out to be none. */
const MOST_FAILURES = 20;
/** Real bodies nest 15 deep. */
const DEEPEST = 200;

const CLOSERS: Readonly<Record<string, string>> = { '{': '}', '[': ']', '(': ')' };
const BRACKET_OR_QUOTE = /[{}[\]()'"`]/g;
const PREVIOUS_OF_TEXT = new Set(['', '{', '[', '(', ',', ':', '+', '>', '=', "'", '"', '`']);

/** How a line of a log ends: by itself, cut by the log system, or so long that it may be cut. */
export type LineEnd = 'line' | 'cut' | 'full';

/**
 * Follows the lines of a value that a program prints over several lines: util.inspect of Node, pprint of Python, pp of Ruby. All of
 * them indent every line but the last bracket's, and end their texts in their lines, so that brackets and quotes tell where the value
 * ends, whatever its texts say.
 */
export class PrintedValue {
  /** The brackets that will close what is open. */
  #closers: string[] = [];
  #quote = '';
  #isEscaped = false;
  /** The last character outside of texts that is no white space. */
  #previous = '';
  #lastEnd: LineEnd = 'line';
  /** Where its first line begins, and where all lines but those of brackets begin or after. */
  #indent = 0;
  #least: number | undefined;
  /** Whether it can be JSON: behind another value any bracket begins one. */
  #mayBeJson = false;
  #isDone = false;
  /** Where it begins in its first line. */
  #start = 0;
  /** Whether the value's beginning may be missing: its lines are some of it, up to its last bracket at the margin. */
  #isFragment = false;
  /** Whether it may be whole, and only indented. */
  #isGroup = false;
  #color = '';

  /** Whether it is certain to go on in the next line. */
  get isOpen(): boolean {
    return this.#closers.length > 0;
  }

  /** The value that a line begins and does not end, and where it does; undefined where it begins none, or perhaps JSON. */
  static in(line: string): { value: PrintedValue; start: number } | undefined {
    const text = withoutColors(line);
    const value = new PrintedValue();
    value.#indent = indentOf(text);
    if (isInsidePrint(text)) return value.#isInside(text) ? { value, start: 0 } : undefined;
    if (!value.#opensIn(text, 0, 'line', false)) return undefined;
    return { value, start: placeOf(line, value.#start) };
  }

  /** Takes a line that is in the middle of a value. */
  #isInside(text: string): boolean {
    this.#isFragment = true;
    this.#isGroup = this.#indent < DEEP && /^\s*[[{]\s*$/.test(text);
    this.#least = 1;
    return this.#scan(text, 0) !== undefined && this.#goesOn('line');
  }

  /** The value that begins with `lines` and goes on behind them, in a form yet unknown. `indent`: of the first line in the file; `isMember`: it can be in the middle of a value. */
  static over(lines: readonly string[], indent: number, isMember = false): PrintedValue | undefined {
    const [first = '', ...more] = lines;
    const value = new PrintedValue();
    value.#indent = indent;
    const text = withoutColors(first);
    const goesOn = isMember
      ? value.#isInside(text)
      : value.#scan(text, 0) === text.length && value.#goesOn('line');
    if (!goesOn) return undefined;
    return more.every((line) => value.goOn(line) === 'more') ? value : undefined;
  }

  /** Takes the next line, or the next part of one: whether it is none of the value, goes on with it, or ends it. */
  goOn(line: string, end: LineEnd = 'line'): 'no' | 'more' | 'last' {
    const text = this.#withoutColors(line, end);
    const isNew = this.#lastEnd === 'line' || (this.#lastEnd === 'full' && this.#quote === '');
    if (isNew && text.trim() === '') {
      this.#lastEnd = end;
      return 'more';
    }
    if (this.#isDone) return end === 'cut' ? 'more' : 'last';
    if (isNew && !this.#mayBegin(text)) return 'no';
    const at = this.#scan(text, 0);
    if (at === undefined) return 'no';
    if (this.#isFragment) {
      if (!this.#goesOn(end)) return 'no';
      return isNew && (indentOf(text) === 0 || this.#endsGroup(text, end)) ? 'last' : 'more';
    }
    if (this.#closers.length > 0) return this.#goesOn(end) ? 'more' : 'no';
    if (this.#opensIn(text, at, end, true)) return 'more';
    this.#isDone = true;
    this.#lastEnd = end;
    return end === 'cut' ? 'more' : 'last';
  }

  /** Whether a line ends what a lone bracket began, as far indented: in a group of `console.group`, that is a whole value. */
  #endsGroup(text: string, end: LineEnd): boolean {
    return (
      this.#isGroup &&
      end === 'line' &&
      this.#closers.length === 0 &&
      indentOf(text) === this.#indent &&
      /^\s*[}\]]\s*$/.test(text)
    );
  }

  /** A line without its colors; the beginning of one that the log system cut waits for its rest. */
  #withoutColors(line: string, end: LineEnd): string {
    const text = withoutColors(this.#color + line);
    this.#color = end === 'line' ? '' : (CUT_COLOR.exec(text.slice(-LONGEST_COLOR))?.[0] ?? '');
    return text.slice(0, text.length - this.#color.length);
  }

  /** Whether the value goes on behind a line that ends so: no text does, unless the line is cut. */
  #goesOn(end: LineEnd): boolean {
    this.#lastEnd = end;
    return (this.#isFragment || this.#closers.length > 0) && (end !== 'line' || this.#quote === '');
  }

  /** Whether a line can stand where the value is. */
  #mayBegin(text: string): boolean {
    const indent = indentOf(text);
    const rest = text.slice(indent);
    const first = text[indent] ?? '';
    if (first === '}' || first === ']' || first === ')') return true;
    const start = rest.slice(0, LONGEST_START);
    if (!this.#mayBeJson && BEGINS_JSON.test(start)) return false;
    if (this.#lastEnd === 'full') return true;
    if (this.#isFragment && !isInsidePrint(text, false) && !(NUMBER_FIRST.test(rest) && NUMBER.test(rest)))
      return false;
    this.#least ??= indent > this.#indent ? this.#indent + 1 : 1;
    if (indent < this.#least) return false;
    const isDue = this.#previous === ',' || this.#previous === '{' || this.#previous === '[';
    if (!isDue) return true;
    if (this.#closers.at(-1) === '}') return KEY.test(start);
    return !NUMBER_FIRST.test(start) || NUMBER.test(start);
  }

  /** Whether a value begins in a text, from `from` on, and does not end in it. `isAny`: also one that can be JSON. */
  #opensIn(text: string, from: number, end: LineEnd, isAny: boolean): boolean {
    const loneFrom = startOfLast(text);
    let failures = 0;
    for (let at = nextOpening(text, from); at !== -1 && failures <= MOST_FAILURES;) {
      const isJson = matches(JSON_VALUE, text, at);
      const isLone = at >= loneFrom;
      if (isLone && !isAny) return false;
      if (!isJson && !isLone && !beginsLiteral(text, at)) {
        at = nextOpening(text, at + 1);
        continue;
      }
      this.#reset();
      const to = this.#scan(text, at);
      if (to !== undefined && this.#goesOn(end)) {
        this.#mayBeJson = isJson || isLone;
        this.#start = at;
        return isAny || (!isJson && !isMember(text.slice(0, at)));
      }
      const isWhole = to !== undefined && this.#closers.length === 0;
      if (!isWhole) failures++;
      at = nextOpening(text, isWhole ? to : at + 1);
    }
    return false;
  }

  #reset(): void {
    this.#closers = [];
    this.#quote = '';
    this.#isEscaped = false;
    this.#previous = '';
  }

  /** Reads on; returns the index after the value, or the text's length; undefined where it cannot go on. */
  #scan(text: string, from: number): number | undefined {
    for (let at = from; at < text.length;) {
      if (this.#quote !== '') {
        at = this.#endOfText(text, at);
        continue;
      }
      BRACKET_OR_QUOTE.lastIndex = at;
      const match = BRACKET_OR_QUOTE.exec(text);
      const next = match?.index ?? text.length;
      this.#previous = lastIn(text, at, next) ?? this.#previous;
      if (match === null) return text.length;
      const [character] = match;
      const before = this.#previous;
      at = next + 1;
      this.#previous = character;
      const closer = CLOSERS[character];
      if (closer !== undefined) {
        if (this.#closers.push(closer) > DEEPEST) return undefined;
      } else if (character === "'" || character === '"' || character === '`') {
        // Among words, it is an apostrophe.
        if (PREVIOUS_OF_TEXT.has(before) || isTextPrefix(text, next)) this.#quote = character;
      } else {
        if (!this.#close(character)) return undefined;
        if (this.#closers.length === 0 && !this.#isFragment) return at;
      }
    }
    return text.length;
  }

  /** Words can have round brackets of their own (`Error: 2) failed`). */
  #close(character: string): boolean {
    let last = this.#closers.at(-1);
    if (character === ')' && last !== ')') return true;
    while (last === ')' && character !== ')') {
      this.#closers.pop();
      last = this.#closers.at(-1);
    }
    if (last === undefined) return this.#isFragment;
    if (last !== character) return false;
    this.#closers.pop();
    return true;
  }

  #endOfText(text: string, from: number): number {
    for (let at = from; at < text.length; at++) {
      const character = text[at];
      if (this.#isEscaped) this.#isEscaped = false;
      else if (character === '\\') this.#isEscaped = true;
      else if (character === this.#quote) {
        this.#quote = '';
        return at + 1;
      }
    }
    return text.length;
  }
}

const CUT_COLOR = /\x1b(?:\[[\d;]*)?$/;
const LONGEST_COLOR = 16;

/** Of a line's start so much is looked at. */
const LONGEST_START = 500;

function beginsLiteral(text: string, at: number): boolean {
  // A call (`foo('x',`) is no value.
  if (text[at] === '(' && /[\w$)\]]/.test(text[at - 1] ?? '')) return false;
  return matches(LITERAL, text, at);
}

function matches(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(text);
}

const OPENING = /[{[(]/g;

function nextOpening(text: string, from: number): number {
  OPENING.lastIndex = from;
  const first = OPENING.exec(text)?.index ?? -1;
  if (first === -1) return -1;
  let end = first;
  while (text[end] === '[' || text[end] === '{' || text[end] === '(') end++;
  return Math.max(first, end - MOST_BRACKETS);
}

/** No value begins with more brackets. */
const MOST_BRACKETS = 16;

/** Whether a value behind such words is a part of another one, whose beginning is missing: only that is indented and behind a key. */
export function isMember(before: string): boolean {
  return /^\s+(?:\S.*[:>,]\s*)?$/.test(before);
}

/** Where in a line with colors a character of it without them is. */
function placeOf(line: string, index: number): number {
  let colors = 0;
  for (const { 0: color, index: at } of line.matchAll(COLORS)) {
    if (at - colors >= index) break;
    colors += color.length;
  }
  return index + colors;
}

/** Where the opening brackets begin in which a text ends: JSON and prints begin so. */
function startOfLast(text: string): number {
  let from = text.length;
  for (let at = text.length - 1; at >= 0; at--) {
    const character = text[at] ?? '';
    if (character === '{' || character === '[') from = at;
    else if (character > ' ') break;
  }
  return from;
}

/** `b'…'`, `u'…'`: a text of Python. */
function isTextPrefix(text: string, quote: number): boolean {
  return /[bBuU]/.test(text[quote - 1] ?? '') && !/\w/.test(text[quote - 2] ?? '');
}

/** The last character that is no white space. */
function lastIn(text: string, from: number, to: number): string | undefined {
  for (let at = to - 1; at >= from; at--) {
    const character = text[at] ?? '';
    if (character > ' ') return character;
  }
  return undefined;
}

export function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/** How many lines of a text a value has that a program has printed from its first line on; 0 if it begins none. */
export function linesOfPrint(written: string): number {
  const text = withoutColors(written);
  const [first = '', ...lines] = text.split('\n');
  const opening = PrintedValue.in(first)?.value;
  const lone = first.slice(startOfLast(first));
  const value = opening ?? (LONE_OPENING.test(text) ? PrintedValue.over([lone], indentOf(first)) : undefined);
  if (value === undefined) return 0;
  let count = 1;
  for (const line of lines) {
    const way = value.goOn(line);
    if (way !== 'no') count++;
    if (way !== 'more') break;
  }
  return count > 1 ? count : 0;
}

/** After words that end in brackets, which can begin JSON, too: what JSON does not have. */
const LONE_OPENING =
  /^(?:[^\n]{0,200}[\s:])?[[{]\s*\n(?:[ \t]+[[{]\s*\n)*[ \t]+(?:['`]|[A-Za-z_$][\w$]{0,80}: ['`[{\w-])/;
