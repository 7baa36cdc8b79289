/** Keys whose values are words of a program, and say what an entry is. */
const TELLING = new Set([
  'object',
  'event',
  'type',
  'field',
  'messaging_product',
  'messageType',
  'dataType',
  'status',
  'class',
  'wrapped',
  'job_class',
  'method',
]);

const WORD = /^[A-Za-z][\w.:/-]{0,63}$/;
const JSON_PART = /"((?:[^"\\]|\\.)*)("?)(\s*:)?|-?\d[\d.eE+-]*|[^"\d-]+|-/g;

/**
 * What an excerpt of JSON may show of an entry to anybody: its keys, and values that are words of a program. Texts and numbers
 * are left out, because they hold phones, names and messages. Text that is no JSON shows nothing: a line of a log can hold
 * anything.
 */
export function shownExcerpt(excerpt: string): string {
  const text = excerpt.trim();
  if (!text.startsWith('{') && !text.startsWith('[')) return '';
  let shown = '';
  let key = '';
  for (const [part, string, closed, colon] of text.matchAll(JSON_PART)) {
    if (string !== undefined && colon !== undefined) {
      key = string;
      // Maps of phones or JIDs have them as keys.
      shown += `"${/\d{5}|@/.test(key) ? '…' : key}":`;
    } else if (string !== undefined) {
      const tells = closed === '"' && TELLING.has(key) && WORD.test(string) && !/\d{5}/.test(string);
      shown += tells ? part : `"…"`;
    } else if (/^[-\d]/.test(part)) {
      shown += '0';
    } else {
      shown += /^[\s{}[\],:…]*(?:(?:true|false|null)[\s{}[\],…]*)*$/.test(part) ? part : '…';
    }
  }
  return shown;
}
