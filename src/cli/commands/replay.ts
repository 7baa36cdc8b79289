import { Argument, Option, type Command } from 'commander';
import type { ReplayOptions } from '../../core/replay/options.js';
import { INCLUDABLE_CHATS } from '../../model/enumerations.js';
import { ConfigError, EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { exitCodeOf } from '../exit.js';
import { collect } from '../flags.js';
import { nextSteps } from '../views/replay-next.js';
import { presentRun } from '../views/replay.js';
import { typedAgain } from '../typed-again.js';
import { saidOf } from '../settings/resolve.js';
import type { ReplaySettings } from '../settings/replay.js';

export function registerReplay(parent: Command, attach: Attach): void {
  const command = parent
    .command('replay')
    .addArgument(
      new Argument(
        '[path...]',
        'files, directories, patterns or - (stdin); without one: what is stored and not done',
      ),
    );
  for (const option of options()) command.addOption(option);
  describe(command, {
    summary: 'Replay stored webhook logs into leads, conversations, messages and tickets.',
    details:
      'Reads NDJSON, JSON, CSV exports and console logs, plain, gzip or zstd. Every entry ' +
      'is stored, and every item in it is created, updated, unchanged, skipped or rejected ' +
      'with a reason. Repeating it, in any order, changes nothing. A run that was stopped ' +
      'goes on where it was when the same command is typed again.',
    examples: [
      ['wa-reconcile replay webhooks.ndjson.gz --register', 'a log; connections that it names are created'],
      ['wa-reconcile replay logs/ --dry-run', 'what a directory of logs would change'],
      ['zcat /var/log/hooks/*.gz | wa-reconcile replay - --json', 'from a pipe, the result for a program'],
      ['wa-reconcile replay', 'what is stored and not done, for example after adding a connection'],
      ['wa-reconcile replay --since yesterday --contact +5511912345678', 'a part of what is stored, again'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'everything is in the database',
      [EXIT.partial]: 'partial: something was rejected, not recognised or left pending',
      [EXIT.interrupted]: 'interrupted; the same command goes on',
    },
  });
  attach(command, replayCommand);
}

async function replayCommand(call: Call): Promise<Outcome> {
  const [{ describeNoEntries, describeSelection, resolveReplaySettings }, { withContext }, { replay }] =
    await Promise.all([
      import('../settings/replay.js'),
      import('../session.js'),
      import('../../core/replay/replay.js'),
    ]);
  const settings = resolveReplaySettings(call.args, call.given, call.environment, call.io.clock());
  const fromLog = settings.paths.length === 0;
  const options = await readOptions(call, settings);
  if (fromLog) call.notice(describeSelection(settings));
  const result = await withContext(
    call,
    // Stored entries are replayed only where there are some: a lost DATABASE_URL must not look like an empty log.
    { command: 'replay', lock: 'shared', interruptible: 'batches', creates: !fromLog },
    async (ctx) => {
      try {
        return await replay(ctx, options);
      } catch (error) {
        if (!(error instanceof ConfigError) && !options.dryRun) {
          const again = call.look.line(typedAgain(call.argv, 'goes on from there'));
          call.notice(`What was done until now is stored; this goes on from there: ${again}`);
        }
        throw error;
      }
    },
  );
  const next = nextSteps(result, {
    argv: call.argv,
    from: fromLog ? 'log' : settings.paths.includes('-') ? 'stdin' : 'files',
    register: settings.values.register,
  });
  const nothingRead = fromLog ? describeNoEntries(settings) : undefined;
  return { presentation: presentRun(result, next, nothingRead), exitCode: exitCodeOf(result.status) };
}

async function readOptions(call: Call, settings: ReplaySettings): Promise<ReplayOptions> {
  const { values } = settings;
  return {
    input: await readInput(call, settings),
    ...(values.connection === undefined ? {} : { connection: values.connection }),
    register: values.register,
    tickets: values.tickets,
    include: new Set(values.include),
    dryRun: values.dryRun,
    strict: values.strict,
    ...(values.maxErrors === undefined ? {} : { maxErrors: values.maxErrors }),
    batchSize: values.batchSize,
    resume: !values.noResume,
    recordedOptions: recordOptions(settings),
  };
}

/** Paths are looked up before the database is opened: a mistyped name must not cost a new, empty database. */
async function readInput(
  { io, console, helpText }: Call,
  settings: ReplaySettings,
): Promise<ReplayOptions['input']> {
  if (settings.paths.length === 0) return { kind: 'log', ...settings.selection };
  if (settings.paths.includes('-') && io.stdinIsTTY) {
    console.line(helpText());
    throw new ConfigError('- reads a log from standard input, and nothing is piped into it.', {
      remedy: 'Pipe one in, such as the output of zcat hooks.gz, or name a file.',
      code: 'stdin_is_terminal',
    });
  }
  const { resolveInputs } = await import('../../core/inputs.js');
  return {
    kind: 'paths',
    inputs: await resolveInputs(settings.paths, { cwd: io.cwd }),
    stdin: io.stdin,
    maxEntryBytes: settings.values.maxEntrySize,
  };
}

/** What was asked for, for sync_runs: what differs from saying nothing. */
function recordOptions({ values, paths }: ReplaySettings): ReplayOptions['recordedOptions'] {
  return { ...saidOf(values), ...(paths.length === 0 ? {} : { paths: [...paths] }) };
}

function options(): Option[] {
  const grouped = (group: string, list: Option[]): Option[] => list.map((option) => option.helpGroup(group));
  return [
    ...grouped('Which stored entries (without a path):', [
      new Option('--all', 'every one, done or not'),
      new Option('--failed', 'those that failed, besides the pending ones'),
      new Option('--since <time>', 'received at or after: 2026-11-03, 36h, 2d, 3w, yesterday'),
      new Option('--until <time>', 'received before'),
      new Option('--tz <zone>', 'the zone of dates without one (default: this machine’s)'),
      new Option('--field <field>', 'with this webhook field: messages, history, …'),
      new Option('--contact <contact>', 'about this contact: phone, JID, LID, BSUID'),
    ]),
    ...grouped('How:', [
      new Option('--connection <name>', 'only this connection; also of entries that name none'),
      new Option('--register', 'create connections that entries name and nobody knows'),
      new Option('--tickets <mode>', 'auto (default): for live messages; or none').choices(['auto', 'none']),
      new Option('--include <kinds>', `chats to bring in: ${INCLUDABLE_CHATS.join(', ')}`).argParser(collect),
      new Option('-n, --dry-run', 'write nothing; say what would be written'),
    ]),
    ...grouped('When something is wrong:', [
      new Option('--strict', 'stop at the first problem'),
      new Option('--max-errors <n>', 'stop after so many problems'),
      new Option('--max-entry-size <size>', 'pass over larger entries (default: 16MB)'),
    ]),
    ...grouped('Rarely needed:', [
      new Option('--batch-size <n>', 'messages per transaction (default: 1000)'),
      new Option('--no-resume', 'read from the start, even if a run was stopped halfway'),
    ]),
  ];
}
