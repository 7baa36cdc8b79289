import { resolve } from 'node:path';
import { Argument, type Command } from 'commander';
import {
  CRM_NAMES,
  type CompareOptions,
  type CompareResult,
  type CrmName,
  type CrmPlace,
} from '../../commands/compare/types.js';
import type { SecretKey } from '../../commands/devices/secret-key.js';
import { ConfigError, EXIT, type ExitCode } from '../../model/errors.js';
import { isAtLeast, type Severity } from '../../model/enumerations.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { readSecretKey } from '../device-options.js';
import { readTextFile } from '../environment.js';
import { moment, pairs, text, toggle } from '../flags/kinds.js';
import { actor, connection, dateZone, dryRun, failOn } from '../flags/shared.js';
import { contradiction, group, readFlags, rejectEmptyWindow, rejectSamePlace } from '../flags/table.js';
import { similarWord } from '../similar.js';

const FLAGS = {
  ...group('The CRM:', {
    crmUrl: text('url', 'its PostgreSQL; it is only read', 'a database URL'),
    crmUrlFile: text('file', 'a file that holds that URL, so that no process list shows it', 'a file name'),
    crmTable: text(
      'name',
      'the view or table, [SCHEMA.]NAME, that has the columns of a comparison with `table`',
      'a name',
    ),
    map: pairs(
      'name=id',
      'this connection is that instance, inbox or number of the CRM, or none of them (NAME=-); repeat it',
    ),
  }),
  ...group('What:', {
    connection: connection(),
    contact: text('contact', 'only this contact: phone, JID, LID, lead id', 'a contact'),
    since: moment('only messages sent since: 2026-11-03, 2d, yesterday'),
    until: moment('only messages sent before'),
    tz: dateZone(),
  }),
  ...group('How:', {
    items: text(
      'file',
      'list every message: = same, + lost, - only in the CRM, * differs, ! unclear',
      'a file name',
    ),
    failOn: failOn('degraded'),
  }),
  ...group('Every night:', {
    save: text(
      'name',
      'save this comparison, its URL encrypted, for reconcile --compare NAME and compare NAME',
      'a name',
    ),
    forget: toggle('forget the saved comparison that is named'),
  }),
  ...group('Repair:', {
    adopt: toggle(
      'store the messages that only the CRM has; a later log replaces what they say, undo takes them back',
    ),
    dryRun: dryRun('with --adopt: count what it would store, and store nothing'),
    as: actor(),
    repair: text(
      'file',
      'write the lost messages as SQL to review and run (FILE.sql, with FILE.undo.sql), or as data (FILE.ndjson)',
      'a file name',
    ),
    pruneDuplicates: text(
      'file',
      'write SQL that removes the duplicates and keeps the best row of each message',
      'a file name',
    ).alias('pruneDoubles'),
    verifyRepair: text('file', 'after FILE.sql was run: show what became of its messages', 'a file name'),
  }),
};

export function registerCompare(parent: Command, attach: Attach): Command {
  const command = parent
    .command('compare')
    .addArgument(new Argument('<crm>', `whose tables: ${CRM_NAMES.join(', ')}; or a saved comparison`))
    .addArgument(new Argument('[file...]', 'exports of its tables (CSV, NDJSON) instead of --crm-url'));
  describe(command, {
    flags: FLAGS,
    summary: 'Compare a CRM’s own tables with the database.',
    details:
      'Shows what the CRM lost, duplicated or filed under another contact. ' +
      'Reads the CRM in one read-only transaction, or exports of its tables, and puts every message in one ' +
      'class: same, lost, not_kept_by_design (the CRM never stores such messages), only_in_crm, differs, ' +
      'other_contact, doubled, without_id. The sums must balance, or it fails. A connection that has messages and ' +
      'matches nothing in the CRM is degraded: --map NAME=- says that this CRM never had it, and --connection names ' +
      'the only one to compare. A saved comparison remembers what it matched: of a connection that the CRM no longer ' +
      'has, every message is lost. Nothing is changed on either side.',
    examples: [
      ['wa-reconcile compare evolution --crm-url-file evolution.url', 'a CRM’s database'],
      ['wa-reconcile compare evolution Message.csv Instance.csv', 'exports of its tables'],
      ['wa-reconcile compare evolution --crm-url-file crm.url --map shop=loja-1', 'which number is which'],
      [
        'wa-reconcile compare table --crm-url-file crm.url --crm-table wa_messages',
        'a program of your own: a view with the columns connection, external_id, direction, contact, timestamp, type, body',
      ],
      [
        'wa-reconcile compare evolution Message.ndjson --connection shop --items items.tsv',
        'list every message',
      ],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'every connection was compared: no message is lost, doubled, misfiled or different',
      [EXIT.usage]: 'wrong usage or configuration; not that CRM; connections cannot be matched',
      [EXIT.findings]: 'there are findings; --fail-on says how bad',
      [EXIT.interrupted]: 'interrupted; nothing was changed',
    },
  });
  attach(command, compareCommand);
  return command;
}

async function compareCommand(call: Call): Promise<Outcome> {
  const [
    { openItemsFile },
    { comparedItemLine, presentCompare, presentForgotten },
    { withContext },
    { compare },
    { keyToSave, forgetSaved, matchedBy, saveForNights },
    { openPruneFiles, openRepairFiles, readRepairedIds, redactUrl, rejectTakenFiles, takesSql },
  ] = await Promise.all([
    import('../items-file.js'),
    import('../views/compare.js'),
    import('../session.js'),
    import('../../commands/compare/compare.js'),
    import('../../commands/compare/saved.js'),
    import('../repair-files.js'),
  ]);
  const {
    what,
    options,
    items,
    severity,
    repair,
    pruneDuplicates,
    verifyRepair,
    adopt,
    save,
    forget,
    secretKey,
    looker,
  } = readOptions(call);
  if (forget && what.kind === 'saved') {
    await withContext(call, { command: 'compare' }, (ctx) => forgetSaved(ctx, what.name));
    return {
      presentation: presentForgotten(what.name),
      exitCode: EXIT.ok,
    };
  }
  if (save !== undefined) keyToSave(save, secretKey);
  await rejectTakenFiles({ repair, pruneDuplicates, others: [items, call.settings.output] }, call.io);
  const { crm, place, paths, ...chosen } = await placeOf(call, what, secretKey);
  const { url, table } = place.kind === 'database' ? place : {};
  const repaired = verifyRepair === undefined ? undefined : readRepairedIds(verifyRepair, call.io);
  const where =
    url === undefined
      ? ({ place: paths.join(', '), from: 'files' } as const)
      : ({ place: redactUrl(url), from: 'database' } as const);
  const files = repair === undefined ? undefined : await openRepairFiles(repair, crm, where, call.io);
  const prune =
    pruneDuplicates === undefined ? undefined : await openPruneFiles(pruneDuplicates, crm, where, call.io);
  const list = items === undefined ? undefined : await openItemsFile('--items', items, call.io);
  try {
    const session = {
      command: 'compare',
      actor: looker,
      interruptible: adopt === undefined ? 'reading' : 'batches',
      lock: adopt === undefined ? undefined : 'shared',
    } as const;
    const result = await withContext(call, session, async (ctx) => {
      const compared = await compare(ctx, {
        ...options,
        ...chosen,
        // What is typed beside the name of a saved comparison comes first.
        map: options.map.length > 0 ? options.map : (chosen.map ?? []),
        connection: options.connection ?? chosen.connection,
        crm,
        place,
        adopt,
        repaired,
        repair: files?.writer,
        onDoubled: prune?.writer.doubled,
        onItem: list && ((item) => list.line(comparedItemLine(item))),
      });
      // Only a comparison that worked is worth repeating every night.
      if (save !== undefined && url !== undefined && compared.status === 'completed') {
        await saveForNights(
          ctx,
          {
            name: save,
            crm,
            url,
            table,
            map: options.map,
            connection: options.connection,
            matched: matchedBy(compared),
            found: isOfEverything(options) ? compared : undefined,
          },
          secretKey,
        );
        call.notice(`Saved: reconcile --compare ${save} compares it every night.`);
      }
      return compared;
    });
    if (result.status === 'completed') {
      await files?.finish((result.repair?.messages ?? 0) > 0);
      await prune?.finish(result.counts.doubled > 0);
    }
    if (list !== undefined) {
      if (result.status === 'completed') await list.finish();
      else call.notice('The list of items is not written: it would be incomplete.');
    }
    const shown = { isSql: takesSql(crm, where.from), file: repair };
    return {
      presentation: presentCompare(result, call.argv, shown),
      exitCode: exitCodeFor(result, severity),
    };
  } finally {
    await list?.discard();
    await files?.discard();
    await prune?.discard();
  }
}

/** Whether a comparison is of all messages, as every night's. */
function isOfEverything({
  contact,
  since,
  until,
}: Pick<CompareOptions, 'contact' | 'since' | 'until'>): boolean {
  return contact === undefined && since === undefined && until === undefined;
}

/** What to compare: a CRM's database or files, or a saved comparison. */
type What =
  | { kind: 'database'; crm: CrmName; url: string; table: string | undefined }
  | { kind: 'files'; crm: CrmName; paths: readonly string[] }
  | { kind: 'saved'; name: string };

async function placeOf(
  call: Call,
  what: What,
  secretKey: SecretKey | null,
): Promise<{
  crm: CrmName;
  place: CrmPlace;
  paths: readonly string[];
  map?: CompareOptions['map'];
  connection?: string | undefined;
  matchedBefore?: CompareOptions['matchedBefore'];
}> {
  switch (what.kind) {
    case 'database': {
      const { crm, url, table } = what;
      return { crm, place: { kind: 'database', url, table }, paths: [] };
    }
    case 'files': {
      const { resolveInputs } = await import('../../commands/inputs.js');
      const { crm, paths } = what;
      const inputs = await resolveInputs(paths, { cwd: call.io.cwd });
      return { crm, place: { kind: 'files', inputs, stdin: call.io.stdin, signal: call.stop.signal }, paths };
    }
    case 'saved': {
      const [{ withContext }, { openSaved }] = await Promise.all([
        import('../session.js'),
        import('../../commands/compare/saved.js'),
      ]);
      const saved = await withContext(call, { command: 'compare' }, (ctx) =>
        openSaved(ctx, what.name, secretKey),
      );
      return { ...saved, paths: [] };
    }
  }
}

function readOptions(call: Call) {
  const reading = readFlags(FLAGS, call);
  const { values, origin } = reading;
  rejectEmptyWindow(reading, 'since', 'until');
  const [typed = '', ...paths] = call.args;
  const crm = CRM_NAMES.find((known) => known === typed.toLowerCase());
  if (values.crmUrl !== undefined && values.crmUrlFile !== undefined) {
    throw contradiction(
      `${origin('crmUrl').place} and ${origin('crmUrlFile').place} name two databases.`,
      'Give one of them.',
    );
  }
  const url =
    values.crmUrlFile === undefined
      ? values.crmUrl
      : readTextFile(resolve(call.io.cwd, values.crmUrlFile), origin('crmUrlFile').place, {
          holds: 'postgresql://user:password@host:5432/database',
          code: 'crm_url_file_unreadable',
        }).trim();
  if (url !== undefined && paths.length > 0) {
    throw contradiction('A database and files of the CRM are given.', 'Give --crm-url, or files.');
  }
  const what = whatIsNamed(typed, crm, { url, table: values.crmTable, paths });
  if (values.forget && what.kind !== 'saved') {
    throw contradiction(
      `${origin('forget').place} needs the name of a saved comparison.`,
      'compare NAME --forget',
    );
  }
  if (values.save !== undefined && what.kind !== 'database') {
    throw contradiction(`${origin('save').place} saves the URL of a database.`, 'Give --crm-url-file FILE.');
  }
  if (values.dryRun && !values.adopt) {
    throw contradiction(
      `${origin('dryRun').place} needs --adopt.`,
      'Without --adopt, compare stores nothing anyway.',
    );
  }
  rejectWrongTable(what, values.crmTable, origin('crmTable').place);
  rejectSamePlace(values.items, call.settings.output, origin('items'));
  const options = {
    map: values.map.map(([name, id]) => ({ connection: name, crm: id })),
    connection: values.connection,
    contact: values.contact,
    since: values.since,
    until: values.until,
  };
  return {
    what,
    options,
    save: values.save,
    forget: values.forget,
    secretKey:
      values.save === undefined && what.kind !== 'saved'
        ? null
        : readSecretKey(call.environment, call.io.cwd),
    items: values.items,
    looker: values.as,
    severity: values.failOn,
    repair: values.repair,
    adopt: values.adopt ? { dryRun: values.dryRun } : undefined,
    pruneDuplicates: values.pruneDuplicates,
    verifyRepair: values.verifyRepair,
  };
}

/** The tables of known CRMs are built in; for a custom program, the user names them. */
function rejectWrongTable(what: What, table: string | undefined, place: string): void {
  const isOwn = what.kind === 'database' && what.crm === 'table';
  if (table !== undefined && !isOwn) {
    throw contradiction(
      `${place} names a table of a program of your own.`,
      'Leave it out, or write: compare table --crm-url-file FILE --crm-table NAME',
    );
  }
  if (table === undefined && isOwn) {
    throw new ConfigError('Which view or table of the database holds the messages?', {
      code: 'crm_table_missing',
      remedy:
        'Name it: --crm-table [SCHEMA.]NAME. It has the columns connection, external_id, direction, contact, timestamp, type, body.',
    });
  }
}

/** Without a database or files, any other word may name a saved comparison. */
function whatIsNamed(
  typed: string,
  crm: CrmName | undefined,
  { url, table, paths }: { url: string | undefined; table: string | undefined; paths: readonly string[] },
): What {
  if (crm !== undefined && url !== undefined) return { kind: 'database', crm, url, table };
  if (crm !== undefined && paths.length > 0) return { kind: 'files', crm, paths };
  if (crm !== undefined) {
    throw new ConfigError(`Where are the tables of ${crm}?`, {
      code: 'crm_missing',
      remedy: 'Give its database (--crm-url-file FILE), or exports of its tables as arguments.',
    });
  }
  if (url === undefined && paths.length === 0) return { kind: 'saved', name: typed };
  const meant = similarWord(typed.toLowerCase(), CRM_NAMES);
  throw new ConfigError(`There is no CRM '${typed}'.`, {
    code: 'crm_unknown',
    remedy: `${meant === undefined ? '' : `Did you mean ${meant}? `}There are: ${CRM_NAMES.join(', ')}.`,
  });
}

function exitCodeFor({ status, severity }: CompareResult, least: Severity): ExitCode {
  if (status === 'interrupted') return EXIT.interrupted;
  return severity !== null && isAtLeast(severity, least) ? EXIT.findings : EXIT.ok;
}
