import { extname } from 'node:path';
import { ConfigError } from '../../model/errors.js';
import { NAMED_FORMATS, type Format, type NamedFormat } from '../ui/formats.js';
import type { FlagOption } from './flag.js';
import { choice, duration, repetitions, text, toggle } from './kinds.js';
import { group, optionsOf, readFlags, type Line, type Origin, type Reading, type Values } from './table.js';

/** Heading of the common flags. */
export const GLOBAL_GROUP = 'Global options:';

const FLAGS = group(GLOBAL_GROUP, {
  json: toggle('same as --format json'),
  format: choice(
    'format',
    NAMED_FORMATS,
    'table, json, ndjson, csv, markdown; report also openmetrics, html; export also html, txt',
  ).otherwise('table'),
  output: text('file', 'write the result to a file; its ending says the format', 'a file name').short('o'),
  quiet: toggle('print only results that need attention').short('q'),
  verbose: repetitions(2, 'more detail on stderr; -vv for all').short('v'),
  debug: toggle('show the stack of an error'),
  noColor: toggle('no color (NO_COLOR and TERM=dumb do the same)'),
  noInput: toggle('never ask; fail instead'),
  yes: toggle('confirm what would be asked').short('y'),
  lockWait: duration('how long to wait for another run to end').default('0'),
  events: toggle('progress as NDJSON on stderr'),
  home: text('dir', 'the directory of the embedded database', 'a directory'),
  databaseUrlFile: text('file', 'read the database URL from a file', 'a file name'),
  directDatabaseUrlFile: text('file', 'read the direct (unpooled) URL from a file', 'a file name'),
});

/** Settings known to every command. */
export interface GlobalSettings extends Omit<Values<typeof FLAGS>, 'json' | 'format'> {
  format: Format;
  /** The result is a page for the browser: `-o report.html`. */
  page: boolean;
  /** The result is a text to read: `--format txt`. */
  plain: boolean;
  origin: Reading<typeof FLAGS>['origin'];
}

/** The options that every command has, wherever they stand on the line. */
export function globalOptions(): FlagOption[] {
  return optionsOf(FLAGS);
}

/** The flags that every command shares. Throws a ConfigError for a wrong value or two that contradict each other. */
export function readGlobalFlags(line: Line): GlobalSettings {
  const reading = readFlags(FLAGS, line);
  return { ...reading.values, ...resolveFormat(reading), origin: reading.origin };
}

const RANK: Record<Origin['from'], number> = { flag: 3, environment: 2, '.env': 1, default: 0 };

/** What the file name implies about its content. */
const BY_ENDING: Readonly<Record<string, NamedFormat>> = {
  '.json': 'json',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.csv': 'csv',
  '.md': 'markdown',
  '.prom': 'openmetrics',
  '.html': 'html',
  '.htm': 'html',
};

/** The ending of `-o` counts unless --json or --format is at least as close. */
function resolveFormat(reading: Reading<typeof FLAGS>): Pick<GlobalSettings, 'format' | 'page' | 'plain'> {
  const { values, origin } = reading;
  const implied = values.output === undefined ? undefined : BY_ENDING[extname(values.output).toLowerCase()];
  const isSaid = values.json || values.format !== undefined;
  const said = Math.max(values.json ? RANK[origin('json').from] : 0, RANK[origin('format').from]);
  if (implied === undefined || (isSaid && said >= RANK[origin('output').from])) {
    return formOf(typedFormat(reading));
  }
  return formOf(implied);
}

function formOf(named: NamedFormat): Pick<GlobalSettings, 'format' | 'page' | 'plain'> {
  switch (named) {
    case 'html':
      return { format: 'table', page: true, plain: false };
    case 'txt':
      return { format: 'table', page: false, plain: true };
    default:
      return { format: named, page: false, plain: false };
  }
}

/** `--json` means `--format json`: the closer of the two wins, and at equal distance they must agree. */
function typedFormat({ values, origin }: Reading<typeof FLAGS>): NamedFormat {
  const { json, format } = values;
  if (!json) return format ?? 'table';
  if (format === undefined || format === 'json') return 'json';
  const [jsonRank, formatRank] = [RANK[origin('json').from], RANK[origin('format').from]];
  if (jsonRank === formatRank) {
    throw new ConfigError(
      `${origin('json').place} and ${origin('format').place} ${format} contradict each other.`,
      { remedy: 'Give one of them.' },
    );
  }
  return jsonRank > formatRank ? 'json' : format;
}

/**
 * What is known from the raw arguments before parsing: how to print an error about the arguments themselves, and
 * whether only the version is requested.
 */
export function peek(argv: readonly string[]): { json: boolean; debug: boolean; version: boolean } {
  const end = argv.indexOf('--');
  const words = end === -1 ? argv : argv.slice(0, end);
  return {
    json:
      words.includes('--json') ||
      words.includes('--format=json') ||
      words.some((word, i) => word === '--format' && words[i + 1] === 'json'),
    debug: words.includes('--debug'),
    version: words.includes('--version') || words.includes('-V'),
  };
}
