import { z } from 'zod';
import type { ReportOptions } from '../../core/report/options.js';
import { ConfigError } from '../../model/errors.js';
import { SEVERITIES, type Severity } from '../../model/severity.js';
import type { Environment } from './environment.js';
import { readMoment, readTimeZone } from './moments.js';
import { choice, duration, number, toggle, word } from './parsers.js';
import { resolveSettings, type GivenFlags } from './resolve.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** More days than this are no chart any more. */
const MOST_DAYS = 366;
const MOST_RUNS = 1000;

const REPORT = z.object({
  connection: word('the name of a connection').optional(),
  days: number(1, MOST_DAYS).default(14),
  until: word('a time').optional(),
  tz: word('a time zone').optional(),
  runs: number(0, MOST_RUNS).default(10),
  historyAfter: duration().default(HOUR),
  silentAfter: duration().optional(),
  html: word('a file name').optional(),
  noAudit: toggle(),
  failOn: choice(SEVERITIES).default('loss'),
});

export interface ReportSettings {
  options: ReportOptions;
  /** Where the page goes, besides the result: a file name. */
  html: string | undefined;
  /** Exit with 3 on unacknowledged alerts of this severity, or worse. */
  failOn: Severity;
}

/** Resolves the settings of `report`. `now` is in ms since 1970, `output` what `-o` says. Throws ConfigError. */
export function resolveReportSettings(
  given: GivenFlags,
  environment: Environment,
  now: number,
  output: string | undefined,
): ReportSettings {
  const { values, origin } = resolveSettings(REPORT, given, environment);
  const { connection, days, runs, html } = values;
  if (html !== undefined && html !== '-' && html === output) {
    throw new ConfigError(`${origin('html').place} and -o name the same file.`, {
      remedy: 'Name two.',
      code: 'contradiction',
    });
  }
  if (html === '-') {
    throw new ConfigError(`${origin('html').place} -: the page goes to a file, the result to stdout.`, {
      remedy: 'Name a file, for example report.html.',
    });
  }
  const timeZone = readTimeZone({ value: values.tz, origin: origin('tz') });
  const until = readMoment({ value: values.until, origin: origin('until') }, now, timeZone);
  return {
    options: {
      days,
      runs,
      timeZone,
      historyMinutes: values.historyAfter / MINUTE,
      audit: !values.noAudit,
      ...(connection === undefined ? {} : { connection }),
      ...(until === undefined ? {} : { until }),
      ...(values.silentAfter === undefined ? {} : { silentHours: values.silentAfter / HOUR }),
    },
    html,
    failOn: values.failOn,
  };
}
