import { z } from 'zod';
import type { ListRunsOptions } from '../../core/runs/read-runs.js';
import type { Environment } from './environment.js';
import { readMoment, readTimeZone } from './moments.js';
import { number, word } from './parsers.js';
import { resolveSettings, type GivenFlags } from './resolve.js';

const LARGEST_LIST = 10_000;

const RUNS = z.object({
  command: word('a command').optional(),
  since: word('a time').optional(),
  tz: word('a time zone').optional(),
  limit: number(1, LARGEST_LIST).default(20),
});

/** Resolves the settings of `runs list`. `now` is in ms since 1970. Throws ConfigError for what is wrong. */
export function resolveRunsSettings(
  given: GivenFlags,
  environment: Environment,
  now: number,
): ListRunsOptions {
  const { values, origin } = resolveSettings(RUNS, given, environment);
  const timeZone = readTimeZone({ value: values.tz, origin: origin('tz') });
  return {
    command: values.command,
    since: readMoment({ value: values.since, origin: origin('since') }, now, timeZone),
    limit: values.limit,
  };
}
