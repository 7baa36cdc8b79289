import { Argument, type Command } from 'commander';
import type { CheckResult } from '../../commands/graph/types.js';
import { EXIT, type ExitCode } from '../../model/errors.js';
import { appSecretFile, readAppSecrets } from '../app-secrets.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { readFlags } from '../flags/table.js';
import { graphVersion } from '../flags/shared.js';
import { presentCheck } from '../views/graph-check.js';
import { ORGANIZATION } from './connection-options.js';

const FLAGS = {
  graphVersion: graphVersion(),
  appSecretFile: appSecretFile(),
  ...ORGANIZATION,
};

/** The result of checking connections. */
export const CHECK_EXITS = {
  ...DATABASE_EXITS,
  [EXIT.ok]: 'nothing found',
  [EXIT.failure]: 'some questions to Meta failed, or the database failed',
  [EXIT.usage]: 'wrong usage or configuration; no such connection; the secret key is missing or another',
  [EXIT.findings]: 'there are findings',
};

export function registerConnectionCheck(parent: Command, attach: Attach): void {
  const command = parent
    .command('check')
    .addArgument(
      new Argument('[connection]', 'its name, id, phone_number_id or phone (default: all in use)'),
    );
  describe(command, {
    flags: FLAGS,
    summary: 'Ask Meta whether a connection can receive everything.',
    details:
      'Checks the access token, the number, its account, the webhook fields, and how long its history can still be requested; ' +
      'changes nothing at Meta. What Meta never gives: a contact’s picture or "about", and past messages, which come only with ' +
      'the one history of `history request`. Contacts’ names come with webhooks and the address book.',
    examples: [
      ['wa-reconcile connection check main', 'one connection'],
      [
        `wa-reconcile connection check --json | jq '.connections[].checks[] | select(.status == "finding")'`,
        'only the findings, of all connections',
      ],
    ],
    exits: CHECK_EXITS,
  });
  attach(command, check);
}

async function check(call: Call): Promise<Outcome> {
  const [{ withContext }, { readGraphAccess }, { checkConnections }] = await Promise.all([
    import('../session.js'),
    import('../graph-options.js'),
    import('../../commands/graph/check.js'),
  ]);
  const { values, origin } = readFlags(FLAGS, call);
  const access = readGraphAccess(call, values.graphVersion);
  const session = {
    command: 'connection check',
    appSecrets: readAppSecrets(call, values.appSecretFile, origin('appSecretFile')),
  } as const;
  const result = await withContext(call, session, (ctx) =>
    checkConnections(ctx, { connection: call.args[0], organization: values.organization, access }),
  );
  return { presentation: presentCheck(result), exitCode: exitCodeOfCheck(result) };
}

export function exitCodeOfCheck({ status }: Pick<CheckResult, 'status'>): ExitCode {
  switch (status) {
    case 'ok':
      return EXIT.ok;
    case 'findings':
      return EXIT.findings;
    case 'failed':
      return EXIT.failure;
  }
}
