import type { Command } from 'commander';
import type { DoctorCheck, DoctorResult, DoctorStatus } from '../../core/doctor/result.js';
import { EXIT } from '../../model/errors.js';
import { adviceList, isRemedy } from '../../model/remedy.js';
import type { Attach, Call, Outcome } from '../call.js';
import { describe } from '../describe.js';
import type { Look } from '../render/look.js';
import type { Presentation } from '../render/presentation.js';
import { formatAmount } from '../render/quantities.js';
import { sanitize } from '../render/sanitize.js';
import { wrapText } from '../render/text-width.js';

export function registerDoctor(parent: Command, attach: Attach): void {
  const command = describe(parent.command('doctor'), {
    summary: 'Say what is wrong with this installation, line by line, and what mends it.',
    details:
      'Looks at Node, the configuration and where it comes from, the database, its tables and ' +
      'unique indexes, the lock, the disk, the clock, and runs that did not end. Changes nothing ' +
      'and creates no database. Secrets are not shown.',
    examples: [
      ['wa-reconcile doctor', 'the whole installation'],
      [`wa-reconcile doctor --json | jq '.checks[] | select(.status != "ok")'`, 'what is not right'],
    ],
    exits: {
      [EXIT.ok]: 'nothing is wrong; there may be warnings',
      [EXIT.failure]: 'something is: it says what, and the remedy',
      [EXIT.usage]: 'wrong usage',
    },
  });
  attach(command, (call) => examine(call, command));
}

async function examine(call: Call, command: Command): Promise<Outcome> {
  const [{ doctor }, { describeSettings }] = await Promise.all([
    import('../../core/doctor/doctor.js'),
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
  return { presentation: present(result), exitCode: result.status === 'fail' ? EXIT.failure : EXIT.ok };
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}

function present(result: DoctorResult): Presentation {
  const grid = {
    columns: ['check', 'status', 'message', 'remedy'],
    rows: result.checks.map(({ name, status, message, remedy }) => [name, status, message, remedy ?? null]),
  };
  const settings = {
    title: 'Settings',
    columns: ['setting', 'value', 'from'],
    rows: result.settings.map(({ name, value, origin }) => [name, value, origin]),
  };
  return {
    json: result,
    lines: result.checks,
    csv: grid,
    markdown: [{ title: 'Checks', ...grid }, settings],
    text: (look) => describeResult(result, look),
  };
}

const NAME_WIDTH = 15;
/** `✔ ` and the name. */
const INDENT = 2 + NAME_WIDTH;
const NARROWEST = 30;

function describeResult(result: DoctorResult, look: Look): string {
  const lines = result.checks.flatMap((check) => [
    ...describeCheck(check, look),
    ...(check.name === 'configuration' ? describeSettingLines(result, look) : []),
  ]);
  return [...lines, '', verdict(result, look)].join('\n');
}

function describeCheck({ name, status, message, remedy }: DoctorCheck, look: Look): string[] {
  const room = Math.max(NARROWEST, look.width - INDENT);
  const wrapped = message.split('\n').flatMap((line) => wrapText(sanitize(line), room));
  // A command is not wrapped: it is to be copied.
  const mended = adviceList(remedy).flatMap((advice) =>
    isRemedy(advice)
      ? [`→ ${sanitize(look.line(advice))}`]
      : wrapText(sanitize(advice), room - 2).map((line, index) => `${index === 0 ? '→' : ' '} ${line}`),
  );
  return [
    `${mark(status, look)} ${look.bold(name.padEnd(NAME_WIDTH))}${wrapped[0] ?? ''}`,
    ...wrapped.slice(1).map((line) => ' '.repeat(INDENT) + line),
    ...mended.map((line) => ' '.repeat(INDENT) + look.cyan(line)),
  ];
}

function describeSettingLines({ settings }: DoctorResult, look: Look): string[] {
  return settings.map(({ name, value, origin }) => {
    const from = origin === 'default' ? 'the default' : `from ${origin}`;
    return ' '.repeat(INDENT) + look.dim(sanitize(`${name}: ${value} (${from})`));
  });
}

function mark(status: DoctorStatus, look: Look): string {
  switch (status) {
    case 'ok':
      return look.green('✔');
    case 'warn':
      return look.yellow('▲');
    case 'fail':
      return look.red('✗');
  }
}

function verdict({ checks }: DoctorResult, look: Look): string {
  const count = (status: DoctorStatus): number => checks.filter((check) => check.status === status).length;
  const [failures, warnings] = [count('fail'), count('warn')];
  if (failures === 0 && warnings === 0) return look.green('Nothing is wrong.');
  const parts = [
    ...(failures === 0 ? [] : [look.red(formatAmount(failures, 'failure'))]),
    ...(warnings === 0 ? [] : [look.yellow(formatAmount(warnings, 'warning'))]),
  ];
  return `${parts.join(', ')}.`;
}
