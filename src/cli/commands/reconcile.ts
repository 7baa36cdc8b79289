import { Option, type Command } from 'commander';
import type { ReconcileResult } from '../../core/reconcile/result.js';
import { INCLUDABLE_CHATS } from '../../model/enumerations.js';
import { EXIT, type ExitCode } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { exitCodeOf } from '../exit.js';
import { collect } from '../flags.js';
import { presentNight } from '../render/night.js';
import { reportedOn, verifiedOn } from '../render/remedies.js';
import { databaseFlags } from '../shell-words.js';

export function registerReconcile(parent: Command, attach: Attach): void {
  const command = parent.command('reconcile');
  for (const option of options()) command.addOption(option);
  describe(command, {
    summary: 'Reconcile everything, as a cron job does every night.',
    details:
      'Replays what is pending or failed, counts doubles (and merges the certain ones with --apply), verifies ' +
      'what was stored since the last night, and reports: one line says what came of it. A night that was ' +
      'skipped, killed or found something missing is caught up by the next. Two at once: the second is told ' +
      'who runs (exit 5), or waits with --lock-wait.',
    examples: [
      ['wa-reconcile reconcile --apply --lock-wait 30m', 'every night'],
      ['wa-reconcile reconcile --apply --full', 'once a week: everything that was ever stored, again'],
      ['wa-reconcile reconcile --dry-run', 'what tonight would do'],
      ['wa-reconcile reconcile --json | jq -r .verdict', 'the one line'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'reconciled, and nothing to look at',
      [EXIT.findings]: 'reconciled, and something to look at: missing, duplicated, findings, alerts',
      [EXIT.partial]: 'partial: something was rejected, not recognised or left pending',
      [EXIT.interrupted]: 'interrupted; the next one catches it up',
    },
  });
  attach(command, reconcileCommand);
}

async function reconcileCommand(call: Call): Promise<Outcome> {
  const [{ resolveReconcileOptions }, { withContext }, { reconcile }] = await Promise.all([
    import('../settings/reconcile.js'),
    import('../session.js'),
    import('../../core/reconcile/reconcile.js'),
  ]);
  const reconcileOptions = resolveReconcileOptions(call.given, call.environment);
  const result = await withContext(
    call,
    {
      command: 'reconcile',
      interruptible: true,
      lock: reconcileOptions.dryRun ? 'shared' : 'exclusive',
    },
    (ctx) => reconcile(ctx, reconcileOptions),
  );
  const flags = databaseFlags(call.given);
  const advised: ReconcileResult = {
    ...result,
    verify: result.verify === null ? null : verifiedOn(result.verify, flags),
    report: result.report === null ? null : reportedOn(result.report, flags),
  };
  return { presentation: presentNight(advised, call.argv), exitCode: exitCodeOfNight(result) };
}

/** Errors beat partial, partial beats findings; an alert is something to look at. */
function exitCodeOfNight({ status, figures }: ReconcileResult): ExitCode {
  if (status !== 'completed') return exitCodeOf(status);
  const { missing, doubled, findings, alerts } = figures;
  return missing + doubled + findings + alerts > 0 ? EXIT.findings : EXIT.ok;
}

function options(): Option[] {
  const grouped = (group: string, list: Option[]): Option[] => list.map((option) => option.helpGroup(group));
  return [
    ...grouped('How:', [
      new Option('--apply', 'merge doubles that carry one id, or the two ids of one message'),
      new Option('--full', 'everything that was ever stored, not only what is new since the last night'),
      new Option('-n, --dry-run', 'write nothing; say what the night would do'),
      new Option('--register', 'create connections that entries name and nobody knows'),
      new Option('--tickets <mode>', 'auto (default): for live messages; or none').choices(['auto', 'none']),
      new Option('--include <kinds>', `chats to bring in: ${INCLUDABLE_CHATS.join(', ')}`).argParser(collect),
    ]),
    ...grouped('Alerts:', [
      new Option('--history-after <duration>', 'no history so long after onboarding (default: 60m)'),
      new Option('--silent-after <duration>', 'no live event for so long (default: by its own rhythm)'),
      new Option('--tz <zone>', 'the zone of the days (default: this machine’s)'),
    ]),
    ...grouped('Rarely needed:', [new Option('--batch-size <n>', 'rows per transaction (default: 1000)')]),
  ];
}
