import { Argument, type Command } from 'commander';
import type { LogSelection, ReplayOptions } from '../../commands/replay/options.js';
import type { ProgressEvent } from '../../context.js';
import { isAbsolutePath } from '../../model/recorded-command.js';
import type { RunResult } from '../../model/run-result.js';
import { ConfigError, EXIT } from '../../model/errors.js';
import { appSecretFile, readAppSecrets, withSecretPath } from '../app-secrets.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { nothingPiped } from '../environment.js';
import { exitCodeOf } from '../exit.js';
import { integer, moment, size, text, toggle } from '../flags/kinds.js';
import * as shared from '../flags/shared.js';
import {
  contradiction,
  group,
  instant,
  readFlags,
  rejectEmptyWindow,
  type Line,
  type Reading,
} from '../flags/table.js';
import { findLogs, passedOverInArchive } from '../log-inputs.js';
import { problemsIn } from '../views/problems.js';
import { nextSteps } from '../views/replay-next.js';
import { presentRun } from '../views/replay.js';
import { typedAgain } from '../typed-again.js';

/** Accepted inputs: pages that link here rely on the list. */
const LOG_FORMS =
  'Reads NDJSON, single bodies and arrays, CSV exports, SQL dumps (COPY, INSERT), console logs, and what ' +
  'Docker, Kubernetes, journald, Heroku, syslog, CloudWatch, Loki, Elasticsearch, nginx, Rails, Sidekiq, ' +
  'n8n, Hookdeck, webhook.site, HAR, SQS, RabbitMQ, Kafka, MongoDB and other programs keep of a webhook, ' +
  'plain, gzip, zstd, zip or tar; with --connection also WhatsApp-Chat-Exporter’s JSON and the databases of ' +
  'wacli and of an iPhone.';

const FLAGS = {
  ...group('Which stored entries (without a path):', {
    all: toggle('all entries, whatever their status'),
    failed: toggle('failed entries as well as pending ones'),
    since: moment('received at or after: 2026-11-03, 36h, 2d, 3w, yesterday'),
    until: moment('received before'),
    tz: shared.dateZone(),
    field: text('field', 'with this webhook field: messages, history, …', 'a webhook field'),
    contact: text('contact', 'about this contact: phone, JID, LID, BSUID', 'a contact'),
  }),
  ...group('How:', {
    connection: shared.connection('only this connection; also for entries that name none'),
    register: shared.register(),
    tickets: shared.tickets(),
    include: shared.include(),
    appSecretFile: appSecretFile(),
    dryRun: shared.dryRun('write nothing; show what would change'),
  }),
  ...group('When something is wrong:', {
    strict: toggle('stop at the first problem'),
    maxErrors: integer(0, Number.MAX_SAFE_INTEGER, 'stop after this many problems'),
    maxEntrySize: size('skip larger entries').default('16MB'),
  }),
  ...group('Rarely needed:', {
    batchSize: integer(1, 100_000, 'messages per transaction (default: 1000, then up to 4000)'),
    noResume: toggle('start over instead of resuming an interrupted run'),
    as: shared.actor(),
  }),
};

/** Flags that select stored entries, and mean nothing for a file. */
const SELECTING = ['all', 'failed', 'since', 'until', 'field', 'contact'] as const;

export function registerReplay(parent: Command, attach: Attach): void {
  const command = parent
    .command('replay')
    .addArgument(
      new Argument(
        '[path...]',
        'files, directories, patterns or - (stdin); default: stored entries that are pending',
      ),
    );
  describe(command, {
    flags: FLAGS,
    summary: 'Replay stored webhook logs into leads, conversations, messages and tickets.',
    details:
      `${LOG_FORMS} inspect says what a file is. Every entry ` +
      'is stored, and every item in it is created, updated, unchanged, skipped or rejected ' +
      'with a reason. Replaying the same entries again, in any order, changes nothing. ' +
      'Rerun the same command to resume an interrupted run.',
    examples: [
      [
        'wa-reconcile replay webhooks.ndjson.gz --register',
        'replay a log and create the connections it names',
      ],
      ['wa-reconcile replay logs/ --dry-run', 'show what a directory of logs would change'],
      [
        'zcat /var/log/hooks/*.gz | wa-reconcile replay - --json',
        'read from a pipe, print the result as JSON',
      ],
      ['wa-reconcile replay', 'replay pending entries, for example after adding a connection'],
      [
        'wa-reconcile replay --since yesterday --contact +5511912345678',
        'replay part of the stored log again',
      ],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'everything is in the database',
      [EXIT.partial]: 'partial: some items were rejected, in an unknown format or left pending',
      [EXIT.interrupted]: 'interrupted; rerun to resume',
    },
  });
  attach(command, replayCommand);
}

async function replayCommand(call: Call): Promise<Outcome> {
  const [{ withContext }, { showReplay }] = await Promise.all([
    import('../session.js'),
    import('../../commands/replay/show-replay.js'),
  ]);
  const paths = call.args;
  const settings = readReplayFlags(paths, call);
  const fromLog = paths.length === 0;
  const options = await readOptions(call, settings, paths);
  if (fromLog) call.notice(describeSelection(settings));
  const outcomeOf = (result: RunResult): Outcome => {
    const next = nextSteps(result, {
      argv: call.argv,
      from: fromLog ? 'log' : paths.includes('-') ? 'stdin' : 'files',
      register: settings.values.register,
      paths,
    });
    const nothingRead = fromLog ? describeNoEntries(settings) : undefined;
    return { presentation: presentRun(result, next, nothingRead), exitCode: exitCodeOf(result.status) };
  };
  const result = await withContext(
    call,
    // Stored entries are replayed only if some exist: a lost DATABASE_URL must not look like an empty log.
    {
      command: 'replay',
      lock: 'shared',
      interruptible: options.dryRun ? 'rehearsal' : 'batches',
      creates: !fromLog,
      actor: settings.values.as,
      appSecrets: readAppSecrets(call, settings.values.appSecretFile, settings.origin('appSecretFile')),
    },
    async (ctx) => {
      const committed = { any: false };
      const emit = (event: ProgressEvent): void => {
        committed.any ||= event.event === 'progress' && event.entries > 0;
        ctx.emit(event);
      };
      try {
        return await showReplay({ ...ctx, emit }, options, (found) =>
          call.isSilent(outcomeOf(found)) ? [] : problemsIn(call.settings.format, found),
        );
      } catch (error) {
        // A new database that stayed empty is removed again.
        if (!(error instanceof ConfigError) && !options.dryRun && committed.any) {
          const again = call.look.line(typedAgain(call.argv, 'resumes the run'));
          call.notice(`Everything up to this point is stored. To resume: ${again}`);
        }
        throw error;
      }
    },
  );
  return outcomeOf(result);
}

/** What to replay and how, free of contradictions. */
export interface ReplayFlags extends Reading<typeof FLAGS> {
  /** The default without a path. */
  selection: LogSelection;
}

/** Throws ConfigError for invalid or contradictory options. */
export function readReplayFlags(paths: readonly string[], line: Line): ReplayFlags {
  const reading = readFlags(FLAGS, line);
  rejectContradictions(paths, reading);
  rejectEmptyWindow(reading, 'since', 'until');
  const { since, until, field, contact } = reading.values;
  return { ...reading, selection: { which: whichEntries(reading.values), since, until, field, contact } };
}

function rejectContradictions(paths: readonly string[], { values, origin }: Reading<typeof FLAGS>): void {
  const given = SELECTING.filter((key) => values[key] !== undefined && values[key] !== false);
  if (paths.length > 0 && given.length > 0) {
    throw contradiction(
      `${given.map((key) => origin(key).place).join(', ')}: this selects stored entries and does not apply to the ${paths.length === 1 ? 'path' : 'paths'} given.`,
      'Replay the files first, then select stored entries without a path. (--connection, --register, --tickets and --include apply to both.)',
    );
  }
  if (values.all && values.failed) {
    throw contradiction(
      `${origin('all').place} and ${origin('failed').place} contradict each other.`,
      '--failed selects pending and failed entries, --all selects every entry. Give one of them.',
    );
  }
  if (values.strict && values.maxErrors !== undefined && values.maxErrors > 0) {
    throw contradiction(
      `${origin('strict').place} and ${origin('maxErrors').place} contradict each other.`,
      '--strict stops at the first problem, --max-errors N after N of them. Give one of them.',
    );
  }
}

/** A window, a field or a contact selects any part of the log again; otherwise only unfinished entries are taken. */
function whichEntries({ all, failed, since, until, field, contact }: ReplayFlags['values']) {
  if (failed) return 'failed';
  return all || [since, until, field, contact].some((value) => value !== undefined) ? 'all' : 'pending';
}

async function readOptions(call: Call, flags: ReplayFlags, paths: readonly string[]): Promise<ReplayOptions> {
  const { values, recorded } = flags;
  return {
    input: await readInput(call, flags, paths),
    connection: values.connection,
    register: values.register,
    tickets: values.tickets,
    include: new Set(values.include),
    dryRun: values.dryRun,
    strict: values.strict,
    maxErrors: values.maxErrors,
    batchSize: values.batchSize,
    resume: !values.noResume,
    recordedOptions: {
      ...withSecretPath(shared.withoutActor(recorded), call),
      ...pathsOf(paths, call.io.cwd),
    },
  };
}

/** The paths, and where those begin that lead nowhere from elsewhere. */
function pathsOf(paths: readonly string[], cwd: string): Record<string, string | string[]> {
  if (paths.length === 0) return {};
  const isRelative = paths.some((path) => path !== '-' && !isAbsolutePath(path));
  return { paths: [...paths], ...(isRelative ? { directory: cwd } : {}) };
}

/** Resolve paths before opening the database: a mistyped name must not create a new, empty database. */
async function readInput(
  call: Call,
  { selection, values }: ReplayFlags,
  paths: readonly string[],
): Promise<ReplayOptions['input']> {
  const { io, console, helpText } = call;
  if (paths.length === 0) return { kind: 'log', ...selection };
  if (paths.includes('-') && io.stdinIsTTY) {
    console.line(helpText());
    throw nothingPiped('- reads a log', 'Pipe one in, such as the output of zcat hooks.gz, or name a file.');
  }
  return {
    kind: 'paths',
    inputs: await findLogs(call, paths),
    stdin: io.stdin,
    maxEntryBytes: values.maxEntrySize,
    onPassedOver: passedOverInArchive(call),
  };
}

/** The entries a selection takes, in words, for stderr. */
export function describeSelection({ selection, values }: ReplayFlags): string {
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
  const zone = since === undefined && until === undefined ? '' : ` (UTC; dates read in ${values.tz})`;
  return `${parts.join(' ')}${zone}.`;
}

/** Why a selection of stored entries was empty: completes "nothing: …". */
export function describeNoEntries({ selection, values }: ReplayFlags): string {
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
