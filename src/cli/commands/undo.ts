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
  dryRun: dryRun('change nothing; say what would be put back'),
  force: toggle('put back what was not touched since, and leave what was'),
});

export function registerUndo(parent: Command, attach: Attach): void {
  const command = parent
    .command('undo')
    .addArgument(new Argument('<run>', 'the run to undo: its id, or the beginning of it'));
  describe(command, {
    flags: FLAGS,
    summary: 'Put back what a run of dedupe, or of verify --enforce, changed.',
    details:
      'All of it or nothing: if a row was touched since, by a later run or by another program, nothing is ' +
      'changed and the rows are listed. What a replay stored or merged is not undone: it comes from the raw ' +
      'log, and the next replay would do it again. An undo is a run itself, and can be undone.',
    examples: [
      ['wa-reconcile undo 0199f2a4-7c31 --dry-run', 'what would be put back?'],
      ['wa-reconcile undo 0199f2a4-7c31', 'puts back every row as it was before that run'],
      ['wa-reconcile undo 0199f2a4-7c31 --force', 'leaves what was touched since'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'all was put back',
      [EXIT.failure]:
        'nothing was changed: rows were touched since, the run was undone already, an index is in the way',
      [EXIT.usage]: 'wrong usage or configuration; no such run, or none that can be undone',
      [EXIT.partial]: 'with --force: what was touched since was left as it is',
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
