import { Argument, Option, type Command } from 'commander';
import { EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';

export function registerAlerts(parent: Command, attach: Attach): void {
  const alerts = parent.command('alerts').summary('list, acknowledge (ack) and take back (unack) alerts');
  alerts.description('Alerts: what needs a person.').usage('<command> [options]');
  attach(listCommand(alerts), list);
  attach(ackCommand(alerts), ack);
  attach(unackCommand(alerts), unack);
}

function listCommand(parent: Command): Command {
  const command = parent.command('list').addOption(connectionOption());
  for (const option of limitOptions()) command.addOption(option);
  command.addOption(
    new Option('--no-audit', 'a quick look: verify nothing, and do not compare the raw log').helpGroup(
      'How:',
    ),
  );
  return describe(command, {
    summary: 'List the alerts, the worst first, with their ids.',
    details:
      'The same alerts as reconcile and report raise: it verifies the database and compares the raw log, and ' +
      'changes nothing. Those that were acknowledged are shown last.',
    examples: [
      ['wa-reconcile alerts list', 'everything that needs a person'],
      ['wa-reconcile alerts list --no-audit --connection loja', 'a quick look at one number'],
      ['wa-reconcile alerts list --json | jq -r ".alerts[].id"', 'their ids'],
    ],
    exits: { ...DATABASE_EXITS, [EXIT.interrupted]: 'interrupted' },
  });
}

function ackCommand(parent: Command): Command {
  const command = parent.command('ack').addArgument(alertArgument()).addOption(connectionOption());
  for (const option of limitOptions()) command.addOption(option);
  for (const option of [
    new Option('--until <time>', 'when it ends: 2026-12-31, 36h, 14d (default: when the alert changes)'),
    new Option('--reason <text>', 'why; shown with the alert'),
    new Option('--tz <zone>', 'the zone of a date without one (default: this machine’s)'),
  ])
    command.addOption(option.helpGroup('How:'));
  return describe(command, {
    summary: 'Acknowledge alerts: they are still shown, and colour nothing.',
    details:
      'It ends by itself when the alert changes (more messages, another chunk, a new silence), or at --until. ' +
      'Who did it, where and when is stored with it.',
    examples: [
      ['wa-reconcile alerts ack silent --connection loja --until 14d --reason holidays', 'for two weeks'],
      ['wa-reconcile alerts ack rejects-0f3a9c1d', 'one alert, by the id that alerts list shows'],
      ['wa-reconcile alerts ack declined', 'every alert of a kind'],
    ],
    exits: { ...DATABASE_EXITS, [EXIT.usage]: 'wrong usage or configuration; no such alert' },
  });
}

function unackCommand(parent: Command): Command {
  return describe(parent.command('unack').addArgument(alertArgument()).addOption(connectionOption()), {
    summary: 'Take the acknowledgement of alerts back.',
    examples: [['wa-reconcile alerts unack silent --connection loja', 'it counts again']],
    exits: { ...DATABASE_EXITS, [EXIT.usage]: 'wrong usage or configuration; nothing was acknowledged' },
  });
}

async function list(call: Call): Promise<Outcome> {
  const [{ resolveAlertsSettings }, { presentAlerts }, { withContext }, { listAlerts }] = await Promise.all([
    import('../settings/alerts.js'),
    import('../views/alerts.js'),
    import('../session.js'),
    import('../../core/alerts/alerts.js'),
  ]);
  const options = resolveAlertsSettings(call.given, call.environment);
  const result = await withContext(call, { command: 'alerts list', interruptible: 'reading' }, (ctx) =>
    listAlerts(ctx, options),
  );
  return { presentation: presentAlerts(result), exitCode: EXIT.ok };
}

async function ack(call: Call): Promise<Outcome> {
  const [{ resolveAckSettings }, { presentAlertsChanged }, { withContext }, { acknowledgeAlerts }] =
    await Promise.all([
      import('../settings/alerts.js'),
      import('../views/alerts.js'),
      import('../session.js'),
      import('../../core/alerts/alerts.js'),
    ]);
  const { given, environment, io, args } = call;
  const options = resolveAckSettings(args[0] ?? '', given, environment, io.clock());
  const result = await withContext(call, { command: 'alerts ack' }, (ctx) => acknowledgeAlerts(ctx, options));
  return { presentation: presentAlertsChanged(result), exitCode: EXIT.ok };
}

async function unack(call: Call): Promise<Outcome> {
  const [{ resolveUnackSettings }, { presentAlertsChanged }, { withContext }, { unacknowledgeAlerts }] =
    await Promise.all([
      import('../settings/alerts.js'),
      import('../views/alerts.js'),
      import('../session.js'),
      import('../../core/alerts/alerts.js'),
    ]);
  const meant = resolveUnackSettings(call.args[0] ?? '', call.given, call.environment);
  const result = await withContext(call, { command: 'alerts unack' }, (ctx) =>
    unacknowledgeAlerts(ctx, meant),
  );
  return { presentation: presentAlertsChanged(result), exitCode: EXIT.ok };
}

function alertArgument(): Argument {
  return new Argument('<alert>', 'its id, or a kind: silent, rejects, messages_missing, …');
}

function connectionOption(): Option {
  return new Option('--connection <name>', 'only alerts of this connection').helpGroup('Which:');
}

function limitOptions(): Option[] {
  return [
    new Option('--history-after <duration>', 'no history so long after onboarding (default: 60m)'),
    new Option('--silent-after <duration>', 'no live event for so long (default: by its own rhythm)'),
  ].map((option) => option.helpGroup('Which:'));
}
