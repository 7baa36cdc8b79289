import type { Command } from 'commander';
import type { ReconcileOptions, ReconcileResult } from '../../commands/reconcile/types.js';
import { hasOpen } from '../../audit/alert.js';
import { EXIT, type ExitCode } from '../../model/errors.js';
import type { Severity } from '../../model/enumerations.js';
import { appSecretFile, readAppSecrets, withSecretPath } from '../app-secrets.js';
import { readSecretKey } from '../device-options.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { exitCodeOf } from '../exit.js';
import { duration, nameList, toggle, zone } from '../flags/kinds.js';
import * as shared from '../flags/shared.js';
import { group, readFlags } from '../flags/table.js';

const FLAGS = {
  ...group('How:', {
    apply: toggle(
      'merge duplicates that carry one id, or the two ids of one message, and rows that have lost their id',
    ),
    full: toggle('everything that was ever stored, not only what is new or changed since the last run'),
    dryRun: shared.dryRun('write nothing; say what it would do'),
    register: shared.register(),
    tickets: shared.tickets(),
    include: shared.include(),
    appSecretFile: appSecretFile(),
    pruneOlderThan: duration(
      'then empty the raw bodies of entries received this long ago or longer: 180d',
    ).otherwise('keep them'),
    pruneClass: shared.pruneClasses('of which classes; see prune'),
    compare: nameList('name', 'also compare this CRM, saved by compare --save; repeat it'),
  }),
  ...group('Alerts:', {
    ...shared.alertLimits(),
    tz: zone('the zone of the days'),
    failOn: shared.failOn('degraded'),
  }),
  ...group('Rarely needed:', { batchSize: shared.batchSize('rows'), as: shared.actor() }),
};

export function registerReconcile(parent: Command, attach: Attach): void {
  const command = parent.command('reconcile');
  describe(command, {
    flags: FLAGS,
    summary: 'Reconcile everything, as a cron job does every night.',
    details:
      'Replays what is pending or failed, counts duplicates (and merges the certain ones with --apply), ' +
      'verifies, restores from the raw log what is missing or different, corrects what follows from it (with ' +
      '--apply or --full), and reports; the last line is the verdict. What was stored since the last run is ' +
      'compared with the raw log entry by entry; and so is all of ' +
      'it, if any message, reaction, name or other row of before has changed. A run that was ' +
      'skipped or killed is made up for by the next one. A second run at the same time names the first ' +
      '(exit 5), or waits with --lock-wait.',
    examples: [
      ['wa-reconcile reconcile --apply --lock-wait 30m', 'every night'],
      ['wa-reconcile reconcile --apply --full', 'once a week: everything that was ever stored, again'],
      [
        'wa-reconcile reconcile --apply --prune-older-than 180d',
        'also prune what is old, once all of the log is accounted for',
      ],
      ['wa-reconcile reconcile --apply --compare crm', 'also compare the CRM saved as "crm" with the log'],
      ['wa-reconcile reconcile --fail-on loss', 'page only when messages are lost'],
      ['wa-reconcile reconcile --dry-run', 'what it would do'],
      ['wa-reconcile reconcile --json | jq -r .verdict', 'the one line'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'reconciled, and nothing is lost or degraded that was not acknowledged',
      [EXIT.findings]: 'reconciled, and something is lost or degraded (or as bad as --fail-on says)',
      [EXIT.partial]:
        'nothing as bad as --fail-on says, but this run left something pending, rejected or in an unknown format',
      [EXIT.interrupted]: 'interrupted; the next run catches up',
    },
  });
  attach(command, reconcileCommand);
}

async function reconcileCommand(call: Call): Promise<Outcome> {
  const [{ withContext }, { showReconcile }, { beginningsIn, presentReconciled }] = await Promise.all([
    import('../session.js'),
    import('../../commands/reconcile/show-reconcile.js'),
    import('../views/reconcile.js'),
  ]);
  const { options, failOn, appSecrets, actor } = readOptions(call);
  const outcomeOf = (result: ReconcileResult): Outcome => ({
    presentation: presentReconciled(result, call.argv),
    exitCode: exitCodeOfReconcile(result, failOn),
  });
  const result = await withContext(
    call,
    {
      command: 'reconcile',
      interruptible: options.dryRun ? 'rehearsal' : 'batches',
      lock: options.dryRun ? 'shared' : 'exclusive',
      appSecrets,
      actor,
    },
    (ctx) =>
      showReconcile(ctx, options, (found) =>
        call.isSilent(outcomeOf(found))
          ? { problems: [], rejected: [] }
          : beginningsIn(call.settings.format, found),
      ),
  );
  return outcomeOf(result);
}

/** What to do, and which severity exits with 3. Throws ConfigError. */
function readOptions(line: Call): {
  options: ReconcileOptions;
  failOn: Severity;
  appSecrets: readonly string[] | undefined;
  actor: string | undefined;
} {
  const { values, origin, recorded } = readFlags(FLAGS, line);
  const { full, apply, dryRun, register, tickets, include, batchSize, tz, failOn } = values;
  if (apply && dryRun) throw shared.applyAndDryRun(origin, '--apply merges duplicates');
  const options = {
    crms:
      values.compare.length === 0
        ? undefined
        : { names: values.compare, secretKey: readSecretKey(line.environment, line.io.cwd) },
    prune:
      values.pruneOlderThan === undefined
        ? undefined
        : { olderThan: values.pruneOlderThan, classes: new Set(values.pruneClass) },
    full,
    apply,
    dryRun,
    register,
    tickets,
    include: new Set(include),
    batchSize,
    ...shared.limitsOf(values),
    timeZone: tz,
    recordedOptions: withSecretPath(shared.withoutActor(recorded), line),
  };
  const appSecrets = readAppSecrets(line, values.appSecretFile, origin('appSecretFile'));
  return { options, failOn, appSecrets, actor: values.as };
}

/**
 * Errors beat findings, findings beat partial. Acknowledged or less severe alerts are not findings; a run that leaves
 * something unacknowledged behind is then partial.
 */
function exitCodeOfReconcile({ status, report }: ReconcileResult, failOn: Severity): ExitCode {
  switch (status) {
    case 'failed':
    case 'interrupted':
      return exitCodeOf(status);
    case 'completed':
    case 'partial': {
      const alerts = report?.alerts ?? [];
      if (hasOpen(alerts, failOn)) return EXIT.findings;
      // A note does not make a run partial.
      return status === 'partial' && hasOpen(alerts, 'degraded') ? EXIT.partial : EXIT.ok;
    }
  }
}
