import { Argument, type Command } from 'commander';
import {
  IMPORT_PHASES,
  PAGES_UNTIL,
  type FetchOptions,
  type ImportListResult,
  type ImportOutcome,
  type ImportResult,
} from '../../commands/import/types.js';
import { ConfigError, EXIT, type ExitCode } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { exitCodeOf } from '../exit.js';
import { choice, duration, integer, moment, text, toggle } from '../flags/kinds.js';
import { batchSize, connection, dateZone, dryRun } from '../flags/shared.js';
import { contradiction, group, instant, readFlags, type Line } from '../flags/table.js';
import { presentImport } from '../views/import.js';
import { presentImportList } from '../views/import-list.js';

/** As many messages as WhatsApp's own clients ask for at a time. */
const PAGE_SIZE = '50';
const LARGEST_PAGE_SIZE = 500;
const MOST_PAGES = 1000;

const FLAGS = {
  ...group('What to import:', {
    connection: connection('over this connection; also tells organizations apart'),
    phase: choice('phase', IMPORT_PHASES, 'auto: the raw log, then the phone; cache; fetch').default('auto'),
    pages: integer(1, MOST_PAGES, 'pages to ask the phone for').otherwise(`1; with --until: ${PAGES_UNTIL}`),
    count: integer(1, LARGEST_PAGE_SIZE, 'messages per page, 1 to 500').default(PAGE_SIZE),
    until: moment('go back to here: 2026-11-03, 36h, 2d, 3w, yesterday'),
    tz: dateZone(),
    dryRun: dryRun('write nothing and ask nobody; say what would be done'),
  }),
  ...group('Patience:', {
    timeout: duration('how long one request waits for the phone').default('20s'),
    pagePause: duration('between two pages').default('1s'),
    force: toggle('ask although somebody asked less than five minutes ago'),
  }),
  ...group('Many contacts:', {
    fromFile: text('file', 'contacts, one per line; - reads them from stdin', 'a file name'),
    listBatch: integer(1, 1000, 'a long pause after so many').default('10'),
    listPause: duration('how long').default('30s'),
    noResume: toggle('begin with the first, even if a run over the list was stopped'),
  }),
  ...group('Rarely needed:', { batchSize: batchSize('messages') }),
};

export function registerImport(parent: Command, attach: Attach): void {
  const command = parent
    .command('import')
    .addArgument(new Argument('[contact]', 'phone in any format, JID, LID, BSUID or lead id'));
  describe(command, {
    flags: FLAGS,
    summary: 'Import a contact’s history: from the raw log, else from WhatsApp.',
    details:
      'Replays what the raw log holds about the contact and is not in the database. If that brings nothing, asks the ' +
      'phone for what came before the oldest stored message, over the tool’s own linked device (wa-reconcile link); no ' +
      'connection of another program is touched. One request per contact in five minutes. Silence is told as silence: ' +
      'the phone may be offline, know the chat by another address, or refuse, and none of it means that there is no more.',
    examples: [
      ['wa-reconcile import +5511912345678', 'the raw log, else one page of 50 messages from the phone'],
      ['wa-reconcile import +5511912345678 --until 2026-01-01', 'page by page, back to that day'],
      ['wa-reconcile import +5511912345678 --dry-run', 'what would be asked, and from which message on'],
      [
        'wa-reconcile import --from-file contacts.txt',
        'many, in turn; after a kill the same command goes on',
      ],
      ['wa-reconcile import +5511912345678 --json | jq -r .outcome', 'the outcome in one word'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'cache, fetched, end_of_history, empty (would_fetch with --dry-run)',
      [EXIT.failure]: 'silent, conflict, offline, download_failed: asked in vain; or the database failed',
      [EXIT.usage]: 'no_anchor, throttled: nobody was asked; wrong usage or configuration, or secret key',
      [EXIT.partial]:
        'partial: some pages came before it went wrong, an answer left a part out, or an item was rejected; of a list: some contacts',
      [EXIT.locked]: 'another process has the database or the linked device (it is named)',
      [EXIT.notLinked]: 'not_linked, logged_out: wa-reconcile link',
      [EXIT.interrupted]: 'interrupted; the same command goes on',
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
    const result = await withContext(call, session, (ctx) =>
      importList(ctx, { ...settings.options, ...settings.list, contacts }, createPhones(ctx, device)),
    );
    return { presentation: presentImportList(result, call.argv), exitCode: exitCodeOfList(result) };
  }
  const { importContact } = await import('../../commands/import/import-contact.js');
  const [contact = ''] = call.args;
  if (settings.window !== undefined) call.notice(settings.window);
  const result = await withContext(call, session, (ctx) =>
    importContact(ctx, { ...settings.options, contact, dryRun: settings.dryRun }, createPhones(ctx, device)),
  );
  return {
    presentation: presentImport(result, { argv: call.argv, timeoutMs: settings.options.timeoutMs }),
    exitCode: exitCodeOfImport(result),
  };
}

/** How to import; what is for a list; what --until was read as, in words. Throws ConfigError for what is wrong or contradictory. */
export function readImportFlags(args: readonly string[], line: Line) {
  const { values, origin, recorded } = readFlags(FLAGS, line);
  const { fromFile, dryRun: isDry, until, tz } = values;
  if (args.length === 0 && fromFile === undefined) {
    throw new ConfigError('Whose history is to be imported?', {
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
      remedy: remedy('import', ['CONTACT', '--dry-run'], 'says what would be done for one of them'),
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
        : `Going back to ${instant(until)} (UTC; dates read in ${tz}), at most ${pages} pages.`,
  };
}

/** Pages that came count: an import that went wrong after them is partial. */
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
