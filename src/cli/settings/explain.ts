import { z } from 'zod';
import { EXPLAIN_KINDS, type ExplainOptions } from '../../core/explain/options.js';
import type { Environment } from './environment.js';
import { readMoment, readTimeZone } from './moments.js';
import { choice, number, toggle, word } from './parsers.js';
import { resolveSettings, type GivenFlags } from './resolve.js';

const DEFAULT_LIMIT = 5000;
const HIGHEST_LIMIT = 100_000;

const EXPLAIN = z.object({
  as: choice(EXPLAIN_KINDS).optional(),
  connection: word('the name of a connection').optional(),
  limit: number(1, HIGHEST_LIMIT).default(DEFAULT_LIMIT),
  scan: toggle(),
  since: word('a time').optional(),
  tz: word('a time zone').optional(),
  bodies: toggle(),
});

/** Resolves the settings of `explain`. `now` is in ms since 1970. Throws ConfigError for what is wrong. */
export function resolveExplainSettings(
  subject: string,
  given: GivenFlags,
  environment: Environment,
  now: number,
): ExplainOptions {
  const { values, origin } = resolveSettings(EXPLAIN, given, environment);
  const zone = readTimeZone({ value: values.tz, origin: origin('tz') });
  const since = readMoment({ value: values.since, origin: origin('since') }, now, zone);
  return {
    subject,
    limit: values.limit,
    scan: values.scan,
    bodies: values.bodies,
    ...(values.as === undefined ? {} : { as: values.as }),
    ...(values.connection === undefined ? {} : { connection: values.connection }),
    ...(since === undefined ? {} : { since }),
  };
}
