import {
  bomLength,
  CLOSE_BRACKET,
  COMMA,
  NEWLINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipBlank,
} from './bytes.js';
import { printFormOf } from '../decode/envelopes/printed-texts.js';
import { readFrame, readQuote, type FrameForm } from '../decode/envelopes/line-frames.js';
import { isRequestLine, isSignatureLine } from '../decode/envelopes/http-head.js';
import { findValue } from './console-line.js';
import { isCutBefore } from './line-kinds.js';
import { CopyBlocks } from './copy-blocks.js';
import { escapesOfLines, rowIn, type FileEscapes } from './escaped-values.js';
import { CsvSplitter, findCsvLayout, type CsvLayout } from './split-csv.js';
import { looksLikeChatText } from './exports/chat-text.js';
import { ChatExporterSplitter, looksLikeChatExporter } from './exports/split-chat-exporter.js';
import type { ItemQueue, Place, Splitter } from './item-queue.js';
import { holdsPrefixedValue } from './printed-text.js';
import { linesOfPrint, PrintedValue } from './printed-value.js';
import { FrameSplitter } from './split-frames.js';
import { LineSplitter } from './split-lines.js';
import { SqlSplitter, sniffSqlDump } from './split-sql.js';
import { ValueSplitter } from './split-values.js';
import { ValueScanner } from './value-scanner.js';

/** How a text holds its entries. */
export type Format =
  | { kind: 'ndjson' }
  /** `keepsBodies`: it is a web server's, whose lines end in the request's body. */
  | { kind: 'console'; keepsBodies?: boolean; escapes?: FileEscapes }
  /** `endsLines`: what is no part of a line ends in a line end; Fluent Bit takes them all off. */
  | { kind: 'framed'; form: FrameForm; endsLines: boolean }
  | { kind: 'values' }
  /** A dump of PostgreSQL or MySQL. */
  | { kind: 'sql'; mysql: boolean }
  | { kind: 'table_without_json' }
  /** A chat that WhatsApp exported as a text: it holds no ids. */
  | { kind: 'chat_text' }
  /** The JSON of WhatsApp-Chat-Exporter. */
  | { kind: 'chat_exporter' }
  | { kind: 'csv'; layout: CsvLayout };

/** How much of a text is examined. */
export const FORMAT_HEAD_BYTES = 64 * 1024;
const SAMPLE_LINES = 200;
/** So much of a print shows that it is one. */
const LONGEST_PRINTED = 8_192;

/** Recognizes the format by content. `head`: the first FORMAT_HEAD_BYTES of the text, or all of it if it is shorter. */
export function sniffFormat(head: Buffer): Format {
  const format = formatOf(head);
  if (format.kind !== 'console') return format;
  const keepsBodies = KEEPS_BODIES.test(head.toString('latin1'));
  return { kind: 'console', keepsBodies, escapes: escapesOfLines(head) };
}

const KEEPS_BODIES = /"POST [^"\n]*" \d{3} [^\n]*"(?:\\x7B|\\x5B|\{|\[)/i;

/** Whether a text has requests to which a web server writes no body. */
export function namesRequests(head: Buffer): boolean {
  return /"POST [^"\n]*HTTP\/[\d.]+" \d{3} /.test(head.toString('latin1'));
}

function formatOf(head: Buffer): Format {
  const start = skipBlank(head, bomLength(head));
  if (start >= head.length) return { kind: 'ndjson' };
  if (linesOfPrint(head.toString('latin1', start, start + LONGEST_PRINTED)) > 0) return { kind: 'console' };
  if (head[start] === OPEN_BRACE) {
    // By its first line alone: the head of a pipe can be that short.
    const firstLine = head.subarray(start, indexOrEnd(head, NEWLINE, start));
    // Its escaped quotes end no text.
    if (rowIn(firstLine)?.proof === 'escaped') return { kind: 'ndjson' };
    const frame = readFrame(firstLine);
    if (frame !== undefined) return framed(frame.form, head);
    if (looksLikeChatExporter(head.toString('utf8', start))) return { kind: 'chat_exporter' };
    return { kind: sniffObject(head, start) ?? sniffLines(head) };
  }
  const dump = sniffSqlDump(head.subarray(start));
  if (dump !== undefined) return { kind: 'sql', ...dump };
  if (looksLikeChatText(head.toString('utf8', start))) return { kind: 'chat_text' };
  if (head[start] === OPEN_BRACKET) return sniffBracket(head, start);
  if (head[start] === QUOTE && holdsTextsOfJson(head, start)) return { kind: 'ndjson' };
  if (PSQL_RECORD.test(head.toString('latin1', start))) return { kind: 'console' };
  const layout = layoutOf(head);
  const form = layout === undefined || layout === 'no_json' ? findFrameForm(head) : undefined;
  if (form !== undefined) return framed(form, head);
  // Words that tabs separate before every line make no table of it.
  if (layout !== undefined && holdsPrefixedValue(sampleLines(head))) return { kind: 'console' };
  if ((layout === undefined || layout === 'no_json') && holdsRequests(head)) return { kind: 'console' };
  if (layout === 'no_json')
    return sniffLines(head) === 'ndjson' ? { kind: 'ndjson' } : { kind: 'table_without_json' };
  if (layout !== undefined) return { kind: 'csv', layout };
  return { kind: sniffLines(head) };
}

/** psql’s records (`\x`), whose cells can be values over several lines: the names before them are no programs of Compose's. */
const PSQL_RECORD = /^-\[ RECORD \d+ \]/m;

/** The layout of a table. A line of base64 in what a program printed is a person's text, and makes no table of it. */
function layoutOf(head: Buffer): ReturnType<typeof findCsvLayout> {
  const layout = findCsvLayout(head);
  const isColumn = layout !== undefined && layout !== 'no_json' && layout.jsonColumn === 0;
  return isColumn && printFormOf(head.toString()) !== undefined ? undefined : layout;
}

/**
 * Whether the first bytes of a stream already determine the format: a pipe that is still being written must not wait for
 * more.
 */
export function isSettled(head: Buffer): boolean {
  const start = skipBlank(head, bomLength(head));
  const newline = head.indexOf(NEWLINE, start);
  // A bracket alone can begin what a program printed.
  const isLone = newline !== -1 && skipBlank(head, start + 1) > newline;
  if (head[start] !== OPEN_BRACE || newline === -1 || isLone) return false;
  const isPrint = PrintedValue.in(head.toString('latin1', start, newline)) !== undefined;
  return !isPrint && sniffObject(head, start) === 'ndjson';
}

/**
 * A splitter for all formats that have one; `start` is where the first chunk begins, `resume` the offset up to which the entries are
 * done.
 */
export function createSplitter(
  format: Exclude<Format, { kind: 'table_without_json' | 'chat_text' }>,
  queue: ItemQueue,
  start: Place,
  resume: number,
): Splitter {
  switch (format.kind) {
    case 'chat_exporter':
      return new ChatExporterSplitter(queue, start.offset, resume);
    case 'csv':
      return new CsvSplitter(queue, format.layout, start);
    case 'framed': {
      const { endsLines } = format;
      const readLine = format.form === 'quoted' ? readQuote : readFrame;
      return new CopyBlocks(queue, start, (place) => new FrameSplitter(queue, place, endsLines, readLine));
    }
    case 'sql':
      return new SqlSplitter(queue, format.mysql, start);
    case 'values':
      return new ValueSplitter(queue, start);
    case 'ndjson':
    case 'console':
      // Only arrays count elements: the file was an array when the checkpoint was written, and lines were added since.
      return start.element > 0
        ? new ValueSplitter(queue, start)
        : new CopyBlocks(queue, start, (place) => new LineSplitter(queue, format, place));
  }
}

/** Examines the first value only; undefined when its line does not decide. */
function sniffObject(head: Buffer, start: number): 'ndjson' | 'values' | undefined {
  const scanner = new ValueScanner();
  const end = scanner.scan(head, start);
  if (scanner.status === 'broken') return 'ndjson';
  // More than one line: pretty-printed. Still on its first line: longer than the head.
  if (scanner.newlines > 0) return isCutFirstLine(head, start) ? 'ndjson' : 'values';
  if (scanner.status === 'open') return 'ndjson';
  const rest = restOfLine(head, end);
  if (rest.length === 0) return 'ndjson';
  const isList = rest[0] === COMMA && !endsPart(rest);
  return rest[0] === OPEN_BRACE || rest[0] === OPEN_BRACKET || isList ? 'values' : undefined;
}

/** Whether what follows a value shows that it is a part of one whose beginning is missing: `}]}`, `,"field":`. */
function endsPart(rest: Buffer): boolean {
  return /^(?:[}\]]|,\s*"(?:[^"\\]|\\.){1,200}"\s*:)/.test(rest.toString('latin1', 0, 300));
}

/** Whether a file's first line is cut off, and the second is an entry of its own. */
function isCutFirstLine(head: Buffer, start: number): boolean {
  const first = indexOrEnd(head, NEWLINE, start);
  return isCutBefore(
    head.subarray(start, first),
    head.subarray(first + 1, indexOrEnd(head, NEWLINE, first + 1)),
  );
}

/** How the library `flatted` begins (n8n's table `execution_data`): an object whose values are the places of others, from 1. */
const FLATTED = /^\[\{"(?:[^"\\]|\\.)*":"1"(?:,"(?:[^"\\]|\\.)*":"\d{1,9}")*\},/;

/** A JSON array, or a prefix such as `[pm2]`, `[0]` or `[2025-09-16 05:00:00]`. */
function sniffBracket(head: Buffer, start: number): Format {
  const lineEnd = indexOrEnd(head, NEWLINE, start);
  const line = head.subarray(start, lineEnd);
  // The elements of such an array refer to each other: it is one value, on one line.
  if (FLATTED.test(line.toString('latin1'))) return { kind: 'ndjson' };
  const scanner = new ValueScanner();
  const end = scanner.scan(line, 0);
  if (scanner.status === 'done') {
    if (!isJson(line.subarray(0, end))) return { kind: sniffLines(head) };
    const rest = restOfLine(line, end);
    const holdsValues = line.subarray(1, end).some((byte) => byte === OPEN_BRACE || byte === OPEN_BRACKET);
    if (endsPart(rest)) return { kind: sniffLines(head) };
    if (rest.length > 0) return { kind: holdsValues || startsArray(rest) ? 'values' : sniffLines(head) };
    // One array is a list of entries; when each line holds an array (n8n), each line is an entry.
    return { kind: skipBlank(head, lineEnd) < head.length ? sniffLines(head) : 'values' };
  }
  const isArray = startsArray(line) && !isStrayBrackets(head, start);
  return { kind: isArray ? 'values' : sniffLines(head) };
}

/**
 * Whether a first line of nothing but brackets opens no list: the next line is an entry at the margin that neither a comma nor the end of
 * a list follows.
 */
function isStrayBrackets(head: Buffer, start: number): boolean {
  const newline = indexOrEnd(head, NEWLINE, start);
  if (!/^\[\s*\[[\s[]*$/.test(head.toString('latin1', start, Math.min(newline, start + LONGEST_PRINTED))))
    return false;
  const end = indexOrEnd(head, NEWLINE, newline + 1);
  const next = skipBlank(head, end);
  return isJson(head.subarray(newline + 1, end)) && head[next] !== CLOSE_BRACKET && head[next] !== COMMA;
}

/** A text of JSON in which JSON begins, its quotes escaped: `"{\"object\":` */
const TEXT_OF_JSON = /^"\s*(?:[[{][\s[{]*)(?:\\["nrt]|[\]}])/;

/** Whether the first line is a text of JSON, as `jq .payload` prints a body. A cell of CSV has its quotes doubled, or more cells beside it. */
function holdsTextsOfJson(head: Buffer, start: number): boolean {
  const lineEnd = indexOrEnd(head, NEWLINE, start);
  const line = head.subarray(start, lineEnd);
  if (!TEXT_OF_JSON.test(line.toString('latin1', 0, 256))) return false;
  const scanner = new ValueScanner();
  const end = scanner.scan(line, 0);
  // A text that is longer than the head can only be judged by its beginning.
  if (scanner.status !== 'done') return lineEnd === head.length;
  return skipBlank(line, end) === line.length && isJson(line);
}

/** Whether an array that does not end on its first line begins as one. */
function startsArray(line: Buffer): boolean {
  return /^\[\s*(?:$|[[{"\]]|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\s*(?:,|$)|(?:true|false|null)\s*(?:,|$))/.test(
    line.toString('latin1', 0, 256),
  );
}

function framed(form: FrameForm, head: Buffer): Format {
  let lines = 0;
  for (const line of sampleLines(head)) {
    const frame = form === 'quoted' ? readQuote(line) : readFrame(line);
    if (frame?.partial === false) return { kind: 'framed', form, endsLines: true };
    lines++;
  }
  // One line of Docker's tells nothing: it may be the first part of many.
  return { kind: 'framed', form, endsLines: form !== 'docker' || lines < 2 };
}

/** The log system in whose frame at least half of the lines are. */
function findFrameForm(head: Buffer): FrameForm | undefined {
  let form: FrameForm | undefined;
  let framed = 0;
  let bare = 0;
  for (const line of sampleLines(head)) {
    const frame = readFrame(line);
    form ??= frame?.form;
    if (frame === undefined) bare++;
    else framed++;
  }
  if (form !== undefined && framed >= bare) return form;
  return quotesValue(head) ? 'quoted' : undefined;
}

/** Whether a text quotes a value over several lines, each behind the same mark: `> {`. */
function quotesValue(head: Buffer): boolean {
  let opened: string | undefined;
  for (const line of sampleLines(head)) {
    const frame = readQuote(line);
    if (frame === undefined) {
      opened = undefined;
      continue;
    }
    if (opened === frame.stream && QUOTED_KEY.test(frame.content.toString('latin1', 0, 200))) return true;
    const found = findValue(frame.content);
    opened =
      found?.kind === 'unfinished' && found.start === skipBlank(frame.content) ? frame.stream : undefined;
  }
  return false;
}

const QUOTED_KEY = /^\s*(?:"[^"]*"\s*:|[{[]\s*(?:$|"))/;

/** Whether a text dumps requests, each a head and a body: its bare lines of JSON make it no NDJSON. */
function holdsRequests(head: Buffer): boolean {
  for (const line of sampleLines(head)) {
    const text = line.toString('latin1', 0, 2_000);
    if (isRequestLine(text) || isSignatureLine(text)) return true;
  }
  return false;
}

/** The first lines that hold anything. */
function* sampleLines(head: Buffer): Generator<Buffer, void, undefined> {
  let start = bomLength(head);
  for (let lines = 0; start < head.length && lines < SAMPLE_LINES; lines++) {
    const end = indexOrEnd(head, NEWLINE, start);
    const line = head.subarray(start, end);
    start = end + 1;
    if (skipBlank(line) < line.length) yield line;
  }
}

/**
 * Compares lines with a prefix to bare ones. A line of words directly before a pretty-printed value is its prefix. In doubt NDJSON,
 * which reports a line without JSON; a console log skips it.
 */
function sniffLines(head: Buffer): 'ndjson' | 'console' {
  let bare = 0;
  let prefixed = 0;
  let isAfterWords = false;
  let start = bomLength(head);
  for (let lines = 0; start < head.length && lines < SAMPLE_LINES; lines++) {
    const end = indexOrEnd(head, NEWLINE, start);
    const lineStart = start;
    const line = head.subarray(lineStart, end);
    start = end + 1;
    const first = skipBlank(line);
    if (first === line.length) continue;
    const found = isJson(line) ? 'bare' : findValue(line);
    if (found !== 'bare' && found?.kind === 'unfinished') {
      // The lines of a pretty-printed value are not lines of the log.
      const value = new ValueScanner();
      const to = value.scan(head, lineStart + found.start);
      if (value.status === 'done') start = indexOrEnd(head, NEWLINE, to) + 1;
    }
    const print =
      found === undefined || (found !== 'bare' && found.kind === 'unfinished')
        ? linesOfPrint(head.toString('latin1', lineStart, lineStart + LONGEST_PRINTED))
        : 0;
    for (let more = 1; more < print; more++) start = indexOrEnd(head, NEWLINE, start) + 1;
    const isLabeled = isAfterWords && found !== 'bare' && found?.kind === 'unfinished';
    // Not the rest of a value whose beginning is missing.
    isAfterWords =
      found === undefined && !/^\s*["{}[\],:]\s*(?:\W|$)|^\s*"/.test(line.toString('latin1', 0, 80));
    // A bare line can be cut, or continue after the sample.
    if (isLabeled || print > 0) prefixed += Math.max(1, print);
    else if (found === 'bare' || (found?.start === first && found.kind !== 'whole')) bare++;
    else if (found !== undefined) prefixed++;
  }
  return prefixed > bare || bare === 0 ? 'console' : 'ndjson';
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString());
    return true;
  } catch {
    return false;
  }
}

function restOfLine(bytes: Buffer, from: number): Buffer {
  const line = bytes.subarray(from, indexOrEnd(bytes, NEWLINE, from));
  return line.subarray(skipBlank(line));
}

function indexOrEnd(bytes: Buffer, byte: number, from: number): number {
  const index = bytes.indexOf(byte, from);
  return index === -1 ? bytes.length : index;
}
