import { Argument, Option, type Command } from 'commander';
import type { ImportListResult, ImportOutcome, ImportResult } from '../../core/import/result.js';
import { EXIT, type ExitCode } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { exitCodeOf } from '../exit.js';
import { presentImport } from '../views/import.js';
import { presentImportList } from '../views/import-list.js';

export function registerImport(parent: Command, attach: Attach): void {
  const command = parent
    .command('import')
    .addArgument(new Argument('[contact]', 'phone in any format, JID, LID, BSUID or lead id'));
  for (const option of options()) command.addOption(option);
  describe(command, {
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
  const [{ resolveImportSettings }, { readDeviceOptions }, { withContext }, { createPhones }] =
    await Promise.all([
      import('../settings/import.js'),
      import('../settings/device.js'),
      import('../session.js'),
      import('../../core/devices/phones.js'),
    ]);
  const settings = resolveImportSettings(call.args, call.given, call.environment, call.io.clock());
  const device = readDeviceOptions(call);
  const session = { command: 'import', lock: 'shared', interruptible: 'batches' } as const;
  if (settings.fromFile !== undefined) {
    const { readContactList } = await import('../contact-list.js');
    const { importList } = await import('../../core/import/import-list.js');
    const contacts = await readContactList(settings.fromFile, call);
    if (settings.window !== undefined) call.notice(settings.window);
    const result = await withContext(call, session, (ctx) =>
      importList(ctx, { ...settings.options, ...settings.list, contacts }, createPhones(ctx, device)),
    );
    return { presentation: presentImportList(result, call.argv), exitCode: exitCodeOfList(result) };
  }
  const { importContact } = await import('../../core/import/import-contact.js');
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

function options(): Option[] {
  const grouped = (group: string, list: Option[]): Option[] => list.map((option) => option.helpGroup(group));
  return [
    ...grouped('What to import:', [
      new Option('--connection <name>', 'over this connection; also tells organizations apart'),
      new Option('--phase <phase>', 'auto (default): the raw log, then the phone; cache; fetch'),
      new Option('--pages <n>', 'pages to ask the phone for (default: 1; with --until: 100)'),
      new Option('--count <n>', 'messages per page, 1 to 500 (default: 50)'),
      new Option('--until <time>', 'go back to here: 2026-11-03, 36h, 2d, 3w, yesterday'),
      new Option('--tz <zone>', 'the zone of dates without one (default: this machine’s)'),
      new Option('-n, --dry-run', 'write nothing and ask nobody; say what would be done'),
    ]),
    ...grouped('Patience:', [
      new Option('--timeout <duration>', 'how long one request waits for the phone (default: 20s)'),
      new Option('--page-pause <duration>', 'between two pages (default: 1s)'),
      new Option('--force', 'ask although somebody asked less than five minutes ago'),
    ]),
    ...grouped('Many contacts:', [
      new Option('--from-file <file>', 'contacts, one per line; - reads them from stdin'),
      new Option('--list-batch <n>', 'a long pause after so many (default: 10)'),
      new Option('--list-pause <duration>', 'how long (default: 30s)'),
      new Option('--no-resume', 'begin with the first, even if a run over the list was stopped'),
    ]),
    ...grouped('Rarely needed:', [
      new Option('--batch-size <n>', 'messages per transaction (default: 1000)'),
    ]),
  ];
}
