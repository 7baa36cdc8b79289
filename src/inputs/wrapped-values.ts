import {
  BACKSLASH,
  ByteCollector,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  isBlank,
  NEWLINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  trimEnd,
} from './bytes.js';
import type { ItemQueue, Place } from './item-queue.js';
import { hasMarker } from './markers.js';
import { ValueScanner } from './value-scanner.js';

/**
 * A value that is larger is looked at for a list of entries in it: an answer of Elasticsearch or Loki, a HAR file. Smaller
 * ones are entries as a whole, with all that stands around their bodies.
 */
const LARGE_VALUE = 4 * 1024 * 1024;

/** How much of a value is collected before it counts as large. */
export function largeValueOf(queue: ItemQueue): number {
  return Math.min(LARGE_VALUE, queue.maxEntryBytes);
}

/** The way from a value to a list in it: keys, and `*` for any element of a list. */
type Way = readonly string[];
const ANY = '*';

/** Lists that are parts of one body of Meta or of WhatsApp Web: their elements mean nothing alone. */
const LISTS_OF_BODIES = new Set([
  'entry',
  'changes',
  'messages',
  'statuses',
  'contacts',
  'chats',
  'history',
  'threads',
  'state_sync',
  'message_echoes',
  'calls',
  'lidPnMappings',
]);

interface Container {
  isList: boolean;
  /** The key or `*` under which it stands in the container around it. */
  step: string;
  keys: Set<string>;
  /** Elements or members that are complete. */
  complete: number;
}

/** More keys than a body has. */
const MOST_KEYS = 64;
const LONGEST_KEY = 200;
const DEEPEST = 64;

/** Follows brackets, keys and commas through the outer part of a value, byte by byte. */
class Outline {
  readonly open: Container[] = [];
  #inString = false;
  #escaped = false;
  /** Bytes of the string that is being read, if it may be a key. */
  #text: number[] = [];
  #key = '';
  #expectsKey = false;

  /** Takes one byte; true when it opened a list. */
  take(byte: number): boolean {
    if (this.#inString) {
      this.#takeText(byte);
      return false;
    }
    const inside = this.open.at(-1);
    switch (byte) {
      case QUOTE:
        this.#inString = true;
        this.#text = [];
        return false;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        this.open.push({
          isList: byte === OPEN_BRACKET,
          step: inside?.isList === true ? ANY : this.#key,
          keys: new Set(),
          complete: 0,
        });
        this.#expectsKey = byte === OPEN_BRACE;
        return byte === OPEN_BRACKET;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        this.open.pop();
        this.#expectsKey = false;
        return false;
      case COMMA:
        if (inside !== undefined) inside.complete++;
        this.#expectsKey = inside?.isList === false;
        return false;
      case COLON:
        if (this.#expectsKey && inside !== undefined) {
          this.#key = Buffer.from(this.#text).toString('utf8');
          if (inside.keys.size < MOST_KEYS) inside.keys.add(this.#key);
          this.#expectsKey = false;
        }
        return false;
      default:
        return false;
    }
  }

  /** The way to the innermost open container; the value itself has none. */
  way(): string[] {
    return this.open.slice(1).map(({ step }) => step);
  }

  get inString(): boolean {
    return this.#inString;
  }

  #takeText(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) {
      this.#inString = false;
      return;
    }
    if (this.#expectsKey && this.#text.length < LONGEST_KEY) this.#text.push(byte);
  }
}

/**
 * The list whose elements are the entries of a large value, judged by its beginning: the outermost one that has a complete
 * element already. undefined when there is none, or when the value is one large body.
 */
export function findEntryList(head: Buffer): Way | undefined {
  const outline = new Outline();
  for (const byte of head) {
    outline.take(byte);
    if (outline.open.length > DEEPEST) return undefined;
  }
  const at = outline.open.findIndex(({ isList, complete }) => isList && complete > 0);
  // A list at the very beginning is split already.
  if (at < 1) return undefined;
  // Bodies inside its last element, which is cut, are what is looked for.
  if (outline.open.slice(0, at).some(isBody)) return undefined;
  const way = outline.open.slice(1, at + 1).map(({ step }) => step);
  return way.some((step) => LISTS_OF_BODIES.has(step)) ? undefined : way;
}

function isBody({ keys }: Container): boolean {
  return (
    keys.has('messaging_product') ||
    (keys.has('object') && keys.has('entry')) ||
    (keys.has('event') && keys.has('data')) ||
    keys.has('syncType')
  );
}

/** One element that is being read. */
interface Element {
  line: number;
  isEntry: boolean;
  bytes: ByteCollector;
  /** Undefined for a number or a word. */
  scanner: ValueScanner | undefined;
  /** Whether it has been looked at for a list in it. */
  isExamined: boolean;
}

/**
 * Splits one large value into the elements of a list in it, in the memory of one element. Other lists in the value are passed
 * over, except for elements that hold the word of a body. A resumed run starts at the value's beginning.
 */
export class WrappedValues {
  status: 'open' | 'done' | 'broken' = 'open';
  /** Line ends passed so far. */
  newlines = 0;
  #outline = new Outline();
  #element: Element | undefined;
  /** For an element that is large itself. */
  #inner: WrappedValues | undefined;
  /** Whether the innermost open container is a list whose elements are read: entries, or passed over. */
  #list: 'entries' | 'others' | undefined;

  constructor(
    private readonly queue: ItemQueue,
    private readonly way: Way,
    /** Where the value starts, and the items since: also those of the values around it. */
    private readonly start: { place: Place; line: number; given: number; element: number },
  ) {}

  /** Reads on at `from`; returns the index after the value, or the chunk's length while it is open. */
  push(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length && this.status === 'open') {
      if (this.#inner !== undefined) at = this.#pushInner(this.#inner, chunk, at);
      else if (this.#element !== undefined) at = this.#readElement(this.#element, chunk, at);
      else if (this.#list !== undefined) at = this.#between(chunk, at);
      else at = this.#outside(chunk, at);
    }
    return at;
  }

  /** The value ends before its time. */
  end(): void {
    if (this.#inner !== undefined) {
      this.#inner.end();
    } else if (this.#element !== undefined && this.#element.isEntry) {
      this.#give(this.#element, true);
    } else if (this.status === 'open') {
      this.queue.problem(
        'truncated_input',
        'The file ends inside a list; what came before is kept. Fetch the file whole and replay it again.',
        this.#line(),
        this.#after(),
      );
    }
  }

  #break(): void {
    this.status = 'broken';
    this.start.given++;
    const message = 'The JSON breaks inside a list; what came before is kept, and reading goes on after it.';
    this.queue.problem('not_json', message, this.#line(), this.#after());
  }

  #line(): number {
    return this.start.line + this.newlines;
  }

  #after(): Place {
    return { ...this.start.place, given: this.start.given };
  }

  #outside(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (byte === NEWLINE) {
        // No text of JSON crosses a line end: the value was cut.
        if (this.#outline.inString) {
          this.#break();
          return at;
        }
        this.newlines++;
      }
      const opensList = this.#outline.take(byte);
      if (this.#outline.open.length === 0) {
        this.status = 'done';
        return at + 1;
      }
      if (opensList) {
        this.#enterList();
        if (this.#list !== undefined) return at + 1;
      }
    }
    return chunk.length;
  }

  #enterList(): void {
    const way = this.#outline.way();
    const onWay = way.every((step, index) => step === this.way[index]);
    if (onWay && way.length === this.way.length) this.#list = 'entries';
    else if (!onWay || this.way[way.length] !== ANY) this.#list = 'others';
  }

  #between(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (byte === NEWLINE) this.newlines++;
      if (isBlank(byte) || byte === COMMA) continue;
      if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) {
        this.#list = undefined;
        return at;
      }
      const isNested = byte === OPEN_BRACE || byte === OPEN_BRACKET || byte === QUOTE;
      this.#element = {
        line: this.#line(),
        isEntry: this.#list === 'entries',
        bytes: new ByteCollector(this.queue.maxEntryBytes),
        scanner: isNested ? new ValueScanner() : undefined,
        isExamined: false,
      };
      return at;
    }
    return chunk.length;
  }

  #readElement(element: Element, chunk: Buffer, from: number): number {
    const { scanner, bytes } = element;
    if (scanner === undefined) {
      let to = from;
      while (to < chunk.length && !endsScalar(chunk[to] ?? 0)) to++;
      bytes.add(chunk.subarray(from, to));
      if (to < chunk.length) this.#give(element, false);
      return to;
    }
    const room = largeValueOf(this.queue) - bytes.size;
    const isFirstPart = !element.isExamined && chunk.length - from > room;
    const part = isFirstPart ? chunk.subarray(from, from + room) : chunk.subarray(from);
    const newlines = scanner.newlines;
    const to = scanner.scan(part, 0);
    bytes.add(part.subarray(0, to));
    this.newlines += scanner.newlines - newlines;
    if (scanner.status === 'open') {
      if (isFirstPart) this.#examine(element);
    } else {
      this.#give(element, false);
      // Where a line ends inside an element that was cut, nothing says where the list goes on.
      if (scanner.status === 'broken') this.#break();
    }
    return from + to;
  }

  /** An element that is large itself may have a list of entries in it. */
  #examine(element: Element): void {
    element.isExamined = true;
    const head = element.bytes.peek();
    const way = head === undefined || !element.isEntry ? undefined : findEntryList(head);
    if (head === undefined || way === undefined) return;
    const { place, given } = this.start;
    this.#inner = new WrappedValues(this.queue, way, {
      place,
      line: element.line,
      given,
      element: this.start.element,
    });
    this.#inner.push(head, 0);
    this.#element = undefined;
  }

  #pushInner(inner: WrappedValues, chunk: Buffer, from: number): number {
    const newlines = inner.newlines;
    const to = inner.push(chunk, from);
    this.newlines += inner.newlines - newlines;
    if (inner.status !== 'open') {
      this.start.given = inner.start.given;
      this.start.element = inner.start.element;
      this.#inner = undefined;
      if (inner.status === 'broken') this.status = 'broken';
    }
    return to;
  }

  /** `isCut`: by the end of the file, which may have grown when the run is resumed. */
  #give({ bytes, line, isEntry }: Element, isCut: boolean): void {
    this.#element = undefined;
    const size = bytes.size;
    const raw = bytes.take();
    const entry = raw === undefined ? undefined : trimEnd(raw);
    if (!isEntry && (entry === undefined || !hasMarker(entry))) return;
    if (!isCut) this.start.given++;
    const receivedAt = entry === undefined ? undefined : timeOfPair(entry);
    const element = this.start.element++;
    this.queue.entryWithin(entry, size, line, this.#after(), { element, receivedAt });
  }
}

/** Loki's lines are pairs of a time in nanoseconds and a text. */
function timeOfPair(element: Buffer): number | undefined {
  const [, nanoseconds] = /^\[\s*"(\d{19})"\s*,/.exec(element.toString('latin1', 0, 40)) ?? [];
  return nanoseconds === undefined ? undefined : Number(nanoseconds.slice(0, 13));
}

function endsScalar(byte: number): boolean {
  return byte === COMMA || byte === CLOSE_BRACKET || byte === CLOSE_BRACE || isBlank(byte);
}
