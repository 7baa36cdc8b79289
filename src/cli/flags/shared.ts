import { GRAPH_VERSION } from '../../commands/graph/place.js';
import { alertLimitsOf, type AlertLimits } from '../../commands/report/types.js';
import { INCLUDABLE_CHATS, PRUNE_CLASSES, SEVERITIES, type Severity } from '../../model/enumerations.js';
import type { ConfigError } from '../../model/errors.js';
import { choice, choices, duration, flag, integer, text, toggle, zone } from './kinds.js';
import { lookUp } from '../environment.js';
import { environmentName } from './flag.js';
import { contradiction, type Line, type Origin, type Recorded } from './table.js';

/** Flags that mean the same in several commands. */

export const connection = (help = 'only this connection') =>
  text('name', help, 'the name of a connection').completes('connections');

export const organization = () =>
  text('slug', 'the organization', 'an organization').otherwise('any; `default` for a new one');

/** Who looks at messages, where the operating system's user says too little. */
export const actor = () =>
  flag(
    'name',
    'the name to record in the access log',
    `a name of at most ${LONGEST_NAME} characters`,
    (raw) => {
      const name = typeof raw === 'string' ? raw.trim() : '';
      return name === '' || name.length > LONGEST_NAME ? undefined : name;
    },
  );

/** It stands in every row of a table. */
const LONGEST_NAME = 200;

/** What a run puts on record of its flags: who looks stands in the access log. */
export function withoutActor(recorded: Recorded): Recorded {
  return Object.fromEntries(Object.entries(recorded).filter(([key]) => key !== 'as'));
}

/** For a command whose `--as` means something else. */
export function actorInEnvironment({ environment }: Pick<Line, 'environment'>): string | undefined {
  return lookUp(environmentName('as'), environment)?.value;
}

export const dateZone = () => zone('the zone of dates without one');

export const dryRun = (help: string) => toggle(help).short('n');

export const batchSize = (what: 'messages' | 'rows') =>
  integer(1, 100_000, `${what} per transaction`).default('1000');

export const register = () => toggle('create unknown connections that entries name');

export const tickets = () =>
  choice('mode', ['auto', 'none'], 'auto: for live messages; or none').default('auto');

export const include = () =>
  choices('kinds', INCLUDABLE_CHATS, `also import these chats: ${INCLUDABLE_CHATS.join(', ')}`);

export const failOn = (byDefault: Severity) =>
  choice('severity', SEVERITIES, 'exit with 3 on loss, degraded or note, and on worse').default(byDefault);

/** What retention is about: the chats that nobody imports, unless more is named. */
export const pruneClasses = (help: string) =>
  choices('classes', PRUNE_CLASSES, help, { mayBeNone: false }).default('status,group,newsletter');

/** The error for two flags that contradict each other. */
export function applyAndDryRun(origin: (key: 'apply' | 'dryRun') => Origin, applying: string): ConfigError {
  return contradiction(
    `${origin('apply').place} and ${origin('dryRun').place} contradict each other.`,
    `${applying}, --dry-run writes nothing. Give one of them.`,
  );
}

/** When alerts about a connection are raised. */
export const alertLimits = () => ({
  historyAfter: duration('alert when no history has arrived this long after onboarding').default('60m'),
  silentAfter: duration('alert when no live event has arrived for this long').otherwise(
    'learned per connection',
  ),
});

/** The limits as a use-case takes them. */
export function limitsOf(values: { historyAfter: number; silentAfter: number | undefined }): AlertLimits {
  return alertLimitsOf(values.historyAfter, values.silentAfter);
}

/** Which Graph API is asked: Meta supports the default until 29 July 2028. */
export const graphVersion = () =>
  flag('version', 'which version of the Graph API to ask', 'a version such as v25.0', (raw) =>
    typeof raw === 'string' && /^v\d{1,3}\.\d{1,2}$/.test(raw.trim()) ? raw.trim() : undefined,
  ).default(GRAPH_VERSION);
