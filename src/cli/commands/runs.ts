import { Argument, type Command } from 'commander';
import { EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { integer, moment, text, toggle } from '../flags/kinds.js';
import { dateZone } from '../flags/shared.js';
import { contradiction, group, readFlags } from '../flags/table.js';
import { presentAccess } from '../views/access.js';
import { presentRun, presentRuns } from '../views/runs.js';

const LARGEST_LIST = 10_000;

const LIST_FLAGS = group('What:', {
  command: text('name', 'only runs of this command: replay, dedupe, reconcile, …', 'a command'),
  since: moment('only runs that began since: 2026-11-03, 36h, 2d, yesterday'),
  until: moment('only runs that began before'),
  tz: dateZone(),
  limit: integer(1, LARGEST_LIST, 'how many, the newest first').default('20'),
  access: toggle('list who looked at whose messages, instead of runs').onlyTyped(),
  contact: text('contact', 'with --access: only messages of this contact', 'a contact').onlyTyped(),
});

export function registerRunsList(parent: Command, attach: Attach): void {
  const command = parent.command('list');
  describe(command, {
    flags: LIST_FLAGS,
    summary: 'List past runs with their ids, verdicts and durations.',
    details:
      'Every command that changes data is a run; plans and dry runs are not recorded. A run that is still marked ' +
      'running but whose process is gone has died; `covered` says that a later run did its work. --access ' +
      'lists who has looked at whose messages: every command that shows what a person wrote records it first, as the chosen ' +
      'output has it. Rejected items count as everybody’s, because their owner is unknown.',
    examples: [
      ['wa-reconcile runs list', 'the last 20 runs'],
      ['wa-reconcile runs list --command dedupe --since 7d', 'what was merged this week'],
      ['wa-reconcile runs list --access --contact +5511912345678', 'who has read this conversation?'],
      ['wa-reconcile runs list --json | jq -r ".runs[] | select(.canUndo) | .id"', 'runs that can be undone'],
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
    summary: 'Show one run: its options, results and steps.',
    examples: [
      ['wa-reconcile runs show 0199f2a4-7c31', 'one run, by the beginning of its id'],
      ['wa-reconcile runs show 0199f2a4-7c31 --json | jq .run.counters', 'its counters'],
    ],
    exits: { ...DATABASE_EXITS, [EXIT.usage]: 'wrong usage or configuration; no such run, or several' },
  });
  attach(command, show);
}

async function list(call: Call): Promise<Outcome> {
  const [{ withContext }, { listRuns }] = await Promise.all([
    import('../session.js'),
    import('../../commands/runs/runs.js'),
  ]);
  const { values, origin } = readFlags(LIST_FLAGS, call);
  const { access, contact, ...options } = values;
  if (access) {
    const { listAccess } = await import('../../commands/access/list-access.js');
    const result = await withContext(call, { command: 'runs list' }, (ctx) =>
      listAccess(ctx, { contact, ...options }),
    );
    return { presentation: presentAccess(result), exitCode: EXIT.ok };
  }
  if (contact !== undefined) {
    throw contradiction(
      `${origin('contact').place} needs --access.`,
      'Runs are not about one contact: explain CONTACT names those that touched it.',
    );
  }
  const result = await withContext(call, { command: 'runs list' }, (ctx) => listRuns(ctx, options));
  return { presentation: presentRuns(result), exitCode: EXIT.ok };
}

async function show(call: Call): Promise<Outcome> {
  const [{ withContext }, { showRun }] = await Promise.all([
    import('../session.js'),
    import('../../commands/runs/runs.js'),
  ]);
  const result = await withContext(call, { command: 'runs show' }, (ctx) => showRun(ctx, call.args[0] ?? ''));
  return { presentation: presentRun(result), exitCode: EXIT.ok };
}
