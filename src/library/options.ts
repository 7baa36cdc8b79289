import { Readable } from 'node:stream';
import type { Logger } from 'pino';
import { z } from 'zod';
import { DUPLICATE_CLASSES } from '../commands/dedupe/result.js';
import { EXPLAIN_KINDS } from '../commands/explain/result.js';
import { IMPORT_PHASES } from '../commands/import/types.js';
import { LISTED_STATES, MEDIA_TYPES } from '../commands/media/types.js';
import { DEFAULT_PAGE_LIMIT, LARGEST_PAGE_LIMIT } from '../commands/messages/result.js';
import { CHECK_NAMES } from '../commands/verify/types.js';
import type { ProgressEvent } from '../context.js';
import { CONNECTION_KINDS, CRM_NAMES, INCLUDABLE_CHATS, PRUNE_CLASSES } from '../model/enumerations.js';
import { ConfigError } from '../model/errors.js';
import { isStorable, readDate } from '../model/moment.js';
import { isTimeZone, localTimeZone } from '../model/time.js';

/** A moment: a Date, milliseconds since 1970, or ISO 8601 with its zone (`2026-11-03T08:00:00Z`). */
export type Moment = Date | number | string;

const MEBIBYTE = 1024 * 1024;

const moment = z
  .custom<Moment>((given) => isStorable(msOf(given)), {
    error:
      'is not a Date, milliseconds since 1970, or a time such as 2026-11-03T08:00:00Z, in the years 1 to 9999',
  })
  .transform(msOf);

/** Milliseconds since 1970; NaN if invalid, as a text without its zone is: it would mean another moment on each machine. */
function msOf(given: unknown): number {
  if (given instanceof Date) return given.getTime();
  if (typeof given === 'number') return given;
  return (typeof given === 'string' ? readDate(given, null) : undefined) ?? Number.NaN;
}

const word = z.string().min(1);
const batchSize = z.int().min(1).max(100_000).default(1000);
const milliseconds = z.number().min(0);
const alertLimits = {
  /** Alerts when a connection has no history this long after onboarding (default 60 minutes). */
  historyAfterMs: milliseconds.default(60 * 60_000),
  /** Alerts when no live event came for this long; absent: by the connection's own rhythm. */
  silentAfterMs: milliseconds.optional(),
};
const chats = {
  /** Creates unknown connections that entries name. */
  register: z.boolean().default(false),
  tickets: z.enum(['auto', 'none']).default('auto'),
  include: z.array(z.enum(INCLUDABLE_CHATS)).default([]),
};
const zone = z
  .string()
  .refine(isTimeZone, { error: 'is not a time zone such as America/Sao_Paulo' })
  .default(localTimeZone);

/** Which files of messages are meant. */
const whichMedia = {
  connection: word.optional(),
  organization: word.optional(),
  contact: z.string().optional(),
  type: z.enum(MEDIA_TYPES).optional(),
  since: moment.optional(),
  until: moment.optional(),
  /** Bytes. An unknown size counts as fitting. */
  minSize: z.int().min(1).optional(),
  maxSize: z.int().min(1).optional(),
};

/**
 * The options of each use-case, with the command line's defaults. An unknown name is an error, so that a misspelled
 * option is not silently ignored.
 */
export const OPTIONS = {
  replay: z.strictObject({
    /** Files, directories or patterns; without one, stored entries are replayed. */
    paths: z.array(word).default([]),
    /** A log to read as from standard input; instead of `paths`. */
    input: z.instanceof(Readable).optional(),
    /** Where relative paths begin (default: the working directory of the process). */
    cwd: word.optional(),
    /** Stored entries of every status; without it those that are pending. */
    all: z.boolean().default(false),
    /** Stored entries that failed, besides the pending ones. */
    failed: z.boolean().default(false),
    since: moment.optional(),
    until: moment.optional(),
    field: word.optional(),
    contact: word.optional(),
    connection: word.optional(),
    ...chats,
    dryRun: z.boolean().default(false),
    /** Stops at the first problem. */
    strict: z.boolean().default(false),
    maxErrors: z.int().min(0).optional(),
    maxEntryBytes: z
      .int()
      .min(1)
      .default(16 * MEBIBYTE),
    /** Messages per transaction; absent: 1000 at first, and up to 4000 while nobody else writes. */
    batchSize: batchSize.unwrap().optional(),
    /** Goes on where a run over the same inputs was stopped. */
    resume: z.boolean().default(true),
  }),
  dedupe: z.strictObject({
    classes: z.array(z.enum(DUPLICATE_CLASSES)).default([...DUPLICATE_CLASSES]),
    connection: word.optional(),
    /** Merges; without it nothing is changed. */
    apply: z.boolean().default(false),
    /** Merges even if more than 5 % of a connection's messages would go. */
    force: z.boolean().default(false),
    batchSize,
  }),
  verify: z.strictObject({
    checks: z.array(z.enum(CHECK_NAMES)).default([...CHECK_NAMES]),
    connection: word.optional(),
    since: moment.optional(),
    enforce: z.boolean().default(false),
  }),
  report: z.strictObject({
    connection: word.optional(),
    days: z.int().min(1).max(366).default(14),
    until: moment.optional(),
    timeZone: zone,
    runs: z.int().min(0).max(1000).default(10),
    /** Also counts the messages of the last 31 days by the hour. */
    hours: z.boolean().default(false),
    /** Compares the whole raw log with the database; otherwise losses are unknown. */
    audit: z.boolean().default(true),
    ...alertLimits,
  }),
  reconcile: z.strictObject({
    full: z.boolean().default(false),
    apply: z.boolean().default(false),
    dryRun: z.boolean().default(false),
    ...chats,
    batchSize,
    timeZone: zone,
    ...alertLimits,
  }),
  readMessages: z.strictObject({
    contact: z.string(),
    limit: z.int().min(1).max(LARGEST_PAGE_LIMIT).default(DEFAULT_PAGE_LIMIT),
    cursor: word.optional(),
    since: moment.optional(),
    until: moment.optional(),
    connection: word.optional(),
    withQuotes: z.boolean().default(false),
  }),
  explain: z.strictObject({
    subject: z.string(),
    as: z.enum(EXPLAIN_KINDS).optional(),
    connection: word.optional(),
    limit: z.int().min(1).max(100_000).default(5000),
    scan: z.boolean().default(false),
    since: moment.optional(),
    bodies: z.boolean().default(false),
  }),
  compare: z.strictObject({
    crm: z.enum(CRM_NAMES),
    /** The CRM's PostgreSQL, which is only read. */
    crmUrl: word.optional(),
    /** Of a `table`: the view or table, `[schema.]name`. */
    crmTable: word.optional(),
    /** Exports of its tables; instead of `crmUrl`. */
    paths: z.array(word).default([]),
    /** Where relative paths begin (default: the working directory of the process). */
    cwd: word.optional(),
    /** Which connection is which instance, inbox or number of the CRM. */
    map: z.array(z.strictObject({ connection: word, crm: word })).default([]),
    connection: word.optional(),
    contact: word.optional(),
    since: moment.optional(),
    until: moment.optional(),
  }),
  backup: z.strictObject({
    /** Only what belongs to this connection, or to this organization. */
    connection: word.optional(),
    organization: word.optional(),
  }),
  checkBackup: word,
  restore: word,
  exportMessages: z.strictObject({
    /** Absent: everybody's. */
    contact: z.string().optional(),
    connection: word.optional(),
    since: moment.optional(),
    until: moment.optional(),
    /** Each connection's conversation on its own; otherwise a contact's are one, in order. */
    separate: z.boolean().default(false),
  }),
  eraseContact: z.strictObject({
    contact: z.string(),
    /** The contact once more. Without it nothing is erased: the plan is returned. */
    confirm: z.string().optional(),
    batchSize,
    /** Takes the deleted rows out of the tables' files; others wait for it. */
    vacuum: z.boolean().default(false),
  }),
  allowErased: word,
  prune: z.strictObject({
    /** Entries received this long ago or longer. */
    olderThanMs: milliseconds,
    classes: z.array(z.enum(PRUNE_CLASSES)).default(['status', 'group', 'newsletter']),
    /** Of account events, keeps all; otherwise the last word about each number and account. */
    keepAlerts: z.boolean().default(true),
    apply: z.boolean().default(false),
    vacuum: z.boolean().default(false),
    batchSize: batchSize.default(10_000),
  }),
  undo: z.strictObject({
    run: word,
    force: z.boolean().default(false),
    dryRun: z.boolean().default(false),
  }),
  listRuns: z.strictObject({
    command: word.optional(),
    since: moment.optional(),
    limit: z.int().min(1).max(10_000).default(20),
  }),
  showRun: word,
  listConnections: z.strictObject({
    organization: word.optional(),
  }),
  addConnection: z.strictObject({
    organization: word.default('default'),
    name: z.string(),
    kind: z.enum(CONNECTION_KINDS),
    phone: z.string().optional(),
    phoneNumberId: z.string().optional(),
    wabaId: z.string().optional(),
  }),
  checkConnections: z.strictObject({
    connection: word.optional(),
    organization: word.optional(),
  }),
  requestHistory: z.strictObject({
    connection: word,
    organization: word.optional(),
    /** The number to request history for. Without it nothing is requested: the plan is returned. */
    confirm: word.optional(),
    /** When the number was connected, if the raw log does not say. */
    onboardedAt: moment.optional(),
    /** Asks again if an earlier request has no known answer. */
    again: z.boolean().default(false),
  }),
  mediaStatus: z.strictObject({
    ...whichMedia,
    /** Lists the files in this state. */
    files: z.enum(LISTED_STATES).optional(),
  }),
  fetchMedia: z.strictObject({
    ...whichMedia,
    /** The directory to keep the files in. */
    to: word,
    concurrency: z.int().min(1).max(16).default(4),
    /** Starts no new file after this many bytes. */
    maxBytes: z.int().min(1).optional(),
    /** Also requests files that were refused, wrong or should be gone. */
    again: z.boolean().default(false),
    dryRun: z.boolean().default(false),
  }),
  importContact: z.strictObject({
    contact: z.string(),
    connection: word.optional(),
    phase: z.enum(IMPORT_PHASES).default('auto'),
    /** Pages to ask the phone for (default 1; with `until` 100). */
    pages: z.int().min(1).max(1000).optional(),
    count: z.int().min(1).max(500).default(50),
    until: moment.optional(),
    timeoutMs: milliseconds.default(20_000),
    pagePauseMs: milliseconds.default(1000),
    force: z.boolean().default(false),
    dryRun: z.boolean().default(false),
    batchSize,
  }),
};

/** The options of `createContext`; what TypeScript allows is narrower. */
export const CONTEXT_OPTIONS = z.strictObject({
  databaseUrl: z.string().optional(),
  directUrl: word.optional(),
  migrate: z.boolean().optional(),
  home: z.string().optional(),
  create: z.boolean().optional(),
  signal: z.instanceof(AbortSignal).optional(),
  logger: z
    .custom<Logger>((given) => typeof given === 'object' && given !== null && 'info' in given, {
      error: 'is not a pino logger',
    })
    .optional(),
  onProgress: z.custom<(event: ProgressEvent) => void>(isFunction, { error: 'is not a function' }).optional(),
  lockWaitMs: milliseconds.default(0),
  actor: word.optional(),
  secretKey: word.optional(),
  clock: z.custom<() => number>(isFunction, { error: 'is not a function' }).default(() => Date.now),
});

function isFunction(given: unknown): boolean {
  return typeof given === 'function';
}

/** The options of a use-case as a caller gives them. */
export type Given<Name extends keyof typeof OPTIONS> = z.input<(typeof OPTIONS)[Name]>;

/** A use-case's options, completed. Throws ConfigError `invalid_option`, naming the option. */
export function readOptions<Schema extends z.ZodType>(
  useCase: string,
  schema: Schema,
  given: z.input<Schema>,
): z.output<Schema> {
  const read = z.safeParse(schema, given);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const where = [useCase, ...(issue?.path ?? [])].map(String).join('.');
  const said = issue?.message ?? 'is not valid';
  throw new ConfigError(`${where}${said.startsWith('is ') ? '' : ':'} ${said}`, { code: 'invalid_option' });
}

/**
 * For sync_runs.options: the request, with moments as times. Uses command-line names, so that a run can be repeated.
 */
export function recordedOf(given: object): Record<string, string | number | boolean | string[]> {
  const recorded: Record<string, string | number | boolean | string[]> = {};
  for (const [key, value] of Object.entries(given)) {
    const kept = recordable(key, value);
    if (kept !== undefined) recorded[key] = kept;
  }
  return recorded;
}

const MOMENTS = new Set(['since', 'until']);

function recordable(key: string, value: unknown): string | number | boolean | string[] | undefined {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(String);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'number') return MOMENTS.has(key) ? new Date(value).toISOString() : value;
  return typeof value === 'string' || value === true ? value : undefined;
}
