import { z } from 'zod';
import type { AckOptions, AlertsOptions, Meant } from '../../core/alerts/alerts.js';
import { ConfigError } from '../../model/errors.js';
import type { Environment } from './environment.js';
import { readMoment, readTimeZone } from './moments.js';
import { duration, toggle, word } from './parsers.js';
import { resolveSettings, type GivenFlags } from './resolve.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const LIMITS = {
  connection: word('the name of a connection').optional(),
  historyAfter: duration().default(HOUR),
  silentAfter: duration().optional(),
};
const LIST = z.object({ ...LIMITS, noAudit: toggle() });
const ACK = z.object({
  ...LIMITS,
  until: word('a time').optional(),
  tz: word('a time zone').optional(),
  reason: word().optional(),
});
const UNACK = z.object({ connection: LIMITS.connection });

/** Resolves the settings of `alerts list`. Throws ConfigError. */
export function resolveAlertsSettings(given: GivenFlags, environment: Environment): AlertsOptions {
  const { values } = resolveSettings(LIST, given, environment);
  return { ...limitsOf(values), audit: !values.noAudit };
}

/** Resolves the settings of `alerts ack`. `now` is in ms since 1970. Throws ConfigError. */
export function resolveAckSettings(
  alert: string,
  given: GivenFlags,
  environment: Environment,
  now: number,
): AckOptions {
  const { values, origin } = resolveSettings(ACK, given, environment);
  const timeZone = readTimeZone({ value: values.tz, origin: origin('tz') });
  const until = readUntil(values.until, now, timeZone, origin('until').place);
  return {
    alert,
    ...limitsOf(values),
    ...(until === undefined ? {} : { until }),
    ...(values.reason === undefined ? {} : { reason: values.reason }),
  };
}

/** Resolves the settings of `alerts unack`. Throws ConfigError. */
export function resolveUnackSettings(alert: string, given: GivenFlags, environment: Environment): Meant {
  const { connection } = resolveSettings(UNACK, given, environment).values;
  return { alert, ...(connection === undefined ? {} : { connection }) };
}

function limitsOf({ connection, historyAfter, silentAfter }: z.output<typeof LIST> | z.output<typeof ACK>) {
  return {
    historyMinutes: historyAfter / MINUTE,
    ...(connection === undefined ? {} : { connection }),
    ...(silentAfter === undefined ? {} : { silentHours: silentAfter / HOUR }),
  };
}

/** A time to come: a date, or so long from now. */
function readUntil(
  typed: string | undefined,
  now: number,
  timeZone: string,
  place: string,
): number | undefined {
  if (typed === undefined) return undefined;
  const length = duration().safeParse(typed);
  const until = length.success
    ? now + length.data
    : readMoment({ value: typed, origin: { from: 'flag', place } }, now, timeZone);
  if (until !== undefined && until > now) return until;
  throw new ConfigError(`${place}: '${typed}' is not a time to come.`, {
    remedy: 'Write it like one of: 2026-12-31, 2026-12-31T08:00:00Z, 36h, 14d.',
  });
}
