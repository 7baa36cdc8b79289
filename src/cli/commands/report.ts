import type { Command } from 'commander';
import type { ReportOptions } from '../../commands/report/types.js';
import { ConfigError, EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { integer, moment, text, toggle, zone } from '../flags/kinds.js';
import { alertLimits, connection, failOn, limitsOf } from '../flags/shared.js';
import { contradiction, group, readFlags, type Line } from '../flags/table.js';
import type { GlobalSettings } from '../flags/global.js';
import { drawsBlocks } from '../views/day-chart.js';
import { databaseFlags } from '../shell-words.js';

/** More days than this are no chart any more. */
const MOST_DAYS = 366;
const MOST_RUNS = 1000;

const FLAGS = {
  ...group('What:', {
    connection: connection(),
    days: integer(1, MOST_DAYS, 'days of the chart').default('14'),
    until: moment('the last day of the chart: 2026-11-03, yesterday, …').otherwise(
      'today, or the newest day with messages',
    ),
    tz: zone('the zone of the days'),
    runs: integer(0, MOST_RUNS, 'how many of the last runs').default('10'),
    html: text('file', 'besides, one self-contained page for the browser', 'a file name'),
    noAudit: toggle('a quick look: do not compare the raw log with the database'),
  }),
  ...group('Alerts:', { ...alertLimits(), failOn: failOn('loss') }),
};

export function registerReport(parent: Command, attach: Attach): void {
  const command = parent.command('report');
  describe(command, {
    flags: FLAGS,
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
      [
        'wa-reconcile report -o /var/lib/node_exporter/wa_reconcile.prom',
        'gauges for Prometheus (textfile collector)',
      ],
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
  const [{ presentReport }, { withContext }, { report }, { hasOpen }] = await Promise.all([
    import('../views/report.js'),
    import('../session.js'),
    import('../../commands/report/report.js'),
    import('../../audit/alert.js'),
  ]);
  const { io, given, settings } = call;
  const { options, html, severity } = readOptions(call, settings);
  const page = html === undefined ? undefined : await openPage(call, html);
  const result = await withContext(call, { command: 'report', interruptible: 'reading' }, (ctx) =>
    report(ctx, options),
  );
  const pageOf = async (): Promise<string> => {
    const { renderReportPage } = await import('../report-page/page.js');
    return renderReportPage(result, { flags: databaseFlags(given) });
  };
  if (page !== undefined) {
    await page.write(await pageOf());
    call.notice(`Page written to ${page.file ?? html}`);
  }
  const toTerminal = io.stdoutIsTTY && (settings.output === undefined || settings.output === '-');
  return {
    page: pageOf,
    presentation: presentReport(result, { blocks: drawsBlocks(io.env, toTerminal) }),
    exitCode: hasOpen(result.alerts, severity) ? EXIT.findings : EXIT.ok,
  };
}

/** What to report, where the page goes besides the result, and what to exit with 3 on. Throws ConfigError. */
function readOptions(line: Line, { output, page }: Pick<GlobalSettings, 'output' | 'page'>) {
  const { values, origin } = readFlags(FLAGS, line);
  const { html, days, runs, until, tz } = values;
  if (html !== undefined && html !== '-' && html === output) {
    throw contradiction(`${origin('html').place} and -o name the same file.`, 'Name two.');
  }
  if (html === '-') {
    throw new ConfigError(`${origin('html').place} -: the page goes to a file, the result to stdout.`, {
      remedy: 'Name a file, for example report.html.',
    });
  }
  const options: ReportOptions = {
    connection: values.connection,
    days,
    until,
    timeZone: tz,
    runs,
    ...limitsOf(values),
    audit: !values.noAudit,
    hours: html !== undefined || page,
  };
  return { options, html, severity: values.failOn };
}

/** Found out before the work whether the page can be written after it. */
async function openPage(call: Call, html: string | undefined) {
  const { prepareOutput } = await import('../output.js');
  return prepareOutput(html, call.io);
}
