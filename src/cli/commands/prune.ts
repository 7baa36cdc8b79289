import type { Command } from 'commander';
import type { PruneOptions, PruneResult } from '../../commands/prune/types.js';
import { ConfigError, EXIT, type ExitCode } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { exitCodeOf } from '../exit.js';
import { duration, integer, toggle } from '../flags/kinds.js';
import { applyAndDryRun, dryRun, pruneClasses } from '../flags/shared.js';
import { contradiction, group, readFlags, type Line } from '../flags/table.js';
import { typedAgain, withoutDryRun } from '../typed-again.js';
import { presentPrune } from '../views/prune.js';

const FLAGS = {
  ...group('What:', {
    olderThan: duration('entries received this long ago or longer: 180d, 26w'),
    class: pruneClasses(
      'what: status (chats of WhatsApp Status), group, newsletter, broadcast: entries that were left out; processed is everything else, also such chats that --include brought in',
    ),
    keepAlerts: toggle(
      'keep everything that says how an account stands (account_update); this is so without it',
    ),
    noKeepAlerts: toggle('of account_update, keep only the last word about each number and account'),
  }),
  ...group('How:', {
    apply: toggle('empty the bodies; without it, only show how much space that would free'),
    dryRun: dryRun('same as without --apply'),
    batchSize: integer(1, 100_000, 'entries per transaction').default('10000'),
    vacuum: toggle('give the space back to the file system: rewrites the table, which is locked meanwhile'),
  }),
};

export function registerPrune(parent: Command, attach: Attach): void {
  const command = parent.command('prune');
  describe(command, {
    flags: FLAGS,
    summary: 'Empty the bodies of old raw entries; with --apply.',
    details:
      'Retention: the raw log keeps every entry with its hash, its counters and its records, and loses the bytes. A ' +
      'redelivery is still recognized, and brings nothing back; verify says pruned, not lost. Only an entry that was applied ' +
      'as a whole, and with everything in the database as it should be, loses its body: what is pending, failed, rejected, in ' +
      'an unknown format, missing or different keeps it, and so do account_update events: report, connection check ' +
      'and history request read it. A group that a replay with --include brought in is messages like any other: class processed, ' +
      'which the default does not touch. With --no-keep-alerts the events that a later one has overtaken lose theirs. ' +
      'Without --apply it compares all the same, prints what it would prune and keep, and changes nothing. Nothing brings a body ' +
      'back, neither undo nor its file; and what another program then changes in its messages, verify can no longer compare.',
    examples: [
      ['wa-reconcile prune --older-than 180d', 'what that would win, by class and connection'],
      [
        'wa-reconcile prune --older-than 180d --apply',
        'WhatsApp Status, groups and newsletters that were left out',
      ],
      [
        'wa-reconcile prune --older-than 2w --class status,group,newsletter,broadcast --apply',
        'sooner, and broadcasts',
      ],
      ['wa-reconcile prune --older-than 730d --class processed --apply --vacuum', 'messages, too'],
      ['wa-reconcile reconcile --apply --prune-older-than 180d', 'every night, once everything is compared'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'pruned, or planned',
      [EXIT.partial]:
        'some entries keep their bodies: a repair may need them, or their messages changed meanwhile',
      [EXIT.interrupted]: 'interrupted; run the same command again to resume',
    },
  });
  attach(command, pruneCommand);
}

async function pruneCommand(call: Call): Promise<Outcome> {
  const [{ withContext }, { prune }] = await Promise.all([
    import('../session.js'),
    import('../../commands/prune/prune.js'),
  ]);
  const options = readOptions(call);
  const { apply } = options;
  const result = await withContext(
    call,
    {
      command: 'prune',
      interruptible: apply ? 'batches' : 'reading',
      lock: apply ? 'exclusive' : undefined,
    },
    (ctx) => prune(ctx, options),
  );
  if (apply && options.vacuum && result.status !== 'interrupted' && !result.vacuumed)
    call.notice(NOT_VACUUMED);
  const again = typedAgain(call.argv, 'empties them', (words) => [...withoutDryRun(words), '--apply']);
  return { presentation: presentPrune(result, again), exitCode: exitCodeFor(result) };
}

const NOT_VACUUMED =
  'The space is not free yet: this role does not own the table of the raw log, and the server left it as it was.';

/** Throws ConfigError for invalid or contradictory options. */
function readOptions(line: Line): PruneOptions {
  const { values, origin, recorded } = readFlags(FLAGS, line);
  const { class: classes, dryRun: isDry, olderThan, keepAlerts: keep, noKeepAlerts, ...rest } = values;
  if (isDry && rest.apply) throw applyAndDryRun(origin, '--apply empties bodies');
  if (rest.vacuum && !rest.apply && origin('vacuum').from === 'flag') {
    throw contradiction(
      `${origin('vacuum').place} has no effect without --apply: a plan changes nothing.`,
      'Add --apply, or leave --vacuum out.',
    );
  }
  if (origin('noKeepAlerts').from === 'flag' && !classes.includes('processed')) {
    throw contradiction(
      '--no-keep-alerts has no effect without --class processed: account events are of that class.',
      'Add --class processed, or leave --no-keep-alerts out.',
    );
  }
  if (olderThan === undefined) {
    throw new ConfigError('--older-than is missing: it says which entries are old.', {
      code: 'no_age',
      remedy: remedy('prune', ['--older-than', '180d'], 'shows how much space 180 days would free'),
    });
  }
  // What is typed goes before the environment.
  const keepAlerts = origin('noKeepAlerts').from !== 'flag' && (keep || !noKeepAlerts);
  return { ...rest, olderThan, keepAlerts, classes: new Set(classes), recordedOptions: recorded };
}

function exitCodeFor({ status }: PruneResult): ExitCode {
  return exitCodeOf(status);
}
