import { stripVTControlCharacters } from 'node:util';
import { Command, Help, Option, type Argument } from 'commander';
import type { Action, Attach, Traits } from './call.js';
import { registerAlerts } from './commands/alerts.js';
import { registerBackup } from './commands/backup.js';
import { registerCompare } from './commands/compare.js';
import { registerCompareChatExport } from './commands/compare-chat-export.js';
import { registerCompletion } from './commands/completion.js';
import { registerConnectionAdd } from './commands/connection-add.js';
import { registerConnectionArchive } from './commands/connection-archive.js';
import { registerConnectionCheck } from './commands/connection-check.js';
import { registerConnectionEdit } from './commands/connection-edit.js';
import { registerConnectionList } from './commands/connection-list.js';
import { registerConnectionRemove } from './commands/connection-remove.js';
import { registerConnectionShow } from './commands/connection-show.js';
import { registerConnectionToken } from './commands/connection-token.js';
import { registerDbMigrate } from './commands/db-migrate.js';
import { registerDbStatus } from './commands/db-status.js';
import { registerDedupe } from './commands/dedupe.js';
import { registerDoctor } from './commands/doctor.js';
import { registerHistoryRequest } from './commands/history-request.js';
import { registerInspect } from './commands/inspect.js';
import { registerImport } from './commands/import.js';
import { registerLink } from './commands/link.js';
import { registerLinkStatus } from './commands/link-status.js';
import { registerMediaFetch, registerMediaStatus } from './commands/media.js';
import { registerMessages } from './commands/messages.js';
import { registerExplain } from './commands/explain.js';
import { registerExport } from './commands/export.js';
import { registerErase } from './commands/erase.js';
import { registerPrune } from './commands/prune.js';
import { registerReconcile } from './commands/reconcile.js';
import { registerRawDiscard } from './commands/raw-discard.js';
import { registerReplay } from './commands/replay.js';
import { registerReport } from './commands/report.js';
import { registerRestore } from './commands/restore.js';
import { registerRunsList, registerRunsShow } from './commands/runs.js';
import { registerUndo } from './commands/undo.js';
import { registerUnlink } from './commands/unlink.js';
import { registerVerify } from './commands/verify.js';
import { exitText, HELP_WIDTH, helpWidthOf, wrap, wrapDescription } from './describe.js';
import { GLOBAL_GROUP, globalOptions } from './flags/global.js';
import { EXIT } from '../model/errors.js';
import { createLook } from './ui/look.js';
import { wrapText } from './ui/width.js';
import { nameCommands } from './wrong-usage.js';

/** Where help is written, and how it may look there. */
export interface HelpStreams {
  writeOut: (text: string) => void;
  writeErr: (text: string) => void;
  width: number;
  color: boolean;
}

/** Runs the action of the command that was typed. */
export type Runner = (action: Action, command: Command, traits: Traits) => Promise<void>;

/** For tools that read the definitions: the reference, the completions. Running it does nothing. */
export const NO_STREAMS: HelpStreams = {
  writeOut: () => undefined,
  writeErr: () => undefined,
  width: HELP_WIDTH,
  color: false,
};

/** All commands. Their actions load what they need when they run, so that building this costs next to nothing. */
export function buildProgram(
  streams: HelpStreams = NO_STREAMS,
  run: Runner = () => Promise.resolve(),
): Command {
  const look = createLook(streams.color);
  const program = new Command('wa-reconcile')
    .summary('make a WhatsApp CRM database complete and correct')
    .description(
      'Makes a WhatsApp CRM database complete and correct: replays stored webhook logs ' +
        'exactly once, accounts for every message, merges duplicates, and says where each row came ' +
        'from.\n\n' +
        'Examples:\n' +
        '  # what is in this log?\n' +
        '  wa-reconcile inspect webhooks.ndjson.gz\n' +
        '  # replay a log and create the connections it names\n' +
        '  wa-reconcile replay webhooks.ndjson.gz --register\n' +
        '  # what would it do?\n' +
        '  wa-reconcile replay webhooks.ndjson.gz --dry-run\n' +
        '  # where did this conversation go?\n' +
        '  wa-reconcile explain +5511912345678\n' +
        '  # every night, from cron\n' +
        '  wa-reconcile reconcile --apply\n' +
        '  # the same into PostgreSQL\n' +
        '  DATABASE_URL=postgresql://app@db/crm wa-reconcile replay logs/',
    )
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: streams.writeOut,
      writeErr: streams.writeErr,
      // Said once, by the one place that says errors.
      outputError: () => undefined,
      getOutHelpWidth: () => Math.min(streams.width, 100),
      getErrHelpWidth: () => Math.min(streams.width, 100),
      getOutHasColors: () => streams.color,
      getErrHasColors: () => streams.color,
    })
    .configureHelp({
      formatHelp: (command, helper) =>
        globalOptionsLast(Help.prototype.formatHelp.call(helper, command, helper)),
      subcommandTerm,
      // Meanings stay beside their flags on a narrow terminal, too.
      minWidthToWrap: 16,
      boxWrap(this: Help, text, width) {
        return wrapDescription(text, width, (line) => Help.prototype.boxWrap.call(this, line, width));
      },
      // The descriptions name the choices in words.
      optionDescription: (option) => option.description,
      argumentDescription: (argument) => argument.description,
      styleTitle: (title) => look.bold(title),
      styleDescriptionText: (text) => text.replace(/^Examples:$/m, look.bold('Examples:')),
      styleCommandText: (text) => look.cyan(text),
      styleSubcommandText: (text) => look.cyan(text),
    })
    .helpCommand('help [command]', 'show help for a command; --all: for all commands, as Markdown')
    .usage('<command> [options]');
  for (const option of globalOptions()) program.addOption(option);
  program
    .addOption(
      new Option('-V, --version', 'show the version (--json: of all components)').helpGroup(GLOBAL_GROUP),
    )
    .addHelpOption(new Option('-h, --help', 'show this help').helpGroup(GLOBAL_GROUP))
    .addHelpText('after', () => `\n${settingsAndExits(helpWidthOf(program))}`);

  const attach: Attach = (command, action, traits = {}) => {
    command.action(() => run(action, command, traits));
  };
  registerInspect(program, attach);
  registerReplay(program, attach);
  registerReconcile(program, attach);
  registerVerify(program, attach);
  registerCompareChatExport(registerCompare(program, attach), attach);
  registerReport(program, attach);
  registerAlerts(program, attach);
  registerDedupe(program, attach);
  registerUndo(program, attach);
  const runs = program.command('runs').summary('list past runs, show one');
  runs.description('Past runs: their ids, verdicts and durations.').usage('<command> [options]');
  registerRunsList(runs, attach);
  registerRunsShow(runs, attach);
  const raw = program.command('raw').summary('discard entries that were stored by mistake');
  raw.description('The raw log: every entry as it came, byte for byte.').usage('<command> [options]');
  registerRawDiscard(raw, attach);
  registerPrune(program, attach);
  registerErase(program, attach);
  registerMessages(program, attach);
  registerExplain(program, attach);
  registerExport(program, attach);
  const connection = program
    .command('connection')
    .summary('add, list, show, check, edit, archive, unarchive and remove connections; token: its access');
  connection.description('Connections: the WhatsApp numbers of the business.').usage('<command> [options]');
  registerConnectionAdd(connection, attach);
  registerConnectionList(connection, attach);
  registerConnectionShow(connection, attach);
  registerConnectionEdit(connection, attach);
  registerConnectionRemove(connection, attach);
  registerConnectionArchive(connection, attach);
  registerConnectionToken(connection, attach);
  registerConnectionCheck(connection, attach);
  const history = program.command('history').summary('request the history of a number from Meta');
  history.description('The one history that Meta gives of a number.').usage('<command> [options]');
  registerHistoryRequest(history, attach);
  const media = program.command('media').summary('fetch the files of messages from Meta, or count them');
  media.description('The files that messages name.').usage('<command> [options]');
  registerMediaFetch(media, attach);
  registerMediaStatus(media, attach);
  registerLinkStatus(registerLink(program, attach), attach);
  registerUnlink(program, attach);
  registerImport(program, attach);
  registerBackup(program, attach);
  registerRestore(program, attach);
  const db = program.command('db').summary('migrate the tables, or show their status');
  db.description('The database: its tables and their version.').usage('<command> [options]');
  registerDbMigrate(db, attach);
  registerDbStatus(db, attach);
  registerDoctor(program, attach);
  registerCompletion(program, attach);
  nameCommands(program);
  return program;
}

/** `connection <command>`, `replay [path...]`. */
function subcommandTerm(command: Command): string {
  const rest = isGroup(command) ? ['<command>'] : command.registeredArguments.map(argumentWord);
  return [command.name(), ...rest].join(' ');
}

/** A name for several commands (`db`), which does nothing alone; `link` does something, and has `link status` besides. */
export function isGroup(command: Command): boolean {
  return command.usage().startsWith('<command>');
}

function argumentWord(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

/** Commander puts all options before the commands; what is the same everywhere is read last. */
function globalOptionsLast(help: string): string {
  const sections = help.trimEnd().split(/\n\n(?=\S)/);
  const isGlobal = (section: string): boolean => stripVTControlCharacters(section).startsWith(GLOBAL_GROUP);
  return `${[...sections.filter((section) => !isGlobal(section)), ...sections.filter(isGlobal)].join('\n\n')}\n`;
}

const SETTINGS = [
  'An option on the line beats the environment (WA_RECONCILE_LOCK_WAIT=5m is --lock-wait 5m), which beats the file .env in the working directory.',
  'DATABASE_URL names a PostgreSQL database; without it an embedded one is used. Where it leads to a connection pooler, DIRECT_URL can name the server itself.',
];

const EXITS = {
  0: 'done',
  1: 'it failed',
  2: 'wrong usage or configuration',
  3: 'there are findings (verify, compare, reconcile, dedupe)',
  4: 'partial: some items were rejected, in an unknown format or left pending',
  5: 'another run holds the database; the message names it',
  6: 'not linked to WhatsApp',
  [EXIT.interrupted]: 'interrupted by Ctrl-C; run the same command again to resume',
};

function settingsAndExits(width: number): string {
  const lines = SETTINGS.flatMap((paragraph) => wrap(paragraph, Math.min(width, HELP_WIDTH) - 2));
  return ['Settings:', ...lines.map((line) => `  ${line}`), '', exitText(EXITS, width)].join('\n');
}

/** What `wa-reconcile` alone prints. */
export function conciseHelp(program: Command, look = createLook(false)): string {
  // One line for a group, so that all of it stays on one screen.
  const commands = program.commands.flatMap((command) =>
    isGroup(command)
      ? [command]
      : [
          command,
          ...command.commands.map((sub) => ({
            name: () => `${command.name()} ${sub.name()}`,
            summary: () => sub.summary(),
          })),
        ],
  );
  const width = Math.max(...commands.map((command) => command.name().length));
  return [
    'wa-reconcile makes a WhatsApp CRM database complete and correct.',
    '',
    look.bold('Start with'),
    `  ${look.cyan('wa-reconcile inspect LOG')}`,
    `  ${look.cyan('wa-reconcile replay LOG --register')}`,
    '',
    look.bold('Commands'),
    ...commands.flatMap((command) =>
      wrapText(command.summary(), Math.max(20, look.width - width - 4)).map(
        (line, index) => `  ${look.cyan((index === 0 ? command.name() : '').padEnd(width))}  ${line}`,
      ),
    ),
    '',
    'wa-reconcile <command> --help shows a command with examples.',
    'wa-reconcile help --all shows everything.',
    '',
  ].join('\n');
}
