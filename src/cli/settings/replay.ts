import { z } from 'zod';
import type { LogSelection } from '../../core/replay/options.js';
import { INCLUDABLE_CHATS } from '../../model/enumerations.js';
import { ConfigError } from '../../model/errors.js';
import type { Environment } from './environment.js';
import { instant, readTimeZone, readWindow } from './moments.js';
import { choice, choices, number, size, toggle, word } from './parsers.js';
import { resolveSettings, type GivenFlags, type Resolved } from './resolve.js';

const DEFAULT_BATCH_SIZE = 1000;
const LARGEST_BATCH_SIZE = 100_000;
const DEFAULT_MAX_ENTRY_BYTES = 16 * 1024 * 1024;

const REPLAY = z.object({
  all: toggle(),
  failed: toggle(),
  since: word('a time').optional(),
  until: word('a time').optional(),
  tz: word('a time zone').optional(),
  connection: word('the name of a connection').optional(),
  field: word('a webhook field').optional(),
  contact: word('a contact').optional(),
  register: toggle(),
  tickets: choice(['auto', 'none']).default('auto'),
  include: choices(INCLUDABLE_CHATS).default([]),
  dryRun: toggle(),
  strict: toggle(),
  maxErrors: number(0, Number.MAX_SAFE_INTEGER).optional(),
  batchSize: number(1, LARGEST_BATCH_SIZE).default(DEFAULT_BATCH_SIZE),
  noResume: toggle(),
  maxEntrySize: size().default(DEFAULT_MAX_ENTRY_BYTES),
});

type ReplayValues = z.output<typeof REPLAY>;

/** What to replay and how, with nothing in it that contradicts itself. */
export interface ReplaySettings {
  values: ReplayValues;
  /** Files, directories, patterns, `-`; empty for the stored entries that `selection` takes. */
  paths: readonly string[];
  selection: LogSelection;
  /** Where `since` and `until` were read: for people who want to see what "yesterday" was. */
  timeZone: string;
}

/** Flags that pick stored entries, and mean nothing for a file. */
const SELECTING = ['all', 'failed', 'since', 'until', 'field', 'contact'] as const;

/** Resolves the settings of `replay`. `now` is in ms since 1970. Throws ConfigError for what is wrong or contradictory. */
export function resolveReplaySettings(
  paths: readonly string[],
  given: GivenFlags,
  environment: Environment,
  now: number,
): ReplaySettings {
  const resolved = resolveSettings(REPLAY, given, environment);
  const { values } = resolved;
  rejectContradictions(paths, resolved);
  const timeZone = readTimeZone({ value: values.tz, origin: resolved.origin('tz') });
  return { values, paths, selection: resolveSelection(resolved, now, timeZone), timeZone };
}

function rejectContradictions(paths: readonly string[], { values, origin }: Resolved<ReplayValues>): void {
  const given = SELECTING.filter((key) => values[key] !== undefined && values[key] !== false);
  const [first] = given;
  if (paths.length > 0 && first !== undefined) {
    throw new ConfigError(
      `${given.map((key) => origin(key).place).join(', ')}: this picks entries that are stored already, and does not apply to ${paths.length === 1 ? 'the path' : 'the paths'} given.`,
      {
        remedy:
          'Replay the files first, without it; then pick from the database, without a path. (--connection, --register, --tickets and --include apply to both.)',
        code: 'contradiction',
      },
    );
  }
  if (values.all && values.failed) {
    throw new ConfigError(`${origin('all').place} and ${origin('failed').place} contradict each other.`, {
      remedy: '--failed takes pending and failed entries, --all takes every one. Give one of them.',
      code: 'contradiction',
    });
  }
  if (values.strict && values.maxErrors !== undefined && values.maxErrors > 0) {
    throw new ConfigError(
      `${origin('strict').place} and ${origin('maxErrors').place} contradict each other.`,
      {
        remedy: '--strict stops at the first problem, --max-errors N after N of them. Give one of them.',
        code: 'contradiction',
      },
    );
  }
}

function resolveSelection(resolved: Resolved<ReplayValues>, now: number, timeZone: string): LogSelection {
  const { values, origin } = resolved;
  const { from: since, to: until } = readWindow(
    { value: values.since, origin: origin('since') },
    { value: values.until, origin: origin('until') },
    now,
    timeZone,
  );
  return {
    which: whichEntries(values),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(values.field === undefined ? {} : { field: values.field }),
    ...(values.contact === undefined ? {} : { contact: values.contact }),
  };
}

/** A window, a field or a contact picks any part of the log again; without one, only what is left to do is taken. */
function whichEntries({ all, failed, since, until, field, contact }: ReplayValues): LogSelection['which'] {
  if (failed) return 'failed';
  return all || [since, until, field, contact].some((value) => value !== undefined) ? 'all' : 'pending';
}

/** What a selection takes, in words, for stderr. */
export function describeSelection({ selection, timeZone, values }: ReplaySettings): string {
  const which = {
    pending: 'pending entries',
    failed: 'pending and failed entries',
    all: 'entries of every status',
  };
  const { since, until, field, contact } = selection;
  const parts = [`Replaying stored ${which[selection.which]}`];
  if (since !== undefined) parts.push(`received from ${instant(since)}`);
  if (until !== undefined) parts.push(`${since === undefined ? 'received ' : ''}before ${instant(until)}`);
  if (field !== undefined) parts.push(`with the field ${field}`);
  if (contact !== undefined) parts.push(`about ${contact}`);
  if (values.connection !== undefined) parts.push(`of the connection ${values.connection}`);
  const zone = since === undefined && until === undefined ? '' : ` (UTC; dates read in ${timeZone})`;
  return `${parts.join(' ')}${zone}.`;
}

/** Why a selection of stored entries turned out empty: completes "nothing: …". */
export function describeNoEntries({ selection, values }: ReplaySettings): string {
  const { which, since, until, field, contact } = selection;
  if ([since, until, field, contact, values.connection].some((part) => part !== undefined)) {
    return 'no stored entry matches';
  }
  switch (which) {
    case 'pending':
      return 'no stored entry is pending';
    case 'failed':
      return 'no stored entry is pending or failed';
    case 'all':
      return 'no entry is stored yet';
  }
}
