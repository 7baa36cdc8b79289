import { valueAt } from './find-values.js';
import { isEscaped } from './quotes.js';

/**
 * The rest of a JSON text whose beginning is missing: of a log that was rotated, or read with `tail -c`. What is escaped in it stands in
 * one of its strings, and is a person's words: with one level of escapes less, it would become a webhook (rule E1).
 */

/** `"},"field":`: a string ends, and what it is in; a member follows. */
const ENDS_BEFORE_MEMBER =
  /(?<=(?:^|[^\\])(?:\\\\){0,50})"\s*[}\]][}\]\s]{0,200},\s*"(?:[^"\\]|\\.){1,200}"\s*:/;
/** `HBgN","timestamp":`, `body":"`: the first quote of the text ends a string. */
const ENDS_STRING =
  /^(?:[^"\\]|\\.)*"\s*(?:,\s*"(?:[^"\\]|\\.){1,200}"\s*:|:\s*(?:["{[\d-]|(?:true|false|null)\b))/s;
/** All before the first quote that is not escaped. */
const BEFORE_QUOTE = /^(?:[^"\\]|\\.)*(?=")/s;
/** The quotes of a cell of CSV: the text of JSON has none beside a bracket that begins a value. */
const DOUBLED = /[{[]\s*""\w/;
const TOKENS = /["{}[\]]/g;
/** A log's words before its JSON are shorter. */
const LONGEST_PREFIX = 8_000;

/** Whether a text is the rest of JSON whose beginning is missing, perhaps behind the words of a log. */
export function isRestOfJson(text: string): boolean {
  if (!text.includes('"') || DOUBLED.test(text)) return false;
  const head = text.slice(0, LONGEST_PREFIX);
  return ENDS_STRING.test(head) || isEndOfText(head) || closesMore(text);
}

/** Whether the only quote of a text ends it, and others in it are escaped: `{\"object\":…} fim",`. */
function isEndOfText(text: string): boolean {
  const [inside] = BEFORE_QUOTE.exec(text) ?? [];
  return inside?.includes('\\"') === true && /^"\s*,?\s*$/.test(text.slice(inside.length));
}

/** Whether the words around the values of a text close more brackets than they open, behind a string or a value. */
function closesMore(text: string): boolean {
  let open = 0;
  /** Where the words begin. */
  let from = 0;
  /** Where the last string, value or bracket ends. */
  let end = -1;
  let failures = 0;
  TOKENS.lastIndex = 0;
  for (let match = TOKENS.exec(text); match !== null; match = TOKENS.exec(text)) {
    const [token] = match;
    const at = match.index;
    if (token === '"') {
      if (!isEscaped(text, at)) end = at + 1;
    } else if (token === '{' || token === '[') {
      // Behind too many brackets that begin nothing, each is one of words.
      const value = failures < MAX_FAILURES ? valueAt(text, at) : undefined;
      if (value === 'cut') return ENDS_BEFORE_MEMBER.test(text.slice(from, at));
      // What another notation leaves open can be in a person's text.
      if (value === undefined || 'partial' in value || value.end <= at + 1) {
        failures++;
        open++;
        continue;
      }
      if (ENDS_BEFORE_MEMBER.test(text.slice(from, at))) return true;
      from = end = TOKENS.lastIndex = value.end;
    } else {
      const isBehindValue = end !== -1 && at - end < LONGEST_GAP && text.slice(end, at).trim() === '';
      if (open > 0) open--;
      else if (isBehindValue && /^[}\]]\s*(?:[}\],]|$)/.test(text.slice(at, at + LONGEST_GAP))) return true;
      if (isBehindValue) end = at + 1;
    }
  }
  return ENDS_BEFORE_MEMBER.test(text.slice(from));
}

const LONGEST_GAP = 80;
const MAX_FAILURES = 200;
