import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { HistoryArrival } from '../../commands/graph/follow-history.js';
import type { HistoryOptions, HistoryPlan } from '../../commands/graph/history-plan.js';
import type { HistoryRequestResult } from '../../commands/graph/request-history.js';
import { ConfigError, EXIT, UserError, type ExitCode } from '../../model/errors.js';
import { appSecretFile, readAppSecrets } from '../app-secrets.js';
import type { Attach, Call, Outcome } from '../call.js';
import { chooseDatabase } from '../choose-database.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { moment, property, toggle, zone } from '../flags/kinds.js';
import { dryRun, graphVersion } from '../flags/shared.js';
import { readFlags } from '../flags/table.js';
import { askText, whyNotAsk } from '../prompts.js';
import { arrivalLine, planLines, presentHistoryRequest } from '../views/history-request.js';
import { ORGANIZATION, referenceArgument } from './connection-options.js';

const FLAGS = {
  dryRun: dryRun('show what would be requested, and what stands in its way'),
  confirm: property('number', 'the number of the connection, typed to confirm'),
  onboarded: moment('when the number was connected, where the raw log does not say').onlyTyped(),
  tz: zone('the zone of a time without one'),
  again: toggle('request again what got no known answer').onlyTyped(),
  wait: toggle('follow what comes, until it is complete').onlyTyped(),
  graphVersion: graphVersion(),
  appSecretFile: appSecretFile(),
  ...ORGANIZATION,
};

export function registerHistoryRequest(parent: Command, attach: Attach): void {
  const command = describe(parent.command('request').addArgument(referenceArgument()), {
    flags: FLAGS,
    summary: 'Ask Meta for the one history of a coexistence number: contacts, then messages.',
    details:
      'Meta takes each request once, in the 24 hours after the number was connected to the API, and sends the answer by webhook. ' +
      'If no program receives it, it is lost, so everything is checked first, and nothing is requested if something is wrong. ' +
      'The number has to be typed, or given with --confirm; --yes does not confirm it. The business must have agreed to share ' +
      'its history in the app: a refusal comes as a webhook, and the report shows it.',
    examples: [
      ['wa-reconcile history request main --dry-run', 'what would be requested'],
      ['wa-reconcile history request main', 'asks for the number first'],
      ['wa-reconcile history request main --confirm +5511912345678 --wait', 'in a script, and follow it'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'requested; with --wait, complete; with --dry-run, nothing stands in its way',
      [EXIT.failure]: 'Meta refused or could not be reached, or not confirmed',
      [EXIT.usage]: 'wrong usage or configuration; no such connection; the number is missing or another',
      [EXIT.findings]:
        'refused: it would fail or be lost, or was requested before; with --wait, declined or with gaps',
      [EXIT.interrupted]: 'interrupted; what was requested stays requested',
    },
  });
  attach(command, request);
}

async function request(call: Call): Promise<Outcome> {
  const [
    { withContext },
    { readGraphAccess },
    { planHistory },
    { followedResult, plannedResult, requestHistory },
  ] = await Promise.all([
    import('../session.js'),
    import('../graph-options.js'),
    import('../../commands/graph/history-plan.js'),
    import('../../commands/graph/request-history.js'),
  ]);
  const { values, origin } = readFlags(FLAGS, call);
  const options: HistoryOptions = {
    connection: call.args[0] ?? '',
    organization: values.organization,
    access: readGraphAccess(call, values.graphVersion),
    database: chooseDatabase(call.settings, call.environment, call.io).config,
    onboardedAt: values.onboarded,
    again: values.again,
  };
  const session = {
    command: 'history request',
    lock: 'shared',
    appSecrets: readAppSecrets(call, values.appSecretFile, origin('appSecretFile')),
  } as const;
  const { plan, connection } = await withContext(call, session, (ctx) => planHistory(ctx, options));
  const planned = plannedResult(plan);
  const isFollowed = values.wait && plan.obstacles.some(({ code }) => code === 'already_requested');
  if (isFollowed) return follow(call, followedResult(plan));
  if (values.dryRun || planned.status === 'refused') return outcomeOf(planned);
  for (const line of planLines(plan)) call.notice(line);
  // Asked between two sessions: an open question must not lock others out of the embedded database.
  await confirmNumber(call, plan, values.confirm);
  const result = await withContext(call, { ...session, interruptible: 'batches' }, (ctx) =>
    requestHistory(ctx, { ...options, connection: connection.id }),
  );
  return values.wait && result.status === 'requested' ? follow(call, result) : outcomeOf(result);
}

function outcomeOf(result: HistoryRequestResult): Outcome {
  return {
    presentation: presentHistoryRequest(result, null),
    exitCode: result.status === 'refused' ? EXIT.findings : EXIT.ok,
  };
}

/** The person confirms by typing the number; `--yes` is not enough for a one-time request. */
async function confirmNumber(call: Call, plan: HistoryPlan, given: string | undefined): Promise<void> {
  const { assertConfirmed, isConfirmed } = await import('../../commands/graph/request-history.js');
  if (given !== undefined) {
    assertConfirmed(plan, given, '--confirm');
    return;
  }
  const whyNot = whyNotAsk(call);
  if (whyNot !== undefined) {
    throw new ConfigError(`--confirm NUMBER is required, because it cannot be asked for here: ${whyNot}.`, {
      code: 'confirmation_required',
      remedy: 'Add --confirm with the number of the connection, if you mean it.',
    });
  }
  const typed = await askText(call, { message: `Type the number of ${plan.connection.name} to request it:` });
  if (isConfirmed(plan, typed)) return;
  throw new UserError('Nothing was requested: not confirmed.', {
    exitCode: EXIT.failure,
    code: 'not_confirmed',
  });
}

/** How often the raw log is read. */
const EVERY_MS = 2000;

/** Follows new entries in a series of short sessions: the webhook writer must not be locked out. */
async function follow(call: Call, result: HistoryRequestResult): Promise<Outcome> {
  const [{ withContext }, { NOTHING_YET, readArrival }] = await Promise.all([
    import('../session.js'),
    import('../../commands/graph/follow-history.js'),
  ]);
  const { signal } = call.stop;
  const asked = result.steps.flatMap(({ requestedAt }) =>
    requestedAt === null ? [] : Date.parse(requestedAt),
  );
  const since = Math.min(...asked);
  let arrival: HistoryArrival = NOTHING_YET;
  call.notice(
    'Waiting for the webhooks of the history. Ctrl-C ends the waiting; what was requested stays requested.',
  );
  for (;;) {
    const before = arrival;
    arrival = await withContext(call, { command: 'history request', interruptible: 'reading' }, (ctx) =>
      readArrival(ctx, result.connection, since, before),
    );
    if (arrival.lastEntryId !== before.lastEntryId) call.notice(arrivalLine(arrival));
    if (arrival.status !== 'waiting' && arrival.status !== 'arriving') break;
    const isStopped = await delay(EVERY_MS, false, { signal }).catch(() => true);
    if (isStopped) break;
  }
  return {
    presentation: presentHistoryRequest(result, arrival),
    exitCode: signal.aborted ? EXIT.interrupted : exitCodeOf(arrival),
  };
}

function exitCodeOf({ status, missingChunks }: HistoryArrival): ExitCode {
  switch (status) {
    case 'waiting':
    case 'arriving':
      return EXIT.ok;
    case 'completed':
      return missingChunks.length === 0 ? EXIT.ok : EXIT.findings;
    case 'declined':
      return EXIT.findings;
    case 'failed':
      return EXIT.failure;
  }
}
