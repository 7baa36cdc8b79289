import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { DoctorOptions, DoctorResult } from '../../commands/doctor/types.js';
import { ConfigError, EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { describe } from '../describe.js';
import { text, toggle } from '../flags/kinds.js';
import { group, readFlags } from '../flags/table.js';
import { presentDoctor } from '../views/doctor.js';

const FLAGS = group('For a report of a fault:', {
  bundle: text(
    'file',
    'also write what a maintainer needs, without anybody’s words',
    'a file name',
  ).onlyTyped(),
  force: toggle('replace the file if it exists').onlyTyped(),
});

export function registerDoctor(parent: Command, attach: Attach): void {
  const command = describe(parent.command('doctor'), {
    flags: FLAGS,
    summary: 'Check the installation and suggest fixes.',
    details:
      'Checks Node, the configuration and where it comes from, the database, its tables and ' +
      'unique indexes, the lock, the disk, the clock, and runs that did not finish. Changes nothing ' +
      'and creates no database. Secrets are not shown. --bundle writes one JSON file that only you can read: versions, settings, ' +
      'migrations, counts, verdicts, runs, and the shapes of entries that could not be read. Every value in them is replaced by ' +
      'its type and length, and numbers by hashes that nobody can undo.',
    examples: [
      ['wa-reconcile doctor', 'the whole installation'],
      ['wa-reconcile doctor --bundle bundle.json', 'to send to a maintainer'],
      [`wa-reconcile doctor --json | jq '.checks[] | select(.status != "ok")'`, 'only the problems'],
    ],
    exits: {
      [EXIT.ok]: 'no failures; there may be warnings',
      [EXIT.failure]: 'at least one check failed',
      [EXIT.usage]: 'wrong usage; the file of --bundle exists',
    },
  });
  attach(command, (call) => examine(call, command));
}

async function examine(call: Call, command: Command): Promise<Outcome> {
  const [{ doctor }, { describeSettings }] = await Promise.all([
    import('../../commands/doctor/doctor.js'),
    import('../given-settings.js'),
  ]);
  const { io } = call;
  const { bundle, force } = readFlags(FLAGS, call).values;
  if (bundle !== undefined) await assertPlace(call, bundle, force);
  const options = {
    ...describeSettings(call, rootOf(command)),
    nodeVersion: process.version,
    host: io.host,
    pid: io.pid,
    processStartedAt: io.startedAt,
    clock: io.clock,
    signal: call.stop.signal,
  };
  const result = await doctor(options);
  if (bundle !== undefined) await writeBundle(call, bundle, options, result);
  return { presentation: presentDoctor(result), exitCode: result.status === 'fail' ? EXIT.failure : EXIT.ok };
}

/** Before the work. Throws ConfigError for what is no file, and for a file that is there. */
async function assertPlace({ io }: Call, file: string, force: boolean): Promise<void> {
  if (file === '-') {
    throw new ConfigError('--bundle -: the bundle goes to a file, the result to stdout.', {
      remedy: 'Name a file, for example bundle.json.',
    });
  }
  const there = await stat(resolve(io.cwd, file)).catch(() => undefined);
  if (there?.isFile() === true && !force) {
    throw new ConfigError(`--bundle ${file}: this file exists.`, {
      code: 'output_exists',
      remedy: 'Name another file, or give --force to replace it.',
    });
  }
}

async function writeBundle(
  { io, notice }: Call,
  file: string,
  options: DoctorOptions,
  result: DoctorResult,
): Promise<void> {
  const [{ openItemsFile }, { collectBundle }, { packageVersion }] = await Promise.all([
    import('../items-file.js'),
    import('../../commands/doctor/bundle.js'),
    import('../../commands/package-version.js'),
  ]);
  const target = await openItemsFile('--bundle', file, io, { isPrivate: true });
  try {
    const bundle = await collectBundle({ ...options, version: packageVersion() }, result);
    await target.line(JSON.stringify(bundle, null, 2));
    await target.finish();
  } finally {
    await target.discard();
  }
  notice(`Bundle written to ${file}: look into it before you send it.`);
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}
