import type { JsonValue } from '../../model/json.js';

/** How a program printed a value instead of writing JSON. */
type Syntax = 'ruby' | 'python' | 'inspect';

export type Literal =
  | { kind: 'read'; value: JsonValue; syntax: Syntax; end: number }
  /** The end of the text cuts it off. */
  | { kind: 'cut'; syntax: Syntax }
  /** The program left parts out: `[Object]`, `... 3 more items`, `... 9 more characters`. */
  | { kind: 'abridged'; end: number };

/** Real bodies nest 15 deep. */
const MAX_DEPTH = 100;

/**
 * The object or array that begins at `start`, in a program's print notation: `inspect` of Ruby (`{"a"=>nil, :b=>1}`;
 * since 3.4
 * `{"a" => nil, b: 1}`), `repr` of Python (`{'a': None}`), `util.inspect` of Node (`{ a: undefined }`). undefined
 * otherwise.
 */
export function readLiteral(text: string, start: number): Literal | undefined {
  const reader = new LiteralReader(text, start);
  try {
    const value = reader.value(0);
    if (reader.isAbridged) return { kind: 'abridged', end: reader.at };
    return { kind: 'read', value, syntax: reader.syntax, end: reader.at };
  } catch (error) {
    if (!(error instanceof NoLiteral)) throw error;
    return error.isCut ? { kind: 'cut', syntax: reader.syntax } : undefined;
  }
}

class NoLiteral extends Error {
  constructor(readonly isCut: boolean) {
    super('not a literal');
  }
}

const SPACE = /\s*/y;
const NUMBER = /[-+]?(?:\d[\d_]*)(?:\.\d+)?(?:e[-+]?\d+)?n?(?=\s*[,}\])>]|\s*$)/iy;
const NAME = /[A-Za-z_$][\w$]*[?!]?/y;
/** A class before its value: `Foo(2) [`, `[Object: null prototype] {`, `ActionController::Parameters {`. */
const CLASS = /(?:\[[A-Z]\w*: null prototype\]|[A-Z][\w.:]*(?:\(\d+\))?)\s*(?=[{[])/y;
/** What `util.inspect` writes for a too deep part. */
const LEFT_OUT =
  /\[(?!True\]|False\]|None\]|NaN\]|Infinity\])[A-Z]\w*(?: \w+)?\]|(?:\.\.\.|…)\s*\d* ?more \w+/y;
const NO_VALUE = /\[(?:Circular|Function|Getter|Symbol|AsyncFunction|class)\b[^\]]*\]/y;
const OTHER_WORDS = /[^,}\])\n"'{[]+/y;
const PLAIN = /[^"'`\\]+/y;

const CONSTANTS: ReadonlyMap<string, JsonValue> = new Map<string, JsonValue>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['nil', null],
  ['None', null],
  ['null', null],
  ['undefined', null],
  ['NaN', null],
  ['nan', null],
  ['Infinity', null],
]);

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  e: '\x1b',
  s: ' ',
  '\n': '',
};

class LiteralReader {
  isAbridged = false;
  syntax: Syntax = 'inspect';

  constructor(
    private readonly text: string,
    public at: number,
  ) {}

  value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw new NoLiteral(false);
    this.#skip(SPACE);
    if (this.#skip(LEFT_OUT)) {
      this.isAbridged = true;
      return null;
    }
    if (this.#skip(NO_VALUE)) return null;
    this.#skip(CLASS);
    const character = this.#peek();
    if (character === '{') return this.#object(depth);
    if (character === '[') return this.#list(']', depth);
    if (character === '(') return this.#list(')', depth);
    if (this.text.startsWith('#<', this.at)) return this.#instance(depth);
    if (character === ':') return this.#symbol();
    return this.#string() ?? this.#word(depth);
  }

  #object(depth: number): JsonValue {
    const entries: [string, JsonValue][] = [];
    this.at++;
    for (;;) {
      this.#skip(SPACE);
      if (this.#skip(LEFT_OUT)) this.isAbridged = true;
      else if (this.#peek() !== '}') entries.push([this.#key(), this.value(depth + 1)]);
      // Not by assignment: a key `__proto__` would replace the prototype.
      if (this.#endsWith('}')) return Object.fromEntries(entries);
    }
  }

  #key(): string {
    const isSymbol = this.#peek() === ':';
    const key = isSymbol ? this.#symbol() : (this.#string() ?? this.#take(NAME) ?? this.#take(NUMBER_KEY));
    if (key === undefined) throw new NoLiteral(this.at >= this.text.length);
    this.#skip(SPACE);
    if (this.text.startsWith('=>', this.at)) {
      this.at += 2;
      this.syntax = 'ruby';
    } else if (this.#peek() === ':' && !isSymbol) this.at++;
    else throw new NoLiteral(this.at >= this.text.length);
    return key;
  }

  #list(end: ']' | ')', depth: number): JsonValue[] {
    const elements: JsonValue[] = [];
    this.at++;
    for (;;) {
      this.#skip(SPACE);
      if (this.#skip(LEFT_OUT)) this.isAbridged = true;
      else if (this.#peek() !== end) elements.push(this.value(depth + 1));
      if (this.#endsWith(end)) return elements;
    }
  }

  /** Passes a comma, or the bracket that ends the list; then true. */
  #endsWith(end: string): boolean {
    this.#skip(SPACE);
    const character = this.#peek();
    if (character !== ',' && character !== end) throw new NoLiteral(this.at >= this.text.length);
    this.at++;
    return character === end;
  }

  /** `#<ActionController::Parameters {"a"=>1} permitted: false>`: the hash; any other object of Ruby has none. */
  #instance(depth: number): JsonValue {
    const hash = /[{>]/g;
    hash.lastIndex = this.at;
    const found = hash.exec(this.text);
    if (found === null) throw new NoLiteral(true);
    this.at = found.index;
    const value = found[0] === '{' ? this.#object(depth + 1) : null;
    const end = this.text.indexOf('>', this.at);
    if (end === -1) throw new NoLiteral(true);
    this.at = end + 1;
    return value;
  }

  #symbol(): string {
    this.at++;
    const name = this.#string() ?? this.#take(NAME);
    if (name === undefined) throw new NoLiteral(false);
    return name;
  }

  /** A constant, a number, or words that are neither (`2026-09-21 11:13:20 UTC`); `Name(…)` is what it holds. */
  #word(depth: number): JsonValue {
    const number = this.#take(NUMBER);
    if (number !== undefined) return Number(number.replace(/[_n]/g, ''));
    const words = this.#take(OTHER_WORDS)?.trim();
    if (words === undefined || words === '') throw new NoLiteral(this.at >= this.text.length);
    const constant = CONSTANTS.get(words);
    if (constant !== undefined) return constant;
    if (!words.endsWith('(') && !words.includes('(')) return words;
    // `datetime.datetime(2026, 9, 21)`, `OrderedDict([('a', 1)])`
    this.at = this.text.lastIndexOf('(', this.at - 1);
    const held = this.#list(')', depth);
    return held.length === 1 ? (held[0] ?? null) : held;
  }

  /** A quoted text in any notation, with its pieces (`'a' + 'b'`) joined; undefined if none begins. */
  #string(): string | undefined {
    const first = this.#piece();
    if (first === undefined) return undefined;
    let joined = first;
    while (this.#skip(PLUS)) joined += this.#piece() ?? '';
    if (this.#skip(CUT_TEXT)) this.isAbridged = true;
    return joined;
  }

  #piece(): string | undefined {
    const prefix = this.#take(STRING_PREFIX);
    const quote = this.#peek();
    if (quote !== '"' && quote !== "'" && quote !== '`') {
      this.at -= prefix?.length ?? 0;
      return undefined;
    }
    if (quote === "'" && this.syntax === 'inspect' && this.#isPython(prefix)) this.syntax = 'python';
    // In Ruby and in Python's bytes `\xC3\xA1` are two bytes of one character; in texts of Python and Node, two characters.
    const asBytes =
      (this.syntax !== 'python' && quote === '"') || prefix?.toLowerCase().includes('b') === true;
    this.at++;
    let written = '';
    let bytes: number[] = [];
    const flush = (): void => {
      if (bytes.length > 0) written += Buffer.from(bytes).toString('utf8');
      bytes = [];
    };
    for (;;) {
      const plain = this.#take(PLAIN);
      if (plain !== undefined) {
        flush();
        written += plain;
      }
      const character = this.#peek();
      if (character === undefined) throw new NoLiteral(true);
      this.at++;
      if (character === quote) {
        flush();
        return written;
      }
      if (character !== '\\') {
        flush();
        written += character;
        continue;
      }
      const escape = this.#take(CODED);
      if (escape === undefined) {
        flush();
        const escaped = this.#peek() ?? '';
        this.at++;
        written += ESCAPES[escaped] ?? escaped;
        continue;
      }
      const isOctal = /^[0-7]/.test(escape);
      const code = parseInt(escape.replace(/[xu{}]/gi, ''), isOctal ? 8 : 16);
      if ((escape.startsWith('x') || isOctal) && asBytes && code < 256) bytes.push(code);
      else {
        flush();
        written += code <= 0x10ffff ? String.fromCodePoint(code) : '\uFFFD';
      }
    }
  }

  /** Python quotes its keys, Node's `util.inspect` does not. */
  #isPython(prefix: string | undefined): boolean {
    return prefix !== undefined || /\{\s*$/.test(this.text.slice(Math.max(0, this.at - 20), this.at));
  }

  #peek(): string | undefined {
    return this.text[this.at];
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const taken = pattern.exec(this.text)?.[0];
    if (taken !== undefined) this.at += taken.length;
    return taken;
  }

  #skip(pattern: RegExp): boolean {
    return (this.#take(pattern) ?? '') !== '';
  }
}

const NUMBER_KEY = /\d+/y;
/** Between the pieces of a text: Node and Ruby add them up, Python only puts them one after the other. */
const PLUS = /\s*(?:\+\s*)?(?=[bBuU]?["'`])/y;
/** What `util.inspect` writes for the rest of a long text. */
const CUT_TEXT = /\.\.\. \d+ more characters?/y;
const STRING_PREFIX = /[buBU](?=["'])/y;
const CODED = /x[\da-fA-F]{2}|u[\da-fA-F]{4}|u\{[\da-fA-F]{1,6}\}|U[\da-fA-F]{8}|[0-7]{1,3}/y;

/** The text of a Python `bytes` literal (`b'{"a": 1}'`) whose quote is at `start`; undefined where it does not end. */
export function readPythonBytes(text: string, start: number): { text: string; end: number } | undefined {
  const end = endOfLiteral(text, start);
  const literal = readLiteral(`[b${text.slice(start, end)}]`, 0);
  if (literal?.kind !== 'read' || !Array.isArray(literal.value)) return undefined;
  const [value] = literal.value;
  return typeof value === 'string' ? { text: value, end } : undefined;
}

function endOfLiteral(text: string, start: number): number {
  const quote = text[start] ?? '';
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === quote) return at + 1;
  }
  return text.length;
}
