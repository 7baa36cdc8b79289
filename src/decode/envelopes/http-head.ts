/**
 * The head of an HTTP request in program dumps: a request line and headers, after `> ` (curl), indented (mitmproxy),
 * after an address (tcpflow), or with a dot for the carriage return (ngrep). Its signature belongs to the body directly
 * below it.
 */

/** A line's role in a head: the start, a member, a separator before the body, or none. */
export type HeadLine = 'request' | 'header' | 'between' | 'none';

/** Longer lines are not headers. */
export const LONGEST_HEAD_LINE = 16_384;
/** Servers refuse longer heads. */
export const LONGEST_HEAD = 65_536;

const REQUEST =
  /^[>|\s]*(?:[\da-f][\w.:[\]-]{2,100}: )?(?:POST|PUT|PATCH|GET|HEAD|DELETE|OPTIONS) \S+(?: HTTP\/\d(?:\.\d)?\.?)?\s*$/;
const RESPONSE = /^[<|\s]*(?:[\da-f][\w.:[\]-]{2,100}: )?HTTP\/\d(?:\.\d)? \d{3}(?: [^{[]*)?$/;
const HEADER = /^[><|\s]*[A-Za-z][A-Za-z\d_-]{0,79}:(?:[ \t]|\s*$)/;
/** A line without words, curl's remarks, the size of a chunk. */
const BETWEEN = /^[>|.\s]*$|^\* |^[{}] \[\d+ bytes data\]\s*$|^=> Send (?:header|data)\b|^[\da-f]{1,8}\s*$/;

export function headLineOf(line: string): HeadLine {
  if (line.length > LONGEST_HEAD_LINE) return 'none';
  if (REQUEST.test(line) || RESPONSE.test(line)) return 'request';
  if (HEADER.test(line)) return 'header';
  return BETWEEN.test(line) ? 'between' : 'none';
}

/** Whether a line of a head is recognizable as HTTP on its own. */
export function isRequestLine(line: string): boolean {
  return line.includes('HTTP/') && headLineOf(line) === 'request';
}

/** The header in which Meta signs a body, wherever its value leads. */
const SIGNATURE_HEADER = /^[><|\s]*[A-Za-z\d_-]{0,60}hub[-_]?signature(?:[-_]?256)?:/i;

export function isSignatureLine(line: string): boolean {
  return SIGNATURE_HEADER.test(line);
}

/** Whether a text names one of the headers in which Meta signs. */
export function mayHoldSignature(text: string): boolean {
  return /hub.?signature/i.test(text);
}

/** The head of a request and the text below it; undefined if the text does not begin with a head. */
export function splitRequest(text: string): { head: string; body: string } | undefined {
  let isHttp = false;
  for (let at = 0; at < text.length && at <= LONGEST_HEAD;) {
    const newline = text.indexOf('\n', at);
    const line = text.slice(at, newline === -1 ? text.length : newline);
    const kind = headLineOf(line);
    if (kind === 'none') {
      const body = text
        .slice(at)
        .replace(/^[>|\s]+/, '')
        .trimEnd();
      return isHttp && at > 0 ? { head: text.slice(0, at), body } : undefined;
    }
    isHttp ||= isRequestLine(line) || isSignatureLine(line);
    if (newline === -1) return undefined;
    at = newline + 1;
  }
  return undefined;
}

/** What `words` say since the last request began. */
export function sinceLastRequest(words: string): string {
  let from = 0;
  for (let at = 0; at < words.length;) {
    const newline = words.indexOf('\n', at);
    const end = newline === -1 ? words.length : newline;
    if (end - at < 4096 && isRequestLine(words.slice(at, end))) from = at;
    at = end + 1;
  }
  return from === 0 ? words : words.slice(from);
}

/** The size of the body, as its request says it. */
export function contentLengthIn(head: string): number | undefined {
  const [, size] = /^[>|\s]*content-length:\s*(\d{1,12})\.?\s*$/im.exec(head) ?? [];
  return size === undefined ? undefined : Number(size);
}
