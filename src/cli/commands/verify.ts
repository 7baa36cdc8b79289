import type { Command } from 'commander';
import type { VerifyOptions } from '../../commands/verify/types.js';
import { CHECK_NAMES, type VerifyResult } from '../../commands/verify/types.js';
import { ConfigError, EXIT, type ExitCode } from '../../model/errors.js';
import { isAtLeast, type Severity } from '../../model/enumerations.js';
import { APP_SECRET, appSecretFile, readAppSecrets, withSecretPath } from '../app-secrets.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { moment, names, text, toggle } from '../flags/kinds.js';
import { connection, dateZone, failOn } from '../flags/shared.js';
import { group, readFlags, rejectSamePlace } from '../flags/table.js';

const FLAGS = {
  ...group('What:', {
    check: names('name', CHECK_NAMES, {
      noun: 'check',
      help: 'only this check; repeat it, or separate with commas',
    }),
    connection: connection(),
    since: moment('only what was sent or received since: 2026-11-03, 2d, yesterday'),
    tz: dateZone(),
  }),
  ...group('How:', {
    enforce: toggle(
      'first create missing or invalid unique indexes, and correct times, windows and origins that derive from messages',
    ),
    items: text(
      'file',
      'list every item: = correct, + missing, - only in the database, * differs, ! unclear',
      'a file name',
    ),
    appSecretFile: appSecretFile(),
    failOn: failOn('degraded'),
  }),
};

export function registerVerify(parent: Command, attach: Attach): void {
  const command = parent.command('verify');
  describe(command, {
    flags: FLAGS,
    summary: 'Verify that every message is in the database once, and check the other rules.',
    details:
      'Reads one snapshot of the database and changes nothing; other programs may keep writing. It ' +
      'decodes the raw log again and accounts for every message in it. Each check is one ' +
      'line, with samples of its findings and the command that fixes them.',
    examples: [
      ['wa-reconcile verify', 'every check'],
      ['wa-reconcile verify --check duplicate_ids,missing_ids --connection loja', 'two of them, one number'],
      ['wa-reconcile verify --since 2d --items items.tsv', 'recent messages, with a list of every item'],
      ['wa-reconcile verify --enforce', 'create missing unique indexes, correct derived values, then verify'],
      ['wa-reconcile verify --json | jq .findings', 'for a program'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'no findings (notes and findings below --fail-on do not count)',
      [EXIT.findings]: 'there are findings, or an index could not be created',
      [EXIT.interrupted]: 'interrupted; what --enforce fixed so far stays, and the next run continues',
    },
  });
  attach(command, verifyCommand);
}

async function verifyCommand(call: Call): Promise<Outcome> {
  const [{ openItemsFile }, { itemLine, presentVerify }, { withContext }, { verify }] = await Promise.all([
    import('../items-file.js'),
    import('../views/verify.js'),
    import('../session.js'),
    import('../../commands/verify/verify.js'),
  ]);
  const { options, items, severity, appSecrets } = readOptions(call, call.settings.output);
  const { since, enforce } = options;
  if (since !== undefined)
    call.notice(`Verifying what was sent or received since ${new Date(since).toISOString()}.`);
  const list = items === undefined ? undefined : await openItemsFile('--items', items, call.io);
  try {
    const result = await withContext(
      call,
      {
        command: 'verify',
        interruptible: enforce ? 'batches' : 'reading',
        lock: enforce ? 'exclusive' : undefined,
        appSecrets,
      },
      (ctx) => verify(ctx, { ...options, onItem: list && ((item) => list.line(itemLine(item))) }),
    );
    if (list !== undefined) {
      if (result.status === 'completed') await list.finish();
      else call.notice('The list of items is not written: it would be incomplete.');
    }
    return {
      presentation: presentVerify(result, severity),
      exitCode: exitCodeFor(result, severity),
    };
  } finally {
    await list?.discard();
  }
}

/**
 * What to verify, where the item list goes (a file name, or `-`), and which severity exits with 3. Throws ConfigError.
 */
function readOptions(line: Call, output: string | undefined) {
  const { values, origin, recorded } = readFlags(FLAGS, line);
  const appSecrets = readAppSecrets(line, values.appSecretFile, origin('appSecretFile'));
  if (appSecrets === undefined && values.check.has('signatures') && values.check.size < CHECK_NAMES.length) {
    throw new ConfigError('The check signatures needs the secret of the Meta app.', {
      code: 'app_secret_missing',
      remedy: `Give --app-secret-file FILE, or set ${APP_SECRET}.`,
    });
  }
  const { check, connection: name, since, enforce, items } = values;
  rejectSamePlace(items, output, origin('items'));
  const options: VerifyOptions = {
    checks: check,
    connection: name,
    since,
    enforce,
    recordedOptions: withSecretPath(recorded, line),
  };
  return { options, items, severity: values.failOn, appSecrets };
}

/** Where there is no connection, nothing is green (V2): what is no finding by --fail-on is no good sign either. */
function exitCodeFor({ status, severity, enforced, connections }: VerifyResult, least: Severity): ExitCode {
  switch (status) {
    case 'interrupted':
      return EXIT.interrupted;
    case 'completed': {
      const isFinding = severity !== null && isAtLeast(severity, least);
      if (isFinding || enforced.some(({ outcome }) => outcome === 'blocked')) return EXIT.findings;
      return connections === 0 ? EXIT.usage : EXIT.ok;
    }
  }
}
