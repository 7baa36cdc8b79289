import { Option, type Command } from 'commander';
import type { VerifyResult } from '../../core/verify/result.js';
import { EXIT, type ExitCode } from '../../model/errors.js';
import { isAtLeast, type Severity } from '../../model/severity.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { collect, failOnOption } from '../flags.js';

export function registerVerify(parent: Command, attach: Attach): void {
  const command = parent.command('verify');
  for (const option of options()) command.addOption(option);
  describe(command, {
    summary: 'Verify that every message is in the database once, and the rest of the rules.',
    details:
      'Reads one moment of the database and changes nothing: others may go on writing. It ' +
      'decodes the raw log again and accounts for every message in it. Each check is one ' +
      'line, with samples of what it found and the command that mends it.',
    examples: [
      ['wa-reconcile verify', 'every check'],
      ['wa-reconcile verify --check duplicate_ids,missing_ids --connection loja', 'two of them, one number'],
      ['wa-reconcile verify --since 2d --items items.tsv', 'what came lately, with a list of every item'],
      ['wa-reconcile verify --enforce', 'make missing unique indexes, set derived values right, then verify'],
      ['wa-reconcile verify --json | jq .findings', 'for a program'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'nothing was found (notes, and what is less bad than --fail-on, do not count)',
      [EXIT.findings]: 'there are findings, or an index could not be made',
      [EXIT.interrupted]: 'interrupted; what --enforce mended until then stays, and the next one goes on',
    },
  });
  attach(command, verifyCommand);
}

async function verifyCommand(call: Call): Promise<Outcome> {
  const [
    { resolveVerifySettings },
    { openItemsFile },
    { itemLine, presentVerify },
    { withContext },
    { verify },
  ] = await Promise.all([
    import('../settings/verify.js'),
    import('../items-file.js'),
    import('../views/verify.js'),
    import('../session.js'),
    import('../../core/verify/verify.js'),
  ]);
  const { io, settings, given, environment } = call;
  const { checks, connection, since, enforce, items, failOn, recorded } = resolveVerifySettings(
    given,
    environment,
    io.clock(),
    settings.output,
  );
  if (since !== undefined)
    call.notice(`Verifying what was sent or received since ${new Date(since).toISOString()}.`);
  const list = items === undefined ? undefined : await openItemsFile('--items', items, io);
  try {
    const result = await withContext(
      call,
      {
        command: 'verify',
        interruptible: enforce ? 'batches' : 'reading',
        ...(enforce ? { lock: 'exclusive' } : {}),
      },
      (ctx) =>
        verify(ctx, {
          checks,
          enforce,
          recordedOptions: recorded,
          ...(connection === undefined ? {} : { connection }),
          ...(since === undefined ? {} : { since }),
          ...(list === undefined ? {} : { onItem: (item) => list.line(itemLine(item)) }),
        }),
    );
    if (list !== undefined) {
      if (result.status === 'completed') await list.finish();
      else call.notice('The list of items is not written: it would not be whole.');
    }
    return {
      presentation: presentVerify(result),
      exitCode: exitCodeFor(result, failOn),
    };
  } finally {
    await list?.discard();
  }
}

function exitCodeFor({ status, severity, enforced }: VerifyResult, failOn: Severity): ExitCode {
  switch (status) {
    case 'interrupted':
      return EXIT.interrupted;
    case 'completed': {
      const isFinding = severity !== null && isAtLeast(severity, failOn);
      return isFinding || enforced.some(({ outcome }) => outcome === 'blocked') ? EXIT.findings : EXIT.ok;
    }
  }
}

function options(): Option[] {
  const grouped = (group: string, list: Option[]): Option[] => list.map((option) => option.helpGroup(group));
  return [
    ...grouped('What:', [
      new Option('--check <name>', 'only this check; repeat it, or separate with commas').argParser(collect),
      new Option('--connection <name>', 'only this connection'),
      new Option('--since <time>', 'only what was sent or received since: 2026-11-03, 2d, yesterday'),
      new Option('--tz <zone>', 'the zone of dates without one (default: this machine’s)'),
    ]),
    ...grouped('How:', [
      new Option(
        '--enforce',
        'first make unique indexes that are missing or not valid, and set times, windows and origins that follow from messages',
      ),
      new Option(
        '--items <file>',
        'list every item: = as it should be, + missing, - too many, * differs, ! unclear',
      ),
      failOnOption('degraded'),
    ]),
  ];
}
