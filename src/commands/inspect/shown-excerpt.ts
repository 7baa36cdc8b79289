/** Keys with program-defined values that identify an entry. */
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
 * The parts of a JSON entry that are safe to show to anyone: its keys, and program-defined values. Omits texts and
 * numbers, because they hold phones, names and messages. Shows nothing of non-JSON text: a log line can hold anything.
 */
export function shownExcerpt(excerpt: string): string {
  const text = excerpt.trim();
  if (!text.startsWith('{') && !text.startsWith('[')) return '';
  let shown = '';
  let key = '';
  for (const [part, string, closed, colon] of text.matchAll(JSON_PART)) {
    if (string !== undefined && colon !== undefined) {
      key = string;
      // Maps keyed by phone or JID expose them in their keys.
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
