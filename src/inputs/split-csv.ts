import type { CsvLayout } from './csv-layout.js';
import { CsvScanner, type CsvCell, type CsvRecord } from './csv-scanner.js';
import type { ItemQueue, Place, Splitter } from './item-queue.js';
import { parseReceivedAt } from './received-at.js';

/** How exports write "nothing" into a cell. */
const EMPTY_CELLS = new Set(['', '\\N', 'NULL', 'null']);

/** Splits a CSV export: each row whose JSON cell is not empty is an entry, with the time of its row. */
export class CsvSplitter implements Splitter {
  line: number;
  /** Where the current record starts. */
  #offset: number;
  /** Rows read so far, the header not counted. */
  #row: number;
  #headerIsNext: boolean;
  /** Offset of the current chunk. */
  #base: number;
  #scanner: CsvScanner;
  #json: CsvCell | undefined;
  #receivedAt: number | undefined;
  #damaged = false;

  constructor(
    private readonly queue: ItemQueue,
    private readonly layout: CsvLayout,
    start: Place,
  ) {
    this.line = start.line;
    this.#offset = start.offset;
    this.#base = start.offset;
    this.#row = start.element;
    // A file's first record has no line end before it, wherever a byte order mark lets its text start.
    this.#headerIsNext = layout.header && start.line === 0;
    this.#scanner = new CsvScanner(layout.delimiter, queue.maxEntryBytes, {
      wants: (column) => column === layout.jsonColumn || column === layout.receivedAtColumn,
      cell: (column, cell) => {
        this.#takeCell(column, cell);
      },
      record: (record) => {
        this.#takeRecord(record);
      },
    });
  }

  push(chunk: Buffer): void {
    this.#scanner.push(chunk);
    this.#base += chunk.length;
  }

  end(damaged: boolean): void {
    this.#damaged = damaged;
    this.#scanner.end();
  }

  #takeCell(column: number, cell: CsvCell): void {
    if (column === this.layout.jsonColumn) this.#json = cell;
    else this.#receivedAt = cell.bytes === undefined ? undefined : parseReceivedAt(cell.bytes.toString());
  }

  #takeRecord({ columns, end, newlines, ending }: CsvRecord): void {
    const before: Place = { offset: this.#offset, line: this.line, element: this.#row };
    const json = this.#json;
    const receivedAt = this.#receivedAt;
    this.#json = undefined;
    this.#receivedAt = undefined;
    this.line += newlines;
    this.#offset = this.#base + end;
    if (columns === 0) return;
    if (this.#headerIsNext) {
      this.#headerIsNext = false;
      return;
    }
    const element = this.#row++;
    const line = before.line + 1;
    const cut = ending === 'cut' || (ending === 'text' && columns <= this.layout.jsonColumn);
    if (cut && this.#damaged) return;
    const after = cut ? before : { offset: this.#offset, line: this.line, element: this.#row };
    if (json !== undefined && !isEmpty(json)) {
      this.queue.entryWithin(json.bytes, json.size, line, after, { element, receivedAt });
    } else if (cut) {
      const message =
        'The file ends inside a row; what came before is kept. Fetch the file whole and replay it again.';
      this.queue.problem('truncated_input', message, line, before, element);
    } else {
      this.queue.skipped++;
    }
  }
}

function isEmpty({ bytes, quoted }: CsvCell): boolean {
  return (
    bytes !== undefined &&
    bytes.length <= 4 &&
    (bytes.length === 0 || (!quoted && EMPTY_CELLS.has(bytes.toString())))
  );
}
