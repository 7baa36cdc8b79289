import { Argument, type Command } from 'commander';
import type { RawDiscardResult } from '../../commands/raw-discard/raw-discard.js';
import { EXIT, type ExitCode } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { text, toggle } from '../flags/kinds.js';
import { applyAndDryRun, dryRun } from '../flags/shared.js';
import { group, readFlags } from '../flags/table.js';
import { presentRawDiscard } from '../views/raw-discard.js';
import { typedAgain, withoutDryRun } from '../typed-again.js';

const FLAGS = {
  ...group('Which entries (several must all match):', {
    origin: text(
      'path',
      'entries of a file, a directory or a pattern (logs/*.json), as it was replayed',
      'a path',
    ),
    run: text('run', 'entries that this run stored: its id, or the beginning of it', 'a run').completes(
      'runs',
    ),
  }),
  ...group('How:', {
    apply: toggle('apply the changes; without it, only show what would be discarded'),
    dryRun: dryRun('the default: only show what would be discarded'),
  }),
};

export function registerRawDiscard(parent: Command, attach: Attach): void {
  const command = parent
    .command('discard')
    .addArgument(new Argument('[entry...]', 'raw entries by their ids: log:0199f2a4-…'));
  describe(command, {
    flags: FLAGS,
    summary: 'Remove raw entries that were stored by mistake from the raw log.',
    details:
      'For a path that was mistyped: entries that were not recognized, failed or are pending, and what was rejected of ' +
      'them. Entries from which something came (messages, history, updates) are kept, because those rows would have no ' +
      'source. Without --apply nothing is changed. `undo RUN` puts the entries back, byte for byte.',
    examples: [
      ['wa-reconcile raw discard --origin node_modules/pg', 'shows what would be discarded'],
      ['wa-reconcile raw discard --origin node_modules/pg --apply', 'discards them'],
      ['wa-reconcile raw discard --run 0199f2a4-7c31 --apply', 'everything that a run stored by mistake'],
      ['wa-reconcile raw discard log:0199f2a4-7c31-7000-8000-5d2f4c6a1b3e --apply', 'one entry'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'all selected entries were discarded, or would be',
      [EXIT.failure]: 'none can be discarded: rows came from each of them',
      [EXIT.usage]: 'wrong usage or configuration; no such entry or run',
      [EXIT.partial]: 'some of the selected entries are kept',
    },
  });
  attach(command, discardCommand);
}

async function discardCommand(call: Call): Promise<Outcome> {
  const [{ withContext }, { rawDiscard }] = await Promise.all([
    import('../session.js'),
    import('../../commands/raw-discard/raw-discard.js'),
  ]);
  const { values, origin, recorded } = readFlags(FLAGS, call);
  const { dryRun: isDry, ...what } = values;
  if (isDry && what.apply) throw applyAndDryRun(origin, '--apply discards entries');
  const entries = [...call.args];
  const options = {
    ...what,
    entries,
    recordedOptions: { ...recorded, ...(entries.length === 0 ? {} : { entries }) },
  };
  const result = await withContext(
    call,
    { command: 'raw discard', lock: options.apply ? 'exclusive' : undefined },
    (ctx) => rawDiscard(ctx, options),
  );
  const apply = typedAgain(call.argv, 'discards them', (words) => [...withoutDryRun(words), '--apply']);
  return { presentation: presentRawDiscard(result, apply), exitCode: exitCodeFor(result) };
}

function exitCodeFor({ status }: RawDiscardResult): ExitCode {
  switch (status) {
    case 'completed':
      return EXIT.ok;
    case 'partial':
      return EXIT.partial;
    case 'failed':
      return EXIT.failure;
  }
}
