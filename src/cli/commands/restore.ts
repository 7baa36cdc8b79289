import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { Argument, type Command } from 'commander';
import { EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { chooseDatabase } from '../choose-database.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { group, readFlags } from '../flags/table.js';
import { presentRestore } from '../views/backup.js';
import { identityFile, passphraseFile } from './backup.js';

const FLAGS = group('How:', {
  identityFile: identityFile(),
  passphraseFile: passphraseFile('decrypt'),
});

export function registerRestore(parent: Command, attach: Attach): void {
  const command = parent
    .command('restore')
    .addArgument(new Argument('<file>', 'the backup to read; - for standard input'));
  describe(command, {
    flags: FLAGS,
    summary: 'Read a backup into an empty database.',
    details:
      'Into either kind, whatever kind it came from: this is the way from the embedded database to PostgreSQL and back. The whole ' +
      'file is proved before the first row. One transaction: a restore that is stopped or killed leaves nothing. Tables are created ' +
      'as the backup needs them, and brought up to this version afterwards. Linked devices, tokens and saved URLs need the same ' +
      'WA_RECONCILE_SECRET_KEY. The database that the backup came from keeps its linked devices: use them in one place only.',
    examples: [
      ['wa-reconcile restore crm.tar --home /srv/copy', 'into a new embedded database'],
      [
        'DATABASE_URL=postgresql://app@db.internal/crm wa-reconcile restore crm.tar',
        'into PostgreSQL; the database exists and is empty',
      ],
      ['age --decrypt -i key.txt crm.tar.age | wa-reconcile restore -', 'from another program'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'every row is there',
      [EXIT.failure]: 'it failed, or the backup is damaged; nothing of it is there',
      [EXIT.usage]:
        'wrong usage or configuration; the database is not empty; the backup is of a newer version; a wrong key',
    },
  });
  attach(command, restoreCommand);
}

async function restoreCommand(call: Call): Promise<Outcome> {
  const [{ withContext }, { restore, openForRestore }, { openSource }, { readKeys }] = await Promise.all([
    import('../session.js'),
    import('../../commands/backup/restore.js'),
    import('../backup-source.js'),
    import('../backup-keys.js'),
  ]);
  const { values, origin } = readFlags(FLAGS, call);
  const keys = readKeys(call, values, origin);
  const { config } = chooseDatabase(call.settings, call.environment, call.io);
  const spool = config.kind === 'pglite' ? dirname(config.directory) : tmpdir();
  const { source, close } = await openSource(call.args[0] ?? '', keys, call.io, spool);
  try {
    // Before a database is created.
    const archive = await openForRestore(source);
    const result = await withContext(
      call,
      {
        command: 'restore',
        lock: 'exclusive',
        unmigrated: true,
        asItIs: true,
        creates: true,
        interruptible: 'reading',
      },
      (ctx) => restore(ctx, { source, archive }),
    );
    return { presentation: presentRestore(result), exitCode: EXIT.ok };
  } finally {
    await close();
  }
}
