import { Argument, type Command } from 'commander';
import {
  IMPORT_PHASES,
  PAGES_UNTIL,
  type FetchOptions,
  type ImportListResult,
  type ImportOutcome,
  type ImportResult,
} from '../../commands/import/types.js';
import { amount } from '../../model/amount.js';
import { ConfigError, EXIT, type ExitCode } from '../../model/errors.js';
import { isAbsolutePath } from '../../model/recorded-command.js';
import { remedy } from '../../model/remedy.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { exitCodeOf } from '../exit.js';
import { choice, duration, integer, moment, text, toggle } from '../flags/kinds.js';
import { batchSize, connection, dateZone, dryRun } from '../flags/shared.js';
import { contradiction, group, instant, readFlags, type Line } from '../flags/table.js';
import { presentImport } from '../views/import.js';
import { presentImportList } from '../views/import-list.js';

/** WhatsApp's own clients request this many messages at a time. */
const PAGE_SIZE = '50';
const LARGEST_PAGE_SIZE = 500;
const MOST_PAGES = 1000;

const FLAGS = {
  ...group('What to import:', {
    connection: connection('the connection to use'),
    phase: choice('phase', IMPORT_PHASES, 'auto (raw log, then phone), cache or fetch').default('auto'),
    pages: integer(1, MOST_PAGES, 'pages to request from the phone').otherwise(
      `1; with --since: ${PAGES_UNTIL}`,
    ),
    count: integer(1, LARGEST_PAGE_SIZE, 'messages per page, 1 to 500').default(PAGE_SIZE),
    since: moment('go back to this time: 2026-11-03, 36h, 2d, 3w, yesterday').alias('until'),
    tz: dateZone(),
    dryRun: dryRun('write nothing, contact no one; show what would be done'),
  }),
  ...group('Timing:', {
    timeout: duration('how long a request waits for the phone').default('20s'),
    pagePause: duration('pause between two pages').default('1s'),
    force: toggle('ask again within five minutes'),
  }),
  ...group('Many contacts:', {
    fromFile: text('file', 'contacts, one per line; - reads them from stdin', 'a file name'),
    listBatch: integer(1, 1000, 'contacts before a long pause').default('10'),
    listPause: duration('length of the long pause').default('30s'),
    noResume: toggle('start over instead of resuming an interrupted list'),
  }),
  ...group('Rarely needed:', { batchSize: batchSize('messages') }),
};

export function registerImport(parent: Command, attach: Attach): void {
  const command = parent
    .command('import')
    .addArgument(new Argument('[contact]', 'phone in any format, JID, LID, BSUID or lead id'));
  describe(command, {
    flags: FLAGS,
    summary: 'Import a contact’s history from the raw log or WhatsApp.',
    details:
      'Replays what the raw log holds about the contact and the database lacks. If that brings nothing, asks the ' +
      'phone for messages before the oldest stored one, through the tool’s own linked device (wa-reconcile link); ' +
      'connections of other programs are not touched. At most one request per contact every five minutes. A phone that ' +
      'does not answer may be offline, know the chat under another address, or refuse: it does not mean that there is ' +
      'no more history.',
    examples: [
      ['wa-reconcile import +5511912345678', 'the raw log, else one page of 50 messages from the phone'],
      ['wa-reconcile import +5511912345678 --since 2026-01-01', 'page by page, back to that day'],
      [
        'wa-reconcile import +5511912345678 --dry-run',
        'show what would be requested, and from which message on',
      ],
      ['wa-reconcile import --from-file contacts.txt', 'import a list of contacts; rerun to resume'],
      ['wa-reconcile import +5511912345678 --json | jq -r .outcome', 'print only the outcome'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'cache, fetched, end_of_history, empty (would_fetch with --dry-run)',
      [EXIT.failure]: 'silent, conflict, offline, download_failed: no usable answer; or the database failed',
      [EXIT.usage]: 'no_anchor, throttled: the phone was not asked; wrong usage, configuration or secret key',
      [EXIT.partial]:
        'partial: it failed after some pages, an answer was incomplete, or an item was rejected; of a list: some contacts failed',
      [EXIT.locked]: 'another run holds the database or the linked device; the message names it',
      [EXIT.notLinked]: 'not_linked, logged_out: run wa-reconcile link',
      [EXIT.interrupted]: 'interrupted; rerun to resume',
    },
  });
  attach(command, importCommand);
}

async function importCommand(call: Call): Promise<Outcome> {
  const [{ readDeviceOptions }, { withContext }, { createPhones }] = await Promise.all([
    import('../device-options.js'),
    import('../session.js'),
    import('../../commands/devices/phones.js'),
  ]);
  const settings = readImportFlags(call.args, call);
  const device = readDeviceOptions(call);
  const session = { command: 'import', lock: 'shared', interruptible: 'batches' } as const;
  if (settings.fromFile !== undefined) {
    const { readContactList } = await import('../contact-list.js');
    const { importList } = await import('../../commands/import/import-list.js');
    const contacts = await readContactList(settings.fromFile, call);
    if (settings.window !== undefined) call.notice(settings.window);
    const recordedOptions = {
      ...settings.options.recordedOptions,
      ...placeOf(settings.fromFile, call.io.cwd),
    };
    const options = { ...settings.options, recordedOptions };
    const result = await withContext(call, session, (ctx) =>
      importList(ctx, { ...options, ...settings.list, contacts }, createPhones(ctx, device)),
    );
    return { presentation: presentImportList(result, call.argv), exitCode: exitCodeOfList(result) };
  }
  const { importContact } = await import('../../commands/import/import-contact.js');
  const { parseContact } = await import('../../commands/contacts/typed-contact.js');
  const [contact = ''] = call.args;
  // What cannot be a contact needs no database.
  parseContact(contact);
  if (settings.window !== undefined) call.notice(settings.window);
  const result = await withContext(call, session, (ctx) =>
    importContact(ctx, { ...settings.options, contact, dryRun: settings.dryRun }, createPhones(ctx, device)),
  );
  return {
    presentation: presentImport(result, { argv: call.argv, timeoutMs: settings.options.timeoutMs }),
    exitCode: exitCodeOfImport(result),
  };
}

/**
 * How to import; options for a list; how --since was understood, in words. Throws ConfigError for invalid or
 * contradictory options.
 */
export function readImportFlags(args: readonly string[], line: Line) {
  const { values, origin, recorded } = readFlags(FLAGS, line);
  const { fromFile, dryRun: isDry, since: until, tz } = values;
  if (args.length === 0 && fromFile === undefined) {
    throw new ConfigError('No contact was given.', {
      remedy: [
        remedy('import', ['+5511912345678'], 'imports one contact'),
        remedy('import', ['--from-file', 'FILE'], 'imports a list, one contact per line'),
      ],
      code: 'contact_missing',
    });
  }
  if (args.length > 0 && fromFile !== undefined) {
    throw contradiction(
      `A contact and ${origin('fromFile').place} contradict each other.`,
      'Give one of them.',
    );
  }
  if (isDry && fromFile !== undefined) {
    throw new ConfigError(`${origin('dryRun').place} is for one contact, not for a list.`, {
      remedy: remedy('import', ['+5511912345678', '--dry-run'], 'shows what would be done for one contact'),
      code: 'contradiction',
    });
  }
  const pages = values.pages ?? (until === undefined ? 1 : PAGES_UNTIL);
  const options: FetchOptions = {
    connection: values.connection,
    phase: values.phase,
    pages,
    count: values.count,
    timeoutMs: values.timeout,
    until,
    force: values.force,
    pagePauseMs: values.pagePause,
    batchSize: values.batchSize,
    recordedOptions: recorded,
  };
  return {
    options,
    dryRun: isDry,
    fromFile,
    list: { listBatch: values.listBatch, listPauseMs: values.listPause, resume: !values.noResume },
    window:
      until === undefined
        ? undefined
        : `Going back to ${instant(until)} (UTC; dates read in ${tz}), at most ${amount(pages, 'page')}.`,
  };
}

/** Where the name of the list begins that leads nowhere from elsewhere. */
function placeOf(file: string, cwd: string): Record<string, string> {
  return file === '-' || isAbsolutePath(file) ? {} : { directory: cwd };
}

/** Received pages count: an import that failed after them is partial. */
export function exitCodeOfImport({ outcome, status }: ImportResult): ExitCode {
  if (status === 'completed' || status === 'partial' || status === 'interrupted') return exitCodeOf(status);
  return exitCodeOfFailed(outcome);
}

function exitCodeOfFailed(outcome: ImportOutcome): ExitCode {
  switch (outcome) {
    case 'not_linked':
    case 'logged_out':
      return EXIT.notLinked;
    case 'no_anchor':
    case 'throttled':
      return EXIT.usage;
    case 'silent':
    case 'conflict':
    case 'offline':
    case 'download_failed':
      return EXIT.failure;
    case 'interrupted':
      return EXIT.interrupted;
    case 'cache':
    case 'fetched':
    case 'end_of_history':
    case 'empty':
    case 'would_fetch':
      return EXIT.ok;
  }
}

function exitCodeOfList({ status, stopped }: ImportListResult): ExitCode {
  return status === 'failed' && stopped !== null ? exitCodeOfFailed(stopped) : exitCodeOf(status);
}
