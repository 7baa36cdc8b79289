import { z } from 'zod';
import { CHECK_NAMES, type CheckName } from '../../core/verify/result.js';
import { ConfigError } from '../../model/errors.js';
import { SEVERITIES, type Severity } from '../../model/severity.js';
import { similarWord } from '../values/similar.js';
import type { Environment } from './environment.js';
import { choice, toggle, word } from './parsers.js';
import { readMoment, readTimeZone } from './moments.js';
import { resolveSettings, saidOf, type GivenFlags } from './resolve.js';

const VERIFY = z.object({
  check: z
    .union([z.array(z.string()), z.string().transform((one) => [one])], 'the name of a check')
    .optional(),
  connection: word('the name of a connection').optional(),
  since: word('a time').optional(),
  tz: word('a time zone').optional(),
  enforce: toggle(),
  items: word('a file name').optional(),
  failOn: choice(SEVERITIES).default('degraded'),
});

/** What to verify, with nothing in it that contradicts itself. */
export interface VerifySettings {
  checks: ReadonlySet<CheckName>;
  connection: string | undefined;
  /** Ms since 1970. */
  since: number | undefined;
  enforce: boolean;
  /** A file name, or `-`. */
  items: string | undefined;
  /** Exit with 3 on findings of this severity, or worse. */
  failOn: Severity;
  /** For sync_runs.options: what differs from saying nothing. */
  recorded: Record<string, string | number | boolean | string[]>;
}

/** Resolves the settings of `verify`. `now` is in ms since 1970, `output` what `-o` says. Throws ConfigError. */
export function resolveVerifySettings(
  given: GivenFlags,
  environment: Environment,
  now: number,
  output: string | undefined,
): VerifySettings {
  const resolved = resolveSettings(VERIFY, given, environment);
  const { values, origin } = resolved;
  const { connection, enforce, items } = values;
  if (items === '-' && (output === undefined || output === '-')) {
    throw new ConfigError(`${origin('items').place} -: stdout is taken by the result.`, {
      remedy: 'Send the result elsewhere with -o FILE, or name a file for the items.',
      code: 'contradiction',
    });
  }
  if (items !== undefined && items !== '-' && items === output) {
    throw new ConfigError(`${origin('items').place} and -o name the same file.`, {
      remedy: 'Name two.',
      code: 'contradiction',
    });
  }
  const timeZone = readTimeZone({ value: values.tz, origin: origin('tz') });
  const since = readMoment({ value: values.since, origin: origin('since') }, now, timeZone);
  return {
    checks: readChecks(values.check, origin('check').place),
    connection,
    since,
    enforce,
    items,
    failOn: values.failOn,
    recorded: saidOf(values),
  };
}

/** All checks, or those that are named: repeated, or separated by commas; `-` for `_` will do. */
function readChecks(given: readonly string[] | undefined, place: string): Set<CheckName> {
  const typed = (given ?? [])
    .flatMap((one) => one.split(','))
    .map((one) => one.trim())
    .filter((one) => one !== '');
  if (typed.length === 0) return new Set(CHECK_NAMES);
  return new Set(typed.map((one) => readCheck(one, place)));
}

function readCheck(typed: string, place: string): CheckName {
  const word = typed.toLowerCase().replaceAll('-', '_');
  const name = CHECK_NAMES.find((candidate) => candidate === word);
  if (name !== undefined) return name;
  const meant = similarWord(word, CHECK_NAMES);
  throw new ConfigError(`${place}: there is no check '${typed}'.`, {
    remedy: `${meant === undefined ? '' : `Did you mean ${meant}? `}There are: ${CHECK_NAMES.join(', ')}.`,
    code: 'unknown_check',
  });
}
