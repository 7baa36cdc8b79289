import { z } from 'zod';
import { ConfigError } from '../../model/errors.js';
import { FORMATS, type Format } from '../render/formats.js';
import type { Environment } from './environment.js';
import { choice, duration, repetitions, toggle, word } from './parsers.js';
import { resolveSettings, type GivenFlags, type Origin, type Resolved } from './resolve.js';

const GLOBAL = z.object({
  json: toggle(),
  format: choice(FORMATS).optional(),
  output: word('a file name').optional(),
  quiet: toggle(),
  verbose: repetitions(2),
  debug: toggle(),
  noColor: toggle(),
  noInput: toggle(),
  yes: toggle(),
  lockWait: duration().default(0),
  events: toggle(),
  home: word('a directory').optional(),
  databaseUrlFile: word('a file name').optional(),
  directDatabaseUrlFile: word('a file name').optional(),
});

type GlobalValues = z.output<typeof GLOBAL>;

/** What every command knows, whatever it does. */
export interface GlobalSettings extends Omit<GlobalValues, 'json' | 'format'> {
  format: Format;
  origin: (key: keyof GlobalValues) => Origin;
}

/** The settings that every command shares. Throws a ConfigError for a wrong value or two that contradict each other. */
export function resolveGlobalSettings(given: GivenFlags, environment: Environment): GlobalSettings {
  const resolved = resolveSettings(GLOBAL, given, environment);
  return { ...resolved.values, format: resolveFormat(resolved), origin: resolved.origin };
}

const RANK: Record<Origin['from'], number> = { flag: 3, environment: 2, '.env': 1, default: 0 };

/** `--json` is another word for `--format json`: the nearer of the two wins, and side by side they must agree. */
function resolveFormat({ values, origin }: Resolved<GlobalValues>): Format {
  const { json, format } = values;
  if (!json) return format ?? 'table';
  if (format === undefined || format === 'json') return 'json';
  const [jsonRank, formatRank] = [RANK[origin('json').from], RANK[origin('format').from]];
  if (jsonRank === formatRank) {
    throw new ConfigError(
      `${origin('json').place} and ${origin('format').place} ${format} contradict each other.`,
      {
        remedy: 'Give one of them.',
      },
    );
  }
  return jsonRank > formatRank ? 'json' : format;
}
