import { ConfigError } from '../../model/errors.js';
import { findEntryIds, type DiscardSelection } from '../../store/journal/discards.js';
import type { Sql } from '../../store/sql.js';
import { findRun } from '../runs/find-run.js';
import type { RawDiscardOptions } from './raw-discard.js';

/** An entry's id, or a long enough prefix. */
const PREFIX = /^[0-9a-f-]{8,36}$/;

/** No character above it is special in a regular expression. */
const LAST_ASCII = 0x7f;

/** `:12`, `:12[3]`: the place in a file. */
const PLACE = ':[0-9]+(\\[[0-9]+\\])?';

/**
 * The entries that the options choose. Throws ConfigError for an id or a run that does not match exactly one, and when
 * nothing is chosen.
 */
export async function selectEntries(
  sql: Sql,
  { entries, origin, run }: Pick<RawDiscardOptions, 'entries' | 'origin' | 'run'>,
): Promise<DiscardSelection> {
  if (entries.length === 0 && origin === undefined && run === undefined) {
    throw new ConfigError('No entries are selected.', {
      code: 'nothing_chosen',
      remedy: 'Name entries (log:ID), or give --origin PATH or --run RUN.',
    });
  }
  const ids: string[] = [];
  for (const typed of entries) ids.push(await entryId(sql, typed));
  return {
    ids: entries.length === 0 ? null : ids,
    origin: origin === undefined ? null : originPattern(origin),
    runId: run === undefined ? null : (await findRun(sql, run)).id,
  };
}

async function entryId(sql: Sql, typed: string): Promise<string> {
  const prefix = typed.replace(/^log:/, '').toLowerCase();
  const found = PREFIX.test(prefix) ? await findEntryIds(sql, prefix) : [];
  const [id, second] = found;
  if (id === undefined) {
    throw new ConfigError(`There is no raw entry '${typed}'.`, {
      code: 'unknown_entry',
      remedy: 'Give its id as explain and report write it: log:0199f2a4-… (at least eight characters).',
    });
  }
  if (second !== undefined) {
    throw new ConfigError(`Several raw entries begin with '${typed}'.`, {
      code: 'ambiguous_entry',
      remedy: 'Give more of the id.',
    });
  }
  return id;
}

/**
 * A file, everything below a directory, or one place `file:line`, as a regular expression over `file:line`. `*` and `?`
 * stand for characters of one name, `**` for any number of directories. Never matches part of a name: `pg` is not
 * `pg-pool`.
 */
export function originPattern(typed: string): string {
  const path = typed.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
  const pattern = path.replace(/\*\*\/?|[^\w\s/]/g, (found) => {
    switch (found) {
      case '**/':
        return '(.*/)?';
      case '**':
        return '.*';
      case '*':
        return '[^/]*';
      case '?':
        return '[^/]';
      default:
        return found.charCodeAt(0) > LAST_ASCII ? found : `\\${found}`;
    }
  });
  return `^(\\./)?${pattern}(/.*)?(${PLACE})?$`;
}
