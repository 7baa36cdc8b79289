import { bomLength, COMMA, OPEN_BRACE, OPEN_BRACKET, SEMICOLON, skipBlank, TAB } from './ascii.js';
import { CsvScanner, type CsvCell, type CsvRecord } from './csv-scanner.js';

/** How the log entries lie in a CSV file. Columns are 0-based. */
export interface CsvLayout {
  delimiter: number;
  /** False where the first record is an entry already (`copy … csv` without `header`). */
  header: boolean;
  jsonColumn: number;
  receivedAtColumn: number | undefined;
}

const DELIMITERS = [COMMA, SEMICOLON, TAB];
const JSON_NAMES = ['payload', 'body', 'rawbody', 'data', 'json', 'message'];
const RECEIVED_AT_NAMES = ['receivedat', 'createdat', 'timestamp', 'time'];
const COLUMN_NAME = /^[\p{L}\p{N}_ .:#$()/-]{1,64}$/u;
const SAMPLE_RECORDS = 50;

interface SampleRecord {
  cells: CsvCell[];
  whole: boolean;
}

/**
 * Recognises CSV with a column of JSON in the beginning of a text. Returns `no_json` for CSV in which no column holds
 * JSON, and undefined for anything else.
 */
export function findCsvLayout(head: Buffer): CsvLayout | 'no_json' | undefined {
  let table: CsvLayout | 'no_json' | undefined;
  for (const delimiter of DELIMITERS) {
    const layout = layoutWith(delimiter, sample(head, delimiter));
    if (layout !== undefined && layout !== 'no_json') return layout;
    table ??= layout;
  }
  return table;
}

function layoutWith(delimiter: number, records: SampleRecord[]): CsvLayout | 'no_json' | undefined {
  const [first, ...others] = records;
  if (first === undefined) return undefined;
  if (first.cells.some((cell) => cell.quoted && looksLikeJson(cell))) {
    const jsonColumn = first.cells.findIndex((cell) => cell.quoted && looksLikeJson(cell));
    return { delimiter, header: false, jsonColumn, receivedAtColumn: undefined };
  }
  const names = first.cells.map(({ bytes }) => bytes?.toString().trim() ?? '');
  if (!first.whole || !names.every((name) => COLUMN_NAME.test(name))) return undefined;
  const rows = others.filter((row) => !row.whole || row.cells.length === names.length);
  const counts = names.map((_, column) => rows.filter((row) => holdsJson(row, column, delimiter)).length);
  const jsonColumn = bestColumn(names, counts);
  if (jsonColumn !== undefined) {
    return { delimiter, header: true, jsonColumn, receivedAtColumn: findName(names, RECEIVED_AT_NAMES) };
  }
  return names.length > 1 && rows.length > 0 && rows.length === others.length ? 'no_json' : undefined;
}

function bestColumn(names: string[], counts: number[]): number | undefined {
  const most = Math.max(...counts);
  if (most === 0) return undefined;
  const named = findName(
    names.map((name, column) => ((counts[column] ?? 0) > 0 ? name : '')),
    JSON_NAMES,
  );
  return named ?? counts.indexOf(most);
}

/** The column with the first of the wanted names, whatever its case and underscores. */
function findName(names: string[], wanted: string[]): number | undefined {
  const plain = names.map((name) => name.toLowerCase().replace(/[_ ]/g, ''));
  const found = wanted.map((name) => plain.indexOf(name)).find((column) => column !== -1);
  return found;
}

/** JSON without quotes around it is only believed where commas inside it do not matter, or a prose line would pass for CSV. */
function holdsJson(row: SampleRecord, column: number, delimiter: number): boolean {
  const cell = row.cells[column];
  if (cell === undefined || !looksLikeJson(cell)) return false;
  return cell.quoted || (delimiter !== COMMA && row.cells.length > 1);
}

function looksLikeJson({ bytes }: CsvCell): boolean {
  if (bytes === undefined) return false;
  const first = bytes[skipBlank(bytes)];
  return first === OPEN_BRACE || first === OPEN_BRACKET;
}

/** The first records; the last one may be cut by the end of the sample. */
function sample(head: Buffer, delimiter: number): SampleRecord[] {
  const records: SampleRecord[] = [];
  let cells: CsvCell[] = [];
  const scanner = new CsvScanner(delimiter, head.length, {
    wants: () => records.length < SAMPLE_RECORDS,
    cell: (_, cell) => {
      cells.push(cell);
    },
    record: ({ columns, ending }: CsvRecord) => {
      if (columns > 0 && records.length < SAMPLE_RECORDS) records.push({ cells, whole: ending === 'line' });
      cells = [];
    },
  });
  scanner.push(head.subarray(bomLength(head)));
  scanner.end();
  return records;
}
