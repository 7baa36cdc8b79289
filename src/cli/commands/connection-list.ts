import type { Command } from 'commander';
import { EXIT } from '../../model/errors.js';
import { appSecretFile, readAppSecrets } from '../app-secrets.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { toggle } from '../flags/kinds.js';
import { readFlags } from '../flags/table.js';
import { graphVersion } from '../flags/shared.js';
import { ORGANIZATION } from './connection-options.js';
import { exitCodeOfCheck } from './connection-check.js';
import { presentConnections } from '../views/connections.js';

const FLAGS = {
  check: toggle('ask Meta about each, as `connection check` does').onlyTyped(),
  graphVersion: graphVersion(),
  appSecretFile: appSecretFile(),
  ...ORGANIZATION,
};

export function registerConnectionList(parent: Command, attach: Attach): void {
  const command = describe(parent.command('list'), {
    flags: FLAGS,
    summary: 'List the connections.',
    examples: [
      ['wa-reconcile connection list', 'list all, with the status of their history'],
      ['wa-reconcile connection list --json | jq -r ".connections[].name"', 'print only the names'],
      ['wa-reconcile connection list --check', 'and what Meta says of each'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.failure]: 'it failed: database unreachable; with --check, Meta could not be asked about all',
      [EXIT.findings]: 'with --check: there are findings',
    },
  });
  attach(command, list);
}

async function list(call: Call): Promise<Outcome> {
  const [{ withContext }, { listConnections }] = await Promise.all([
    import('../session.js'),
    import('../../commands/connections/list.js'),
  ]);
  const { values, origin } = readFlags(FLAGS, call);
  const { organization } = values;
  if (!values.check) {
    const result = await withContext(call, { command: 'connection list' }, (ctx) =>
      listConnections(ctx, organization),
    );
    return { presentation: presentConnections(result), exitCode: EXIT.ok };
  }
  const [{ readGraphAccess }, { checkConnections }] = await Promise.all([
    import('../graph-options.js'),
    import('../../commands/graph/check.js'),
  ]);
  const access = readGraphAccess(call, values.graphVersion);
  const session = {
    command: 'connection list',
    appSecrets: readAppSecrets(call, values.appSecretFile, origin('appSecretFile')),
  } as const;
  const [checked, result] = await withContext(call, session, async (ctx) => [
    // First: it may discover when a number was connected.
    await checkConnections(ctx, { organization, access }),
    await listConnections(ctx, organization),
  ]);
  return {
    presentation: presentConnections(result, checked.connections),
    exitCode: exitCodeOfCheck(checked),
  };
}
