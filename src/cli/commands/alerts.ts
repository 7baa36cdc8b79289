import { Argument, type Command } from 'commander';
import { EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { futureMoment, text, toggle, zone } from '../flags/kinds.js';
import { alertLimits, connection, limitsOf } from '../flags/shared.js';
import { group, readFlags } from '../flags/table.js';

const WHICH = 'only alerts of this connection';

const LIST_FLAGS = {
  ...group('Which:', { connection: connection(WHICH), ...alertLimits() }),
  ...group('How:', { noAudit: toggle('a quick look: verify nothing, and do not compare the raw log') }),
};

const ACK_FLAGS = {
  ...group('Which:', { connection: connection(WHICH), ...alertLimits() }),
  ...group('How:', {
    until: futureMoment('when it ends: 2026-12-31, 36h, 14d').otherwise('when the alert changes'),
    reason: text('text', 'why; shown with the alert'),
    tz: zone('the zone of a date without one'),
  }),
};

const UNACK_FLAGS = group('Which:', { connection: connection(WHICH) });

export function registerAlerts(parent: Command, attach: Attach): void {
  const alerts = parent.command('alerts').summary('list, ack, or remove an acknowledgement (unack)');
  alerts.description('Alerts: what needs a person.').usage('<command> [options]');
  attach(listCommand(alerts), list);
  attach(ackCommand(alerts), ack);
  attach(unackCommand(alerts), unack);
}

function listCommand(parent: Command): Command {
  return describe(parent.command('list'), {
    flags: LIST_FLAGS,
    summary: 'List the alerts, the worst first, with their ids.',
    details:
      'The alerts that reconcile and report raise. It verifies the database and compares the raw log, and ' +
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
  return describe(parent.command('ack').addArgument(alertArgument()), {
    flags: ACK_FLAGS,
    summary: 'Acknowledge alerts: they stay listed, but no longer affect the verdict or the exit code.',
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
  return describe(parent.command('unack').addArgument(alertArgument()), {
    flags: UNACK_FLAGS,
    summary: 'Withdraw the acknowledgement of alerts.',
    examples: [['wa-reconcile alerts unack silent --connection loja', 'count it again']],
    exits: { ...DATABASE_EXITS, [EXIT.usage]: 'wrong usage or configuration; nothing was acknowledged' },
  });
}

async function list(call: Call): Promise<Outcome> {
  const [{ presentAlerts }, { withContext }, { listAlerts }] = await Promise.all([
    import('../views/alerts.js'),
    import('../session.js'),
    import('../../commands/alerts/alerts.js'),
  ]);
  const { values } = readFlags(LIST_FLAGS, call);
  const options = { connection: values.connection, ...limitsOf(values), audit: !values.noAudit };
  const result = await withContext(call, { command: 'alerts list', interruptible: 'reading' }, (ctx) =>
    listAlerts(ctx, options),
  );
  // As in verify and report: nothing to watch is never green (V2).
  const isEmpty = result.connections.length === 0;
  return { presentation: presentAlerts(result), exitCode: isEmpty ? EXIT.usage : EXIT.ok };
}

async function ack(call: Call): Promise<Outcome> {
  const [{ presentAlertsChanged }, { withContext }, { acknowledgeAlerts }] = await Promise.all([
    import('../views/alerts.js'),
    import('../session.js'),
    import('../../commands/alerts/alerts.js'),
  ]);
  const { values } = readFlags(ACK_FLAGS, call);
  const { connection: name, until, reason } = values;
  const options = { alert: call.args[0] ?? '', connection: name, ...limitsOf(values), until, reason };
  const result = await withContext(call, { command: 'alerts ack' }, (ctx) => acknowledgeAlerts(ctx, options));
  return { presentation: presentAlertsChanged(result), exitCode: EXIT.ok };
}

async function unack(call: Call): Promise<Outcome> {
  const [{ presentAlertsChanged }, { withContext }, { unacknowledgeAlerts }] = await Promise.all([
    import('../views/alerts.js'),
    import('../session.js'),
    import('../../commands/alerts/alerts.js'),
  ]);
  const meant = { alert: call.args[0] ?? '', ...readFlags(UNACK_FLAGS, call).values };
  const result = await withContext(call, { command: 'alerts unack' }, (ctx) =>
    unacknowledgeAlerts(ctx, meant),
  );
  return { presentation: presentAlertsChanged(result), exitCode: EXIT.ok };
}

function alertArgument(): Argument {
  return new Argument('<alert>', 'its id, or a kind: silent, rejects, messages_missing, …');
}
