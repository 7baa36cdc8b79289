import type { Command } from 'commander';
import type { DatabaseStatus } from '../../commands/database.js';
import { EXIT, UserError, type ExitCode } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { chooseDatabase } from '../choose-database.js';
import { presentDatabaseStatus } from '../views/database.js';

export function registerDbStatus(parent: Command, attach: Attach): void {
  const command = describe(parent.command('status'), {
    summary: 'Show which database is used and whether its tables are up to date.',
    examples: [
      ['wa-reconcile db status', 'show the database and its migrations'],
      ['wa-reconcile db status --json', 'the same as JSON'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'up to date',
      [EXIT.usage]: 'wrong usage or configuration; a database that this version cannot use',
      [EXIT.partial]: 'migrations are pending',
    },
  });
  attach(command, status);
}

async function status(call: Call): Promise<Outcome> {
  const [{ withContext }, { databaseStatus, statusOfMissingDatabase }] = await Promise.all([
    import('../session.js'),
    import('../../commands/database.js'),
  ]);
  const { config, place } = chooseDatabase(call.settings, call.environment, call.io);
  const result = await withContext(call, { command: 'db status', unmigrated: true }, databaseStatus).catch(
    (error: unknown) => {
      const isMissing = error instanceof UserError && error.code === 'database_missing';
      if (config.kind !== 'pglite' || !isMissing) throw error;
      return statusOfMissingDatabase(config.directory, error);
    },
  );
  return { presentation: presentDatabaseStatus(result, place), exitCode: exitCodeFor(result) };
}

function exitCodeFor(result: DatabaseStatus): ExitCode {
  if (result.problem !== undefined) return EXIT.usage;
  return result.upToDate ? EXIT.ok : EXIT.partial;
}
