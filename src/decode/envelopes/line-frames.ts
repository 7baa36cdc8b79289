import { readJson, type JsonObject, type JsonValue } from '../../model/json.js';
import { leadingInstant } from '../../model/time.js';
import { timeInWords, timeOfLine } from './clock.js';
import { psqlValue } from './psql-value.js';
import { isInsideValue, sharedPrefix, withoutPrefix, wordsBeforeIndent } from './line-prefix.js';

/** Log systems that frame every line of a program. */
export type FrameForm =
  | 'docker'
  | 'cri'
  | 'journald'
  | 'heroku'
  | 'syslog_rfc5424'
  | 'syslog_rfc3164'
  | 'pm2'
  | 'compose'
  | 'quoted'
  | 'psql'
  /** Words of a system that is not known. */
  | 'prefixed';

/** One line of a log system's file. */
export interface Frame {
  form: FrameForm;
  /**
   * Lines with the same key come from one stream of one program; a cut line continues in the next line with its key.
   */
  stream: string;
  /** What the program printed, without a line end. Bytes, because a cut may halve a character. */
  content: Buffer;
  /** Whether the line goes on: the log system says so, or the content is as long as the log system lets a line be. */
  partial: boolean;
  /** Whether the log system marks cut lines. Otherwise a partial line may just be long. */
  marked: boolean;
  /** ms since 1970; undefined if the line does not say (RFC 3164 has no year). */
  time: number | undefined;
  /** journalctl prints a MESSAGE over 4096 bytes as null unless it is called with --all. */
  omitted: boolean;
}

/** What one program printed over one or several framed lines. */
export interface JoinedFrames {
  form: FrameForm;
  text: string;
  /** When its first line was written. */
  time: number | undefined;
  /** False if the last line is marked as cut: the rest of it never came. */
  complete: boolean;
  /** Whether journald left the text out. */
  omitted: boolean;
}

/**
 * Reads one line (without its line end) of Docker's json-file, CRI, journald's JSON, Heroku, syslog, pm2 or `docker compose
 * logs`. undefined when the line has no such frame.
 */
export function readFrame(line: Uint8Array): Frame | undefined {
  const first = line[0];
  if (first === undefined) return undefined;
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  if (first === OPEN_BRACE) return readJsonFrame(bytes);
  const prefix = bytes.toString('latin1', 0, LONGEST_FRAME);
  for (const read of TEXT_FRAMES) {
    const frame = read(prefix, bytes);
    if (frame !== undefined) return frame;
  }
  return undefined;
}

/**
 * The text inside the framed lines of one entry, which are all of one stream: parts of a cut line directly one after the
 * other, other lines with a line end between. undefined when a line has no frame: then the bytes are not framed lines.
 */
export function joinFrames(bytes: Uint8Array): JoinedFrames | undefined {
  return joinCell(bytes) ?? joinLines(bytes, readFrame) ?? joinLines(bytes, readQuote) ?? joinPrefixed(bytes);
}

/** The value that psql prints over several lines of a cell. */
function joinCell(bytes: Uint8Array): JoinedFrames | undefined {
  if (bytes[0] === OPEN_BRACE || !bytes.includes(NEWLINE)) return undefined;
  const text = psqlValue(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
  if (text === undefined) return undefined;
  return { form: 'psql', text, time: undefined, complete: true, omitted: false };
}

function joinLines(
  bytes: Uint8Array,
  read: (line: Uint8Array) => Frame | undefined,
): JoinedFrames | undefined {
  const parts: Buffer[] = [];
  let first: Frame | undefined;
  let last: Frame | undefined;
  let omitted = false;
  for (const line of linesOf(bytes)) {
    const frame = read(line);
    if (frame === undefined || (first !== undefined && frame.form !== first.form)) return undefined;
    if (last !== undefined && !last.partial) parts.push(LINE_END);
    parts.push(frame.content);
    first ??= frame;
    last = frame;
    omitted ||= frame.omitted;
  }
  if (first === undefined || last === undefined) return undefined;
  return {
    form: first.form,
    text: Buffer.concat(parts).toString('utf8'),
    time: first.time,
    complete: !(last.partial && last.marked),
    omitted,
  };
}

/** The line of a value over several, indented behind words. */
function withoutWords(line: Buffer): JoinedFrames | undefined {
  const end = wordsBeforeIndent(line.toString('latin1', 0, LONGEST_FRAME));
  if (end === 0) return undefined;
  const time = timeInWords(line.toString('latin1', 0, end));
  return { form: 'prefixed', text: line.toString('utf8', end), time, complete: true, omitted: false };
}

/** The text of one value over several lines, all of which begin alike. */
function joinPrefixed(bytes: Uint8Array): JoinedFrames | undefined {
  const parts: Buffer[] = [];
  let first: Buffer | undefined;
  let prefix: Buffer | undefined;
  for (const each of linesOf(bytes)) {
    const line = Buffer.from(each.buffer, each.byteOffset, each.byteLength);
    if (first === undefined) {
      first = line;
      continue;
    }
    if (prefix === undefined) {
      prefix = sharedPrefix(first, line);
      if (prefix === undefined) return undefined;
      parts.push(first.subarray(prefix.length));
    }
    const rest = withoutPrefix(line, prefix);
    if (rest === undefined || !isInsideValue(rest)) return undefined;
    parts.push(LINE_END, rest);
  }
  if (first === undefined) return undefined;
  if (prefix === undefined) return withoutWords(first);
  const text = Buffer.concat(parts).toString('utf8');
  return { form: 'prefixed', text, time: timeInWords(prefix.toString()), complete: true, omitted: false };
}

const OPEN_BRACE = 0x7b;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const LINE_END = Buffer.of(NEWLINE);
/** No frame's own words are longer; only structured data of RFC 5424 comes near. */
const LONGEST_FRAME = 2048;

function* linesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, from);
    const to = newline === -1 ? bytes.length : newline;
    const end = to > from && bytes[to - 1] === CARRIAGE_RETURN ? to - 1 : to;
    if (end > from) yield bytes.subarray(from, end);
    from = to + 1;
  }
}

function readJsonFrame(line: Buffer): Frame | undefined {
  if (line.includes('"log"')) {
    const object = parseObject(line);
    return object === undefined ? undefined : readDocker(object);
  }
  if (line.includes('"__REALTIME_TIMESTAMP"')) {
    const object = parseObject(line);
    return object === undefined ? undefined : readJournald(object);
  }
  return undefined;
}

/** The object in a line of JSON; undefined for any other line. */
export function parseObject(line: Buffer): JsonObject | undefined {
  try {
    const value = readJson(line.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** JSON.parse under its real type, instead of `any`. */

/** What distinguishes two containers in one file: Docker's attributes, or those added by Fluentd and Fluent Bit. */
const CONTAINER_KEYS = ['container_id', 'container_name', 'source', 'attrs', 'kubernetes', 'docker'] as const;

/**
 * `{"log":"…\n","stream":"stdout","time":"…"}`: Docker's own file, where a line over 16 KiB is several objects of which only
 * the last one ends in `\n`; and Fluentd's, which names the parts of a line and leaves the line end out.
 */
function readDocker(object: JsonObject): Frame | undefined {
  const { log, stream, time } = object;
  if (typeof log !== 'string') return undefined;
  const isFluentd = typeof object.container_id === 'string' && typeof object.source === 'string';
  if (!isFluentd && typeof stream !== 'string' && typeof time !== 'string') return undefined;
  // The parts of one line share an id, which two lines never do.
  const keys: JsonValue[] = [stream ?? null, object.partial_id ?? null];
  for (const key of CONTAINER_KEYS) keys.push(object[key] ?? null);
  const ends = log.endsWith('\n');
  const text = ends ? log.slice(0, log.endsWith('\r\n') ? -2 : -1) : log;
  const goesOn = isTrue(object.partial_message) && !isTrue(object.partial_last);
  return {
    form: 'docker',
    stream: JSON.stringify(keys),
    content: Buffer.from(text),
    partial: isFluentd ? goesOn : !ends,
    marked: true,
    time: instantIn(time) ?? instantIn(object['@timestamp']),
    omitted: false,
  };
}

function isTrue(value: JsonValue | undefined): boolean {
  return value === true || value === 'true';
}

/** `journalctl -o json`: MESSAGE is a text, an array of bytes when it is not clean UTF-8, or null when it was too long to be printed. */
function readJournald(object: JsonObject): Frame | undefined {
  const message = object.MESSAGE;
  if (message === undefined) return undefined;
  const keys = ['_HOSTNAME', '_SYSTEMD_UNIT', 'CONTAINER_ID_FULL', 'SYSLOG_IDENTIFIER', '_PID', '_STREAM_ID'];
  const micros = Number(object.__REALTIME_TIMESTAMP);
  return {
    form: 'journald',
    stream: JSON.stringify(keys.map((key) => object[key] ?? null)),
    content: contentOf(message),
    partial: object._LINE_BREAK === 'line-max' || object.CONTAINER_PARTIAL_MESSAGE === 'true',
    marked: true,
    time: Number.isSafeInteger(micros) && micros > 0 ? Math.trunc(micros / 1000) : undefined,
    omitted: message === null,
  };
}

/** A field that was given several times is an array of its values. */
function contentOf(message: JsonValue): Buffer {
  if (typeof message === 'string') return Buffer.from(message);
  if (!Array.isArray(message)) return Buffer.alloc(0);
  const bytes = message.filter((byte) => typeof byte === 'number');
  if (bytes.length === message.length) return Buffer.from(bytes);
  return Buffer.from(message.filter((text) => typeof text === 'string').join('\n'));
}

function instantIn(value: JsonValue | undefined): number | undefined {
  return typeof value === 'string' ? leadingInstant(value)?.at : undefined;
}

type ReadText = (prefix: string, line: Buffer) => Frame | undefined;

/** Whether a line has the maximum length of a log system that does not mark cut lines. */
interface Limit {
  content?: number;
  line?: number;
}

function textFrame(
  form: FrameForm,
  pattern: RegExp,
  read: (groups: Readonly<Record<string, string | undefined>>) => { stream: string; time: string },
  limit: Limit,
): ReadText {
  return (prefix, line) => {
    const match = pattern.exec(prefix);
    if (match === null) return undefined;
    const { stream, time } = read(match.groups ?? {});
    const content = unescaped(form, line.subarray(match[0].length));
    const { content: mostContent = Infinity, line: mostLine = Infinity } = limit;
    return {
      form,
      stream: `${form} ${stream}`,
      content,
      partial: content.length >= mostContent || line.length >= mostLine,
      marked: false,
      // If the frame has no time (pm2, RFC 3164's has no year), the time that the program itself printed.
      time: leadingInstant(time)?.at ?? timeOfLine(content.toString('latin1', 0, LONGEST_TIME_PREFIX)),
      omitted: false,
    };
  };
}

const LONGEST_TIME_PREFIX = 256;

/** rsyslog writes a control character in octal. Only where it stands before a token: inside a text it may be the text's own. */
function unescaped(form: FrameForm, content: Buffer): Buffer {
  if (!form.startsWith('syslog') || !content.includes('#012')) return content;
  const text = content.toString('latin1');
  if (!/[{[]#012/.test(text)) return content;
  return Buffer.from(
    text.replace(/#01([125])/g, (_, digit: string) => (digit === '2' ? '\n' : digit === '1' ? '\t' : '\r')),
    'latin1',
  );
}

const ISO_TIME = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)`;

/** `<time> stdout P text`, tags separated by colons: P is a part, F the last one. */
const CRI = new RegExp(`^(?<time>${ISO_TIME}) (?<stream>stdout|stderr) (?<tag>[PF])(?::[^ ]*)? `);

function readCri(prefix: string, line: Buffer): Frame | undefined {
  const match = CRI.exec(prefix);
  if (match === null) return undefined;
  const { time = '', stream = '', tag } = match.groups ?? {};
  return {
    form: 'cri',
    stream: `cri ${stream}`,
    content: line.subarray(match[0].length),
    partial: tag === 'P',
    marked: true,
    time: leadingInstant(time)?.at,
    omitted: false,
  };
}

/** Heroku cuts lines into pieces of 10,000 bytes; a character that a piece would halve may be left to the next one. */
const HEROKU_LIMIT = { content: 9_990 };
/** The oldest limit of a syslog packet is 1024 bytes, its frame included. No limit is lower, and each file has its own. */
const SYSLOG_LIMIT = { line: 1_000 };

/** Both color their prefix, on terminals and where they were told to. */
const COLOR = '(?:\x1b\\[[\\d;]*m)*';

const TEXT_FRAMES: readonly ReadText[] = [
  readCri,
  textFrame(
    'heroku',
    new RegExp(`^(?<time>${ISO_TIME}) (?<source>(?:app|heroku)\\[[^\\]]+\\]): ?`),
    ({ source = '', time = '' }) => ({ stream: source, time }),
    HEROKU_LIMIT,
  ),
  textFrame(
    'syslog_rfc5424',
    // Heroku's drains leave the structured data out, and count each line's bytes before it.
    new RegExp(
      `^(?:\\d+ )?<\\d{1,3}>1 (?<time>\\S+) (?<host>\\S+) (?<app>\\S+) (?<pid>\\S+) \\S+ ` +
        String.raw`(?:(?:-|(?:\[[\w@.-]+(?: [\w@.-]+="(?:[^"\\]|\\.)*")*\])+)(?: |$))?(?:\xef\xbb\xbf)?`,
    ),
    ({ host = '', app = '', pid = '', time = '' }) => ({ stream: `${host} ${app} ${pid}`, time }),
    SYSLOG_LIMIT,
  ),
  textFrame(
    'syslog_rfc3164',
    new RegExp(
      `^(?:<\\d{1,3}>)?(?:[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d (?<host>[^\\s:{"']+) (?<tag>[^\\s:[\\]{"']+(?:\\[[^\\]]*\\])?)` +
        `|(?<time>${ISO_TIME}) (?<host2>[^\\s:{"']+) (?<tag2>[^\\s:[\\]{"']+\\[[^\\]]*\\])): ?`,
    ),
    ({ host, host2 = '', tag, tag2 = '', time = '' }) => ({
      stream: `${host ?? host2} ${tag ?? tag2}`,
      time,
    }),
    SYSLOG_LIMIT,
  ),
  textFrame(
    'pm2',
    new RegExp(`^${COLOR}(?<app>\\d+\\|[^|\\s]+|PM2) *\\| ${COLOR}`),
    ({ app = '' }) => ({ stream: app, time: '' }),
    {},
  ),
  textFrame(
    'compose',
    new RegExp(`^${COLOR}(?<service>[A-Za-z][\\w.-]*?) +\\| ${COLOR}`),
    ({ service = '' }) => ({ stream: service, time: '' }),
    {},
  ),
];

/** Of a mail, a comment, a page of notes: one mark or several of them before each line. */
const readQuoted = textFrame(
  'quoted',
  /^(?<mark>[ \t]*(?:>[> ]*|\|+|#+|\/\/+|--|;+|\*|\+))(?: |(?=[{}[\]"]|$))/,
  ({ mark = '' }) => ({ stream: mark.trim(), time: '' }),
  {},
);

/** Reads a quoted line (`> {`). Only if all lines of a value are quoted: any line of prose can begin so. */
export function readQuote(line: Uint8Array): Frame | undefined {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  return readQuoted(bytes.toString('latin1', 0, LONGEST_FRAME), bytes);
}
