import { Option, type Command } from 'commander';
import { SEVERITIES, type Severity } from '../model/severity.js';
import { FORMATS } from './render/formats.js';
import type { GivenFlags } from './settings/resolve.js';

/** Heading of the options that every command has. */
export const GLOBAL_GROUP = 'Global options:';

/**
 * The options that every command has, wherever they stand on the line. None has a default here: a default would look
 * like a typed flag and beat the environment; defaults belong to the settings.
 */
export function globalOptions(): Option[] {
  return [
    new Option('--json', 'same as --format json'),
    new Option('--format <format>', 'table (default), json, ndjson, csv or markdown').choices(FORMATS),
    new Option('-o, --output <file>', 'write the result to a file; - is stdout'),
    new Option('-q, --quiet', 'no progress and no notices; errors only'),
    new Option('-v, --verbose', 'say more on stderr; twice for everything').argParser(increase),
    new Option('--debug', 'show the stack of an error'),
    new Option('--no-color', 'no colour (NO_COLOR and TERM=dumb do the same)'),
    new Option('--no-input', 'never ask; fail instead'),
    new Option('-y, --yes', 'confirm what would be asked'),
    new Option('--lock-wait <duration>', 'wait so long for another run to end (default: 0)'),
    new Option('--events', 'progress as NDJSON on stderr'),
    new Option('--home <dir>', 'where the embedded database lies'),
    new Option('--database-url-file <file>', 'read the database URL from a file'),
    new Option('--direct-database-url-file <file>', 'its URL past a pooler, from a file'),
  ].map((option) => option.helpGroup(GLOBAL_GROUP));
}

function increase(_value: string, before: unknown): number {
  return (typeof before === 'number' ? before : 0) + 1;
}

/** Collects a flag that may be given several times. */
export function collect(value: string, before: unknown): unknown[] {
  const earlier: unknown[] = Array.isArray(before) ? before : [];
  return [...earlier, value];
}

/** The flags that were typed for `command`, before or after its name. */
export function givenFlags(command: Command): GivenFlags {
  const given = new Map<string, unknown>();
  for (let level: Command | null = command; level !== null; level = level.parent) {
    for (const option of level.options) {
      const name = option.attributeName();
      if (level.getOptionValueSource(name) !== 'cli') continue;
      const value: unknown = option.negate ? true : level.getOptionValue(name);
      const key = option.negate ? `no${name.charAt(0).toUpperCase()}${name.slice(1)}` : name;
      const other = given.get(key);
      // `-v replay -nv`: the first stands on the program, the second on the command.
      if (typeof other === 'number' && typeof value === 'number') given.set(key, other + value);
      else if (other === undefined) given.set(key, value);
    }
  }
  return given;
}

/**
 * What can be told from the raw arguments before they are understood: how to print an error about the arguments
 * themselves, and whether only the version is wanted.
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

/** `--fail-on` of the commands that find alerts or findings. */
export function failOnOption(byDefault: Severity): Option {
  return new Option(
    '--fail-on <severity>',
    `exit with 3 on loss, degraded or note, and on worse (default: ${byDefault})`,
  ).choices(SEVERITIES);
}
