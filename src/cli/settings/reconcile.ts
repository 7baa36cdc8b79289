import { z } from 'zod';
import type { ReconcileOptions } from '../../core/reconcile/options.js';
import { INCLUDABLE_CHATS } from '../../model/enumerations.js';
import { ConfigError } from '../../model/errors.js';
import { SEVERITIES, type Severity } from '../../model/severity.js';
import type { Environment } from './environment.js';
import { readTimeZone } from './moments.js';
import { choice, choices, duration, number, toggle, word } from './parsers.js';
import { resolveSettings, saidOf, type GivenFlags } from './resolve.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const RECONCILE = z.object({
  full: toggle(),
  apply: toggle(),
  dryRun: toggle(),
  register: toggle(),
  tickets: choice(['auto', 'none']).default('auto'),
  include: choices(INCLUDABLE_CHATS).default([]),
  historyAfter: duration().default(HOUR),
  silentAfter: duration().optional(),
  tz: word('a time zone').optional(),
  batchSize: number(1, 100_000).default(1000),
  failOn: choice(SEVERITIES).default('degraded'),
});

export interface ReconcileSettings {
  options: ReconcileOptions;
  /** Exit with 3 on unacknowledged alerts of this severity, or worse. */
  failOn: Severity;
}

/** Resolves the settings of `reconcile`. Throws ConfigError for what is wrong or contradictory. */
export function resolveReconcileSettings(given: GivenFlags, environment: Environment): ReconcileSettings {
  const { values, origin } = resolveSettings(RECONCILE, given, environment);
  if (values.apply && values.dryRun) {
    throw new ConfigError(`${origin('apply').place} and ${origin('dryRun').place} contradict each other.`, {
      remedy: '--apply merges doubles, --dry-run writes nothing. Give one of them.',
      code: 'contradiction',
    });
  }
  const options: ReconcileOptions = {
    full: values.full,
    apply: values.apply,
    dryRun: values.dryRun,
    register: values.register,
    tickets: values.tickets,
    include: new Set(values.include),
    batchSize: values.batchSize,
    historyMinutes: values.historyAfter / MINUTE,
    ...(values.silentAfter === undefined ? {} : { silentHours: values.silentAfter / HOUR }),
    timeZone: readTimeZone({ value: values.tz, origin: origin('tz') }),
    recordedOptions: saidOf(values),
  };
  return { options, failOn: values.failOn };
}
