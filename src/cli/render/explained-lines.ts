import type { JournalNote } from '../../core/explain/result.js';
import { clock } from './explained-facts.js';
import type { Look } from './look.js';
import { sanitize } from './sanitize.js';

const INDENT = '  ';

/** A titled list of named values; what is empty is left out. Values are sanitised here. */
export function fieldLines(
  title: string,
  fields: readonly (readonly [name: string, value: string])[],
  look: Look,
): string {
  const shown = fields.filter(([, value]) => value !== '');
  const width = Math.max(...shown.map(([name]) => name.length)) + 2;
  return [
    look.bold(title),
    ...shown.map(([name, value]) => `${INDENT}${look.dim(name.padEnd(width))}${sanitize(value)}`),
  ].join('\n');
}

/** Merges and dedupes, one line each. */
export function journalSection(title: string, journal: readonly JournalNote[], look: Look): string {
  if (journal.length === 0) return '';
  return [
    look.bold(title),
    ...journal.map(({ at, command, table, what, was, runId, rowId }) => {
      const row = `${table === 'leads' ? 'lead' : 'row'} ${rowId ?? ''}`;
      const subject = was === null ? row : `${was} (${row})`;
      return `${INDENT}${look.dim(clock(at))}  ${sanitize(`${subject} ${what}`)}  ${look.dim(sanitize(`${command ?? 'run'} ${runId}`))}`;
    }),
  ].join('\n');
}
