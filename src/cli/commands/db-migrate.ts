import type { Command } from 'commander';
import { EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { presentMigrated } from '../views/database.js';

/** Two machines starting together both migrate: the second waits seconds for the first, and finds nothing to do. */
const OTHER_MIGRATION_MS = 30_000;

export function registerDbMigrate(parent: Command, attach: Attach): void {
  const command = describe(parent.command('migrate'), {
    summary: 'Create the tables or update them to this version.',
    details:
      'Applies the pending migrations, each in its own transaction. Safe to run ' +
      'from several machines at once, and interchangeable with `prisma migrate deploy`. ' +
      'The embedded database migrates itself; only PostgreSQL needs this command.',
    examples: [
      [
        'DATABASE_URL=postgresql://app@db.internal/crm wa-reconcile db migrate',
        'prepare a PostgreSQL database',
      ],
      ['wa-reconcile db migrate --database-url-file /run/secrets/database-url', 'read the URL from a file'],
    ],
    exits: DATABASE_EXITS,
  });
  attach(command, migrate);
}

async function migrate(call: Call): Promise<Outcome> {
  const [{ withContext }, { migrateDatabase }] = await Promise.all([
    import('../session.js'),
    import('../../commands/database.js'),
  ]);
  const result = await withContext(
    call,
    {
      command: 'db migrate',
      lock: 'exclusive',
      leastLockWaitMs: OTHER_MIGRATION_MS,
      unmigrated: true,
      creates: true,
      keepsBlank: true,
    },
    migrateDatabase,
  );
  return { presentation: presentMigrated(result), exitCode: EXIT.ok };
}
