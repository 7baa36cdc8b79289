import { Argument, Option, type Command } from 'commander';
import { EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { presentRun, presentRuns } from '../views/runs.js';

export function registerRunsList(parent: Command, attach: Attach): void {
  const command = parent.command('list');
  for (const option of [
    new Option('--command <name>', 'only runs of this command: replay, dedupe, reconcile, …'),
    new Option('--since <time>', 'only runs that began since: 2026-11-03, 36h, 2d, yesterday'),
    new Option('--tz <zone>', 'the zone of dates without one (default: this machine’s)'),
    new Option('--limit <n>', 'how many, the newest first (default: 20)'),
  ]) {
    command.addOption(option.helpGroup('What:'));
  }
  describe(command, {
    summary: 'List past runs with their ids, verdicts and durations.',
    details:
      'Every command that changes data is a run; plans and dry runs are not recorded. A run that is recorded as ' +
      'running although its process is gone has died; `covered` says that a later run did its work.',
    examples: [
      ['wa-reconcile runs list', 'the last 20 runs'],
      ['wa-reconcile runs list --command dedupe --since 7d', 'what was merged this week'],
      ['wa-reconcile runs list --json | jq -r ".runs[] | select(.canUndo) | .id"', 'what undo can take'],
    ],
    exits: DATABASE_EXITS,
  });
  attach(command, list);
}

export function registerRunsShow(parent: Command, attach: Attach): void {
  const command = parent
    .command('show')
    .addArgument(new Argument('<run>', 'the id of a run, or the beginning of it'));
  describe(command, {
    summary: 'Show one run: what it was asked for, what it did, its steps.',
    examples: [
      ['wa-reconcile runs show 0199f2a4-7c31', 'one run, by the beginning of its id'],
      ['wa-reconcile runs show 0199f2a4-7c31 --json | jq .run.counters', 'its counters'],
    ],
    exits: { ...DATABASE_EXITS, [EXIT.usage]: 'wrong usage or configuration; no such run, or several' },
  });
  attach(command, show);
}

async function list(call: Call): Promise<Outcome> {
  const [{ resolveRunsSettings }, { withContext }, { listRuns }] = await Promise.all([
    import('../settings/runs.js'),
    import('../session.js'),
    import('../../core/runs/read-runs.js'),
  ]);
  const options = resolveRunsSettings(call.given, call.environment, call.io.clock());
  const result = await withContext(call, { command: 'runs list' }, (ctx) => listRuns(ctx, options));
  return { presentation: presentRuns(result), exitCode: EXIT.ok };
}

async function show(call: Call): Promise<Outcome> {
  const [{ withContext }, { showRun }] = await Promise.all([
    import('../session.js'),
    import('../../core/runs/read-runs.js'),
  ]);
  const result = await withContext(call, { command: 'runs show' }, (ctx) => showRun(ctx, call.args[0] ?? ''));
  return { presentation: presentRun(result), exitCode: EXIT.ok };
}
