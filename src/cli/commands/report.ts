import { Option, type Command } from 'commander';
import { EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { drawsBlocks } from '../views/day-chart.js';
import { databaseFlags } from '../shell-words.js';
import { failOnOption } from '../flags.js';

export function registerReport(parent: Command, attach: Attach): void {
  const command = parent.command('report');
  for (const option of options()) command.addOption(option);
  describe(command, {
    summary: 'Report what was synchronised per connection, what was lost and why, and what needs a look.',
    details:
      'Reads one moment of the database and changes nothing. For every connection: its history, its last events, ' +
      'what it holds, messages per day with the days that stand out, and the raw log against the database with ' +
      'every difference by its reason. The whole raw log is decoded and compared, message by message; ' +
      '--no-audit leaves that out, and then nothing is said about losses. Alerts come first, the worst at the ' +
      'top, each with what to type: loss (a message is missing, doubled or different, an item was rejected), ' +
      'degraded (something that should come does not), note (nothing to do). Alerts about what was ' +
      'rejected or broken, and about runs that died, look back as far as --days. How long a connection may be ' +
      'silent is learned from the same hours of earlier weeks.',
    examples: [
      ['wa-reconcile report', 'all connections, the last 14 days'],
      ['wa-reconcile report --connection loja --days 60', 'one number, two months'],
      ['wa-reconcile report --html report.html', 'besides, one page for the browser, with charts'],
      ['wa-reconcile report --no-audit', 'a quick look, without comparing the raw log'],
      ['wa-reconcile report --json | jq .counts', 'how much is lost, degraded, worth a note'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'nothing is lost that was not acknowledged (alerts below --fail-on do not count)',
      [EXIT.findings]: 'something is lost, or as bad as --fail-on says',
      [EXIT.interrupted]: 'interrupted',
    },
  });
  attach(command, reportCommand);
}

async function reportCommand(call: Call): Promise<Outcome> {
  const [{ resolveReportSettings }, { presentReport }, { withContext }, { report }, { hasOpen }] =
    await Promise.all([
      import('../settings/report.js'),
      import('../views/report.js'),
      import('../session.js'),
      import('../../core/report/report.js'),
      import('../../core/report/acknowledgements.js'),
    ]);
  const { io, given, environment, settings } = call;
  const {
    options: reportOptions,
    html,
    failOn,
  } = resolveReportSettings(given, environment, io.clock(), settings.output);
  const page = html === undefined ? undefined : await openPage(call, html);
  const result = await withContext(call, { command: 'report', interruptible: 'reading' }, (ctx) =>
    report(ctx, reportOptions),
  );
  if (page !== undefined) {
    const { renderReportPage } = await import('../render/html/page.js');
    await page.write(renderReportPage(result, databaseFlags(given)));
    call.notice(`Page written to ${page.file ?? html}`);
  }
  const toTerminal = io.stdoutIsTTY && (settings.output === undefined || settings.output === '-');
  return {
    presentation: presentReport(result, { blocks: drawsBlocks(io.env, toTerminal) }),
    exitCode: hasOpen(result.alerts, failOn) ? EXIT.findings : EXIT.ok,
  };
}

/** Found out before the work whether the page can be written after it. */
async function openPage(call: Call, html: string | undefined) {
  const { prepareOutput } = await import('../output.js');
  return prepareOutput(html, call.io);
}

function options(): Option[] {
  const grouped = (group: string, list: Option[]): Option[] => list.map((option) => option.helpGroup(group));
  return [
    ...grouped('What:', [
      new Option('--connection <name>', 'only this connection'),
      new Option('--days <n>', 'days of the chart (default: 14)'),
      new Option('--until <time>', 'the last day of the chart: 2026-11-03, yesterday, … (default: today)'),
      new Option('--tz <zone>', 'the zone of the days (default: this machine’s)'),
      new Option('--runs <n>', 'how many of the last runs (default: 10)'),
      new Option('--html <file>', 'besides, one self-contained page for the browser'),
      new Option('--no-audit', 'a quick look: do not compare the raw log with the database'),
    ]),
    ...grouped('Alerts:', [
      new Option('--history-after <duration>', 'no history so long after onboarding (default: 60m)'),
      new Option('--silent-after <duration>', 'no live event for so long (default: by its own rhythm)'),
      failOnOption('loss'),
    ]),
  ];
}
