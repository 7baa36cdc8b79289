import { Option, type Command } from 'commander';
import type { ReconcileResult } from '../../core/reconcile/result.js';
import { INCLUDABLE_CHATS } from '../../model/enumerations.js';
import { hasOpen } from '../../core/report/acknowledgements.js';
import { EXIT, type ExitCode } from '../../model/errors.js';
import type { Severity } from '../../model/severity.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { exitCodeOf } from '../exit.js';
import { collect, failOnOption } from '../flags.js';
import { presentReconciled } from '../views/reconcile.js';

export function registerReconcile(parent: Command, attach: Attach): void {
  const command = parent.command('reconcile');
  for (const option of options()) command.addOption(option);
  describe(command, {
    summary: 'Reconcile everything, as a cron job does every night.',
    details:
      'Replays what is pending or failed, counts duplicates (and merges the certain ones with --apply), ' +
      'verifies, restores from the raw log what is missing or different, and reports: one line says the ' +
      'result. What was stored or changed since the last run is compared with the raw log entry by entry; of ' +
      'everything else it makes sure that no message has changed since it last was. A run that was ' +
      'skipped or killed is caught up by the next. Two at once: the second names the first ' +
      '(exit 5), or waits with --lock-wait.',
    examples: [
      ['wa-reconcile reconcile --apply --lock-wait 30m', 'every night'],
      ['wa-reconcile reconcile --apply --full', 'once a week: everything that was ever stored, again'],
      ['wa-reconcile reconcile --fail-on loss', 'page only when messages are lost'],
      ['wa-reconcile reconcile --dry-run', 'what it would do'],
      ['wa-reconcile reconcile --json | jq -r .verdict', 'the one line'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'reconciled, and nothing is lost or degraded that was not acknowledged',
      [EXIT.findings]: 'reconciled, and something is lost or degraded (or as bad as --fail-on says)',
      [EXIT.partial]: 'the same, and this run left something pending, rejected or unrecognised',
      [EXIT.interrupted]: 'interrupted; the next one catches it up',
    },
  });
  attach(command, reconcileCommand);
}

async function reconcileCommand(call: Call): Promise<Outcome> {
  const [{ resolveReconcileSettings }, { withContext }, { reconcile }] = await Promise.all([
    import('../settings/reconcile.js'),
    import('../session.js'),
    import('../../core/reconcile/reconcile.js'),
  ]);
  const { options: reconcileOptions, failOn } = resolveReconcileSettings(call.given, call.environment);
  const result = await withContext(
    call,
    {
      command: 'reconcile',
      interruptible: 'batches',
      lock: reconcileOptions.dryRun ? 'shared' : 'exclusive',
    },
    (ctx) => reconcile(ctx, reconcileOptions),
  );
  return {
    presentation: presentReconciled(result, call.argv),
    exitCode: exitCodeOfReconcile(result, failOn),
  };
}

/** Errors beat partial, partial beats findings. What was acknowledged, or is less bad than asked for, is no finding. */
function exitCodeOfReconcile({ status, report }: ReconcileResult, failOn: Severity): ExitCode {
  switch (status) {
    case 'failed':
    case 'interrupted':
      return exitCodeOf(status);
    case 'completed':
    case 'partial': {
      if (!hasOpen(report?.alerts ?? [], failOn)) return EXIT.ok;
      return status === 'partial' ? EXIT.partial : EXIT.findings;
    }
  }
}

function options(): Option[] {
  const grouped = (group: string, list: Option[]): Option[] => list.map((option) => option.helpGroup(group));
  return [
    ...grouped('How:', [
      new Option('--apply', 'merge duplicates that carry one id, or the two ids of one message'),
      new Option(
        '--full',
        'everything that was ever stored, not only what is new or changed since the last run',
      ),
      new Option('-n, --dry-run', 'write nothing; say what it would do'),
      new Option('--register', 'create connections that entries name and nobody knows'),
      new Option('--tickets <mode>', 'auto (default): for live messages; or none').choices(['auto', 'none']),
      new Option('--include <kinds>', `chats to bring in: ${INCLUDABLE_CHATS.join(', ')}`).argParser(collect),
    ]),
    ...grouped('Alerts:', [
      new Option('--history-after <duration>', 'no history so long after onboarding (default: 60m)'),
      new Option('--silent-after <duration>', 'no live event for so long (default: by its own rhythm)'),
      new Option('--tz <zone>', 'the zone of the days (default: this machine’s)'),
      failOnOption('degraded'),
    ]),
    ...grouped('Rarely needed:', [new Option('--batch-size <n>', 'rows per transaction (default: 1000)')]),
  ];
}
