import type { Command } from 'commander';
import type { DatabaseStatus } from '../../core/database.js';
import { EXIT, UserError, type ExitCode } from '../../model/errors.js';
import { adviceList, remedy } from '../../model/remedy.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import type { Look } from '../render/look.js';
import type { Presentation } from '../render/presentation.js';
import { sanitize } from '../render/sanitize.js';
import { chooseDatabase } from '../choose-database.js';

export function registerDbStatus(parent: Command, attach: Attach): void {
  const command = describe(parent.command('status'), {
    summary: 'Show which database is used and whether its tables are up to date.',
    examples: [
      ['wa-reconcile db status', 'which database, which migrations'],
      ['wa-reconcile db status --json', 'the same for a program'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'up to date',
      [EXIT.usage]: 'wrong usage or configuration; not a database that this version may touch',
      [EXIT.partial]: 'migrations are pending',
    },
  });
  attach(command, status);
}

async function status(call: Call): Promise<Outcome> {
  const [{ withContext }, { databaseStatus, statusOfMissingDatabase }] = await Promise.all([
    import('../session.js'),
    import('../../core/database.js'),
  ]);
  const { config, place } = chooseDatabase(call.settings, call.environment, call.io);
  const result = await withContext(call, { command: 'db status', unmigrated: true }, databaseStatus).catch(
    (error: unknown) => {
      const isMissing = error instanceof UserError && error.code === 'database_missing';
      if (config.kind !== 'pglite' || !isMissing) throw error;
      return statusOfMissingDatabase(config.directory, error);
    },
  );
  return { presentation: present(result, place), exitCode: exitCodeFor(result) };
}

function exitCodeFor(result: DatabaseStatus): ExitCode {
  if (result.problem !== undefined) return EXIT.usage;
  return result.upToDate ? EXIT.ok : EXIT.partial;
}

function present(result: DatabaseStatus, place: string): Presentation {
  const grid = {
    columns: ['migration', 'status', 'applied at'],
    rows: [
      ...result.applied.map(({ name, appliedAt }) => [name, 'applied', appliedAt]),
      ...result.pending.map((name) => [name, 'pending', null]),
    ],
  };
  return {
    json: result,
    lines: [result],
    csv: grid,
    markdown: [{ title: 'Migrations', ...grid }],
    text: (look) => describeStatus(result, place, look),
  };
}

function describeStatus(result: DatabaseStatus, place: string, look: Look): string {
  const kind = result.backend === 'pglite' ? 'embedded PostgreSQL' : 'PostgreSQL';
  const said = place === 'default' ? 'the default' : `from ${place}`;
  return [
    `${look.bold('Database')}    ${sanitize(result.database)}`,
    `            ${look.dim(sanitize(`${kind}, ${said}`))}`,
    `${look.bold('Migrations')}  ${verdict(result, look)}`,
    ...result.applied.map(
      ({ name, appliedAt }) => `  ${look.green('✔')} ${sanitize(name)}  ${look.dim(appliedAt)}`,
    ),
    ...result.pending.map((name) => `  ${look.yellow('·')} ${name}  ${look.dim('pending')}`),
    ...(result.pending.length > 0 && result.exists && result.problem === undefined
      ? ['', look.bold('Next'), `  ${look.cyan(look.line(remedy('db migrate', [], 'applies them')))}`]
      : []),
  ].join('\n');
}

function verdict(result: DatabaseStatus, look: Look): string {
  if (result.problem !== undefined) {
    return [
      ...result.problem.message.split('\n').map((line) => look.red(sanitize(line))),
      ...adviceList(result.problem.remedy).map((advice) => `            ${sanitize(look.line(advice))}`),
    ].join('\n');
  }
  return result.upToDate ? look.green('up to date') : look.yellow('pending');
}
