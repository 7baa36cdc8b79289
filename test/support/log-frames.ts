/** How log systems keep the lines that a program prints: the lines of the file for one of them. */
export type LogFrame = (line: string, stream: number) => string[];

const TIME = '2026-09-21T11:13:20.600000000Z';

/** Pieces of at most `size` bytes, none of which ends inside a character. */
function pieces(line: string, size: number): string[] {
  const all: string[] = [];
  let current = '';
  let bytes = 0;
  for (const character of line) {
    const length = Buffer.byteLength(character);
    if (bytes + length > size) {
      all.push(current);
      current = '';
      bytes = 0;
    }
    current += character;
    bytes += length;
  }
  return [...all, current];
}

/** In pieces that say whether they are the last one. */
function marked(size: number, write: (piece: string, isLast: boolean, stream: number) => string): LogFrame {
  return (line, stream) => {
    const all = pieces(line, size);
    return all.map((piece, i) => write(piece, i === all.length - 1, stream));
  };
}

const outOrErr = (stream: number): string => (stream === 0 ? 'stdout' : 'stderr');

const docker = (size: number): LogFrame =>
  marked(size, (piece, isLast, stream) =>
    JSON.stringify({ log: isLast ? `${piece}\n` : piece, stream: outOrErr(stream), time: TIME }),
  );
const cri = (size: number): LogFrame =>
  marked(size, (piece, isLast, stream) => `${TIME} ${outOrErr(stream)} ${isLast ? 'F' : 'P'} ${piece}`);
const framed = (size: number, prefix: (stream: number) => string): LogFrame =>
  marked(size, (piece, _isLast, stream) => prefix(stream) + piece);

/** Two streams each, but for a bare file, which mixes them. */
export const LOG_FRAMES: Readonly<Record<string, LogFrame>> = {
  none: (line) => [line],
  docker: docker(16_384),
  'docker, in small pieces': docker(100),
  compose: framed(Infinity, (stream) => `web-${stream}  | `),
  'compose, colored': framed(Infinity, (stream) => `\x1b[3${stream + 3}mweb-${stream}  | \x1b[0m`),
  cri: cri(16_384),
  'cri, in small pieces': cri(100),
  heroku: framed(10_000, (stream) => `2026-09-21T11:13:20.600000+00:00 app[web.${stream}]: `),
  'syslog of 1024 bytes': framed(994, (stream) => `Sep 21 11:13:20 host web[100${stream}]: `),
  'syslog RFC 5424': framed(1500, (stream) => `<14>1 2026-09-21T11:13:20.600Z host web 100${stream} - - `),
  journald: (line, stream) => [
    JSON.stringify({ __REALTIME_TIMESTAMP: '1790000000600000', _PID: String(stream), MESSAGE: line }),
  ],
  pm2: framed(Infinity, (stream) => `${stream}|web  | `),
};

/** The time of each line in its own, a second later than the one before. */
function clocked(write: (second: string, stream: number) => string): LogFrame {
  let lines = 0;
  return (line, stream) => [write(String(lines++ % 60).padStart(2, '0'), stream) + line];
}

/** Words before every line that no table of log systems names. Lines of two streams come one after the other. */
export const PREFIXED_LINES: Readonly<Record<string, LogFrame>> = {
  'docker logs -t': clocked((second) => `2026-09-21T11:13:${second}.6${second}000000Z `),
  'docker compose logs -t': clocked((second) => `web-1  | 2026-09-21T11:13:${second}.600000000Z `),
  'pm2 with a time': clocked((second) => `0|web  | 2026-09-21T11:13:${second}: `),
  'kubectl --prefix': (line, stream) => [`[pod/web-7d9f8b-${stream}/web] ${line}`],
  stern: (line, stream) => [`web-7d9f8b-x${stream} web ${line}`],
  'stern, colored': (line, stream) => [`\x1b[32mweb-${stream}\x1b[0m \x1b[36mweb\x1b[0m ${line}`],
  ts: clocked((second) => `Sep 21 11:13:${second} `),
  'journalctl -o short-precise': clocked((second) => `Sep 21 11:13:${second}.000123 host web[7]: `),
  'GitHub Actions': clocked((second) => `2026-09-21T11:13:${second}.1234567Z `),
  'grep -n': clocked((second) => `${second}:`),
  'grep of files, with the lines around': clocked((second) => {
    const by = Number(second) % 7 === 0 ? ':' : '-';
    return `web.log${by}1${second}${by}`;
  }),
  level: (line) => [`INFO  ${line}`],
  Laravel: clocked((second) => `[2026-09-21 11:13:${second}] local.INFO: `),
  'Docker’s file of what ts wrote': (line, stream) => docker(16_384)(`Sep 21 11:13:20 ${line}`, stream),
};

/** How the lines of a value over several are kept with something behind each of them, or in another order. */
export type LinesFrame = (lines: readonly string[]) => string[];

function padded(lines: readonly string[], end: string): string[] {
  const width = Math.max(...lines.map((line) => Array.from(line).length));
  return lines.map((line) => line + ' '.repeat(width - Array.from(line).length) + end);
}

/** A cell of psql's: each line but the last goes on. */
function cell(lines: readonly string[], first: string, end = ''): string[] {
  const before = first.replace(/[^|│]/g, ' ');
  const rows = [...padded(lines.slice(0, -1), `+${end}`), ...padded(lines.slice(-1), end.replace('|', ' |'))];
  return rows.map((row, i) => (i === 0 ? first : before) + row);
}

/** As psql prints a cell, in its tables and its records (`\x`). */
export const PSQL_CELLS: Readonly<Record<string, LinesFrame>> = {
  'a record': (lines) => [
    '-[ RECORD 1 ]------',
    'id      | 1',
    ...cell(lines, 'payload | '),
    'at      | now',
  ],
  'a table': (lines) => [' id | payload', '----+--------', ...cell(lines, '  1 | '), '(1 row)', ''],
  'a table with a column behind': (lines) => cell(lines, '  1 | ', '|'),
  'a table of one column': (lines) => [' payload', '---------', ...cell(lines, ' ')],
  'a table with lines': (lines) => cell(lines, ' é │ '),
};

/** Something behind each line that no value has. */
export const SUFFIXED_LINES: Readonly<Record<string, LinesFrame>> = {
  'a time': (lines) => padded(lines, '   2026-09-21T11:13:20Z'),
  'a time in brackets, behind words': (lines) => lines.map((line) => `web ${line} [2026-09-21 11:13:20]`),
  'a box': (lines) => padded(lines, ' │').map((line) => `│ ${line}`),
  'a box of ASCII': (lines) => padded(lines, ' |').map((line) => `| ${line}`),
  'a border of psql': (lines) => padded(lines, '+|').map((line) => `| 1 | ${line}`),
  'a backslash': (lines) => lines.map((line, i) => (i < lines.length - 1 ? `${line} \\` : line)),
  'a line end of CMD': (lines) => lines.map((line) => `${line} ^`),
  'texts of JavaScript': (lines) =>
    lines.map((line) => `log '${line.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}\\n' +`),
  'texts of Python': (lines) =>
    lines.map((line) => `INFO '${line.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`),
  'the newest first': (lines) =>
    lines.map((line) => `2026-09-21T11:13:20Z {app="w", pod="p-1"} ${line}`).reverse(),
  'the newest first, behind a time': (lines) => lines.map((line) => `2026-09-21T11:13:20Z ${line}`).reverse(),
};
