import { isInsideValue, sharedPrefix, withoutPrefix } from '../decode/envelopes/line-prefix.js';
import { NEWLINE } from './bytes.js';
import { PrintedValue, type LineEnd } from './printed-value.js';
import { ValueScanner } from './value-scanner.js';

const LINE_END = Buffer.of(NEWLINE);

/**
 * Follows the lines of a value over several, JSON or a program's print, behind words that a log system puts before each of them.
 * Its first two lines tell what these words are.
 */
export class PrefixedValue {
  /** In which of both forms the value can be yet. */
  #scanner: ValueScanner | undefined = new ValueScanner();
  #print: PrintedValue | undefined;
  #lastEnd: LineEnd = 'line';

  /** The value that `first` begins at `start`, behind words that `second` has, too; undefined where both have none in common. Take `second` next. */
  static over(first: Buffer, start: number, second: Buffer): PrefixedValue | undefined {
    const prefix = sharedPrefix(first, second);
    if (prefix === undefined || prefix.length > start) return undefined;
    return new PrefixedValue(prefix, first.subarray(start));
  }

  private constructor(
    private readonly prefix: Buffer,
    beginning: Buffer,
  ) {
    const text = beginning.toString();
    this.#print = PrintedValue.in(text)?.value ?? PrintedValue.over([text], 0);
    this.#scan(beginning, 'line');
  }

  /** Takes the next line, or the next part of one: whether it is none of the value, goes on with it, or ends it. */
  goOn(line: Buffer, end: LineEnd = 'line'): 'no' | 'more' | 'last' {
    const isNew = this.#lastEnd === 'line';
    const rest = isNew ? withoutPrefix(line, this.prefix) : line;
    if (rest === undefined || (isNew && !isInsideValue(rest))) return 'no';
    const ofPrint = this.#print?.goOn(rest.toString(), end) ?? 'no';
    if (ofPrint === 'no') this.#print = undefined;
    const ofJson = this.#scan(rest, end);
    this.#lastEnd = end;
    if (ofJson !== 'no') return ofJson;
    return ofPrint;
  }

  #scan(rest: Buffer, end: LineEnd): 'no' | 'more' | 'last' {
    const scanner = this.#scanner;
    if (scanner === undefined) return 'no';
    scanner.scan(rest, 0);
    if (scanner.status === 'open' && end === 'line') scanner.scan(LINE_END, 0);
    if (scanner.status === 'open') return 'more';
    this.#scanner = undefined;
    return scanner.status === 'done' ? 'last' : 'no';
  }
}
