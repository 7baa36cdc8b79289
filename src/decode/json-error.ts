const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Says in one line where a text stops being JSON, without quoting it (JSON.parse's own messages do, and not all of them
 * have a position). Reads iteratively, so that no nesting can exhaust the stack; only asked about texts that do not parse.
 */
export function locateJsonError(text: string): string {
  const position = new Scanner(text).errorPosition();
  return position >= text.length
    ? `the JSON ends too early, at character ${text.length}`
    : `the JSON breaks at character ${position + 1} of ${text.length}`;
}

type Expected = 'value' | 'key' | 'colon' | 'next';

class Scanner {
  readonly #text: string;
  /** The brackets that are open, from outside to inside. */
  readonly #open: number[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Index of the first character that cannot stand where it does; the text's length when only the end is missing. */
  errorPosition(): number {
    let expected: Expected | undefined = 'value';
    while (expected !== undefined) {
      this.#skipSpace();
      if (this.#at >= this.#text.length) break;
      expected = this.#step(expected);
    }
    return this.#at;
  }

  /** Reads one token and says what must follow; undefined, with `#at` on the culprit, when it cannot stand here. */
  #step(expected: Expected): Expected | undefined {
    const code = this.#text.charCodeAt(this.#at);
    const inside = this.#open.at(-1);
    // `{}` and `[]` close where a key or a value is expected; so does, wrongly, `[1,]`, which the comma's branch sees.
    switch (expected) {
      case 'colon':
        return code === COLON ? this.#pass('value') : undefined;
      case 'next':
        if (code === COMMA && inside !== undefined) return this.#passComma(inside);
        return this.#close(code, inside);
      case 'key':
        if (code === QUOTE) return this.#string('colon');
        return this.#isAfter(OPEN_OBJECT) ? this.#close(code, inside) : undefined;
      case 'value':
        if (code === QUOTE) return this.#string('next');
        if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
          this.#open.push(code);
          return this.#pass(code === OPEN_OBJECT ? 'key' : 'value');
        }
        if (code === CLOSE_ARRAY && this.#isAfter(OPEN_ARRAY)) return this.#close(code, inside);
        return this.#literal();
    }
  }

  #pass(next: Expected): Expected {
    this.#at++;
    return next;
  }

  #passComma(inside: number): Expected {
    return this.#pass(inside === OPEN_OBJECT ? 'key' : 'value');
  }

  #close(code: number, inside: number | undefined): Expected | undefined {
    const closes =
      (inside === OPEN_OBJECT && code === CLOSE_OBJECT) || (inside === OPEN_ARRAY && code === CLOSE_ARRAY);
    if (!closes) return undefined;
    this.#open.pop();
    return this.#pass('next');
  }

  /** Whether the last character before this one that is no space is `bracket`: the object or array has no element yet. */
  #isAfter(bracket: number): boolean {
    let i = this.#at - 1;
    while (i >= 0 && isSpace(this.#text.charCodeAt(i))) i--;
    return i >= 0 && this.#text.charCodeAt(i) === bracket;
  }

  #string(next: Expected): Expected | undefined {
    for (let i = this.#at + 1; ; i++) {
      if (i >= this.#text.length) {
        this.#at = this.#text.length;
        return undefined;
      }
      const code = this.#text.charCodeAt(i);
      if (code === QUOTE) {
        this.#at = i + 1;
        return next;
      }
      if (
        code < 0x20 ||
        (code === BACKSLASH && !/^["\\/bfnrt]|^u[\da-f]{4}/i.test(this.#text.slice(i + 1, i + 6)))
      ) {
        this.#at = i;
        return undefined;
      }
      if (code === BACKSLASH) i++;
    }
  }

  #literal(): Expected | undefined {
    const literal = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?|true|false|null)/iy;
    literal.lastIndex = this.#at;
    const match = literal.exec(this.#text);
    if (match === null) return undefined;
    this.#at = literal.lastIndex;
    return 'next';
  }

  #skipSpace(): void {
    while (this.#at < this.#text.length && isSpace(this.#text.charCodeAt(this.#at))) this.#at++;
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
