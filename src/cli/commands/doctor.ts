import type { Command } from 'commander';
import { EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { describe } from '../describe.js';
import { presentDoctor } from '../views/doctor.js';

export function registerDoctor(parent: Command, attach: Attach): void {
  const command = describe(parent.command('doctor'), {
    summary: 'Check the installation and suggest fixes.',
    details:
      'Checks Node, the configuration and where it comes from, the database, its tables and ' +
      'unique indexes, the lock, the disk, the clock, and runs that did not finish. Changes nothing ' +
      'and creates no database. Secrets are not shown.',
    examples: [
      ['wa-reconcile doctor', 'the whole installation'],
      [`wa-reconcile doctor --json | jq '.checks[] | select(.status != "ok")'`, 'only the problems'],
    ],
    exits: {
      [EXIT.ok]: 'no failures; there may be warnings',
      [EXIT.failure]: 'at least one check failed',
      [EXIT.usage]: 'wrong usage',
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
  const result = await doctor({
    ...describeSettings(call, rootOf(command)),
    nodeVersion: process.version,
    host: io.host,
    pid: io.pid,
    processStartedAt: io.startedAt,
    clock: io.clock,
    signal: call.stop.signal,
  });
  return { presentation: presentDoctor(result), exitCode: result.status === 'fail' ? EXIT.failure : EXIT.ok };
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}
