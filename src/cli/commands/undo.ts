import { Argument, type Command } from 'commander';
import { EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { exitCodeOf } from '../exit.js';
import { toggle } from '../flags/kinds.js';
import { dryRun } from '../flags/shared.js';
import { group, readFlags } from '../flags/table.js';
import { presentUndo } from '../views/undo.js';

const FLAGS = group('How:', {
  dryRun: dryRun('change nothing; show what would be restored'),
  force: toggle('restore what has not changed since, and keep the rest'),
});

export function registerUndo(parent: Command, attach: Attach): void {
  const command = parent
    .command('undo')
    .addArgument(new Argument('<run>', 'the run to undo: its id, or the beginning of it'));
  describe(command, {
    flags: FLAGS,
    summary: 'Restore what a run of dedupe, verify --enforce, raw discard or compare --adopt changed.',
    details:
      'All or nothing: if a later run or another program has changed a row since, nothing is ' +
      'changed and the rows are listed. What a replay stored or merged cannot be undone: it comes from the raw ' +
      'log, and the next replay would do it again. What compare --adopt took from a CRM can, people whom it merged ' +
      'included. An undo is a run, and can be undone.',
    examples: [
      ['wa-reconcile undo 0199f2a4-7c31 --dry-run', 'shows what would be restored'],
      ['wa-reconcile undo 0199f2a4-7c31', 'restores every row as it was before that run'],
      ['wa-reconcile undo 0199f2a4-7c31 --force', 'keeps what has changed since'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'everything was restored',
      [EXIT.failure]:
        'nothing was changed: rows have changed since, the run was already undone, or an index prevents it',
      [EXIT.usage]: 'wrong usage or configuration; no such run, or none that can be undone',
      [EXIT.partial]: 'with --force: what has changed since was kept',
    },
  });
  attach(command, undoCommand);
}

async function undoCommand(call: Call): Promise<Outcome> {
  const [{ withContext }, { undo }] = await Promise.all([
    import('../session.js'),
    import('../../commands/undo/undo.js'),
  ]);
  const { values } = readFlags(FLAGS, call);
  const run = call.args[0] ?? '';
  const result = await withContext(call, { command: 'undo', lock: 'exclusive' }, (ctx) =>
    undo(ctx, { ...values, run, recordedOptions: { run, ...(values.force ? { force: true } : {}) } }),
  );
  return {
    presentation: presentUndo(result),
    exitCode: exitCodeOf(result.status),
  };
}
