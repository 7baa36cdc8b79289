import { Argument, type Command } from 'commander';
import { EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { actor, connection, organization } from '../flags/shared.js';
import { integer, nameList, text, toggle } from '../flags/kinds.js';
import { contradiction, group, readFlags, type Reading } from '../flags/table.js';
import { presentBackup, presentCheck } from '../views/backup.js';

export const passphraseFile = (does: string) =>
  text('file', `${does}: a file that holds the passphrase`, 'a file name');
export const identityFile = () =>
  text('file', 'the secret key of an encrypted backup, as age-keygen writes it', 'a file name');

const FLAGS = {
  ...group('Which rows (all, unless said):', {
    connection: connection('only of this connection: its name, id, phone_number_id or phone').onlyTyped(),
    organization: organization().onlyTyped().otherwise('any'),
  }),
  ...group('How:', {
    check: toggle('verify a backup instead of writing one; needs no database').onlyTyped(),
    keep: integer(1, 10_000, 'in a directory: keep so many of the newest backups').onlyTyped(),
    force: toggle('replace the file if it exists').onlyTyped(),
    as: actor(),
  }),
  ...group('Encryption, as the program `age` does it:', {
    recipient: nameList('age1…', 'encrypt for this public key; repeatable'),
    passphraseFile: passphraseFile('encrypt, or check'),
    identityFile: identityFile(),
  }),
};

export function registerBackup(parent: Command, attach: Attach): void {
  const command = parent
    .command('backup')
    .addArgument(new Argument('<file>', 'the file to write; a directory, for many; - for standard output'));
  describe(command, {
    flags: FLAGS,
    summary: 'Write everything in the database into one file.',
    details:
      'All rows as they are at one moment, while writers go on: a tar of compressed NDJSON, table by table, with a manifest. A directory ' +
      'gets a file wa-reconcile-TIME.tar, or wa-reconcile-part-NAME-TIME.tar with --connection or --organization; --keep rotates those of the ' +
      'same kind and part and touches nothing else, but for what a killed backup left behind hours ago. The file appears when it is whole and ' +
      'on the disk. Secrets stay sealed: WA_RECONCILE_SECRET_KEY is not in it, and has to be kept apart. ' +
      'Files of `media fetch` are not in it either. An encrypted one opens with `age --decrypt`, too. `restore` reads it into an ' +
      'empty database of either kind. --connection and --organization copy what is theirs and what it rests on: raw entries, people, ' +
      'runs. They leave out entries that name no phone_number_id, as what Meta says of accounts (account_update: that a number was ' +
      'removed, …), what `undo` needs, and saved comparisons.',
    examples: [
      ['wa-reconcile backup /backups/ --keep 14', 'every night, from cron'],
      ['wa-reconcile backup crm.tar', 'one file'],
      ['wa-reconcile backup --check crm.tar', 'is it whole? Every byte is compared'],
      [
        'wa-reconcile backup - --recipient age1… | ssh host "cat > crm.tar.age"',
        'encrypted, to another machine',
      ],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'the backup is complete; with --check: it is sound',
      [EXIT.failure]: 'it failed: disk full, …; with --check: it is damaged, and the part is named',
      [EXIT.usage]:
        'wrong usage or configuration; no database, or a table of it is gone; the file exists; a wrong key',
      [EXIT.partial]:
        'all rows are copied, but the tables lack an index or a constraint: the backup may not restore',
    },
  });
  attach(command, backupCommand);
}

async function backupCommand(call: Call): Promise<Outcome> {
  const reading = readFlags(FLAGS, call);
  const { values, origin } = reading;
  const named = call.args[0] ?? '';
  if (values.check) return checkCommand(call, named, reading);
  if (values.identityFile !== undefined) {
    throw contradiction('--identity-file opens a backup.', 'Encrypt with --recipient and its public key.');
  }
  const [
    { withContext },
    { backup },
    { findScope },
    { openTarget },
    { FULL_BACKUPS, partBackups },
    { readKeys },
    { packageVersion },
  ] = await Promise.all([
    import('../session.js'),
    import('../../commands/backup/backup.js'),
    import('../../commands/backup/scope.js'),
    import('../backup-target.js'),
    import('../backup-rotation.js'),
    import('../backup-keys.js'),
    import('../../commands/package-version.js'),
  ]);
  const keys = readKeys(call, { ...values, identityFile: undefined }, origin);
  const { encryption } = await import('../../commands/backup/encryption.js');
  const encrypt = keys === undefined ? undefined : encryption(keys, '--recipient');
  const options = { force: values.force, keep: values.keep, isEncrypted: encrypt !== undefined };
  const session = { command: 'backup', interruptible: 'reading', actor: values.as } as const;
  const result = await withContext(call, session, async (ctx) => {
    const part = await findScope(ctx, values);
    const names =
      part === null
        ? FULL_BACKUPS
        : partBackups({
            identity: part.identity,
            name: part.named.connection ?? part.named.organization ?? '',
          });
    const target = await openTarget(named, { ...options, names }, call.io);
    const written = await backup(ctx, {
      target,
      tool: packageVersion(),
      encrypt,
      organization: values.organization,
      connection: values.connection,
    });
    const { removed, later, abandoned } = target;
    return { ...written, removed: [...removed], later: [...later], abandoned: [...abandoned] };
  });
  const presentation = presentBackup(result);
  const exitCode = result.lacking.length === 0 ? EXIT.ok : EXIT.partial;
  if (named !== '-' || call.settings.output !== undefined) return { presentation, exitCode };
  // Standard output is the backup itself.
  call.notice(presentation.summary);
  return { presentation, exitCode, isDelivered: true };
}

async function checkCommand(
  call: Call,
  named: string,
  { values, origin }: Reading<typeof FLAGS>,
): Promise<Outcome> {
  const { keep, force, recipient, connection: one, organization } = values;
  if (
    keep !== undefined ||
    force ||
    recipient.length > 0 ||
    one !== undefined ||
    organization !== undefined
  ) {
    throw contradiction(
      '--check proves a whole file and writes nothing.',
      'Leave out the flags that say what is written, and how.',
    );
  }
  const [{ checkBackup }, { openSource }, { readKeys }, { tmpdir }] = await Promise.all([
    import('../../commands/backup/check.js'),
    import('../backup-source.js'),
    import('../backup-keys.js'),
    import('node:os'),
  ]);
  const keys = readKeys(
    call,
    { passphraseFile: values.passphraseFile, identityFile: values.identityFile },
    origin,
  );
  const { source, close } = await openSource(named, keys, call.io, tmpdir());
  try {
    return { presentation: presentCheck(await checkBackup(source)), exitCode: EXIT.ok };
  } finally {
    await close();
  }
}
