import type { Command } from 'commander';
import { setTimeout as delay } from 'node:timers/promises';
import type { ReportOptions, ReportResult } from '../../commands/report/types.js';
import { ConfigError, EXIT, type ExitCode } from '../../model/errors.js';
import { wallTimeAt } from '../../model/time.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { duration, integer, moment, text, toggle, zone } from '../flags/kinds.js';
import { actor, alertLimits, connection, failOn, limitsOf } from '../flags/shared.js';
import { contradiction, group, readFlags, type Line, type Reading } from '../flags/table.js';
import type { GlobalSettings } from '../flags/global.js';
import { hasNoConnection } from '../views/alert-words.js';
import { drawsBlocks } from '../views/day-chart.js';

/** More days than this do not fit a chart. */
const MOST_DAYS = 366;
const DAY_MS = 86_400_000;
const MOST_RUNS = 1000;
const LEAST_WATCH_MS = 1000;
const MOST_WATCH_MS = 24 * 3_600_000;

const FLAGS = {
  ...group('What:', {
    connection: connection(),
    days: integer(1, MOST_DAYS, 'days of the chart').default('14'),
    since: moment('the first day of the chart, instead of --days: 2026-11-03, 2w, …'),
    until: moment('the last day of the chart: 2026-11-03, yesterday, …').otherwise(
      'today, or the newest day with messages',
    ),
    tz: zone('the zone of the days'),
    runs: integer(0, MOST_RUNS, 'how many of the last runs').default('10'),
    html: text('file', 'also write one self-contained HTML page', 'a file name'),
    watch: duration('rewrite the files at this interval until Ctrl-C').onlyTyped(),
    as: actor(),
    noAudit: toggle('a quick look: do not compare the raw log with the database'),
  }),
  ...group('Alerts:', { ...alertLimits(), failOn: failOn('loss') }),
};

export function registerReport(parent: Command, attach: Attach): void {
  const command = parent.command('report');
  describe(command, {
    flags: FLAGS,
    summary: 'Report what was synchronized per connection, what was lost and why, and what needs attention.',
    details:
      'Reads one moment of the database and changes nothing. For every connection: its history, its last events, ' +
      'what it holds, messages per day with the days that stand out, and the raw log against the database with ' +
      'every difference by its reason. The whole raw log is decoded and compared, message by message; ' +
      '--no-audit leaves that out, and then nothing is said about losses. Alerts come first, the worst at the ' +
      'top, each with what to type: loss (a message is missing, a duplicate or different, an item was rejected), ' +
      'degraded (something that should come does not), note (nothing to do). Alerts about what was ' +
      'rejected or broken, and about runs that died, look back as far as --days. How long a connection may be ' +
      'silent is learned from the same hours of earlier weeks.',
    examples: [
      ['wa-reconcile report', 'all connections, the last 14 days'],
      ['wa-reconcile report --connection loja --days 60', 'one number, two months'],
      ['wa-reconcile report --html report.html', 'also write one HTML page, with charts'],
      [
        'wa-reconcile report -o /var/lib/node_exporter/wa_reconcile.prom',
        'gauges for Prometheus (textfile collector)',
      ],
      ['wa-reconcile report --watch 60s --html report.html', 'a page that stays up to date'],
      ['wa-reconcile report --no-audit', 'a quick look, without comparing the raw log'],
      ['wa-reconcile report --json | jq .counts', 'how much is lost, degraded, worth a note'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]:
        'nothing is lost that was not acknowledged (alerts below --fail-on do not count; -q prints them all the same, unless they are notes)',
      [EXIT.usage]: 'wrong usage or configuration; no database; migrations pending; there is no connection',
      [EXIT.findings]: 'something is lost, or as bad as --fail-on says',
      [EXIT.interrupted]: 'interrupted (--watch ends with the code of its last report)',
    },
  });
  attach(command, reportCommand, { makes: ['page', 'metrics'] });
}

async function reportCommand(call: Call): Promise<Outcome> {
  const [{ presentReport, rejectsIn }, { withContext }, { showReport }, { hasOpen }] = await Promise.all([
    import('../views/report.js'),
    import('../session.js'),
    import('../../commands/report/show-report.js'),
    import('../../audit/alert.js'),
  ]);
  const { io, settings } = call;
  const { options, html, severity, everyMs, looker } = readOptions(call, settings);
  const file = html === undefined ? undefined : await openPage(call, html);
  const toTerminal = io.stdoutIsTTY && (settings.output === undefined || settings.output === '-');
  const isPage = file !== undefined || settings.page;
  const isDelivered = everyMs === undefined || writesFile(settings);
  const shows = (result: ReportResult) =>
    isPage ? result.rejected : isDelivered ? rejectsIn(settings.format, result) : [];
  const once = async (): Promise<Outcome> => {
    const session = { command: 'report', interruptible: 'reading', actor: looker } as const;
    const result = await withContext(call, session, (ctx) => showReport(ctx, options, shows));
    const page = async (): Promise<string> => {
      const { renderReportPage } = await import('../report-page/page.js');
      return renderReportPage(result, { line: call.look.line, everyMs });
    };
    if (file !== undefined) {
      await file.write(await page());
      call.notice(`Page written to ${file.file ?? html}`);
    }
    return {
      page,
      presentation: presentReport(result, { blocks: drawsBlocks(io.env, toTerminal) }),
      exitCode: exitCodeFor(result, hasOpen(result.alerts, severity)),
    };
  };
  return everyMs === undefined ? once() : watch(call, everyMs, once);
}

/** Where there is no connection, nothing is green (V2): what is no finding by --fail-on is no good sign either. */
function exitCodeFor(result: ReportResult, isFinding: boolean): ExitCode {
  if (isFinding) return EXIT.findings;
  return hasNoConnection(result) ? EXIT.usage : EXIT.ok;
}

/**
 * Repeats the report until Ctrl-C, and exits as the last completed report did. Opens the database for each report and
 * closes it afterwards, so that other commands can use it in between. An error of the first report ends the command, as
 * without --watch; a later one is printed, and the next report tries again.
 */
async function watch(call: Call, everyMs: number, once: () => Promise<Outcome>): Promise<Outcome> {
  const { signal } = call.stop;
  const report = async (): Promise<Outcome> => {
    const outcome = await once();
    if (writesFile(call.settings)) await call.deliver(outcome);
    return { ...outcome, isDelivered: true };
  };
  let startedAt = performance.now();
  let last = await report();
  for (;;) {
    const rest = Math.max(0, everyMs - (performance.now() - startedAt));
    await delay(rest, undefined, { signal }).catch(() => undefined);
    if (hasStopped(signal)) return last;
    startedAt = performance.now();
    try {
      last = await report();
    } catch (error) {
      if (hasStopped(signal)) return last;
      await call.complain(error);
    }
  }
}

/** A function call, because the signal may have aborted since the previous line. */
function hasStopped(signal: AbortSignal): boolean {
  return signal.aborted;
}

function writesFile({ output }: Pick<GlobalSettings, 'output'>): boolean {
  return output !== undefined && output !== '-';
}

/** What to report, where else to write the page, and which severity exits with 3. Throws ConfigError. */
function readOptions(line: Line, settings: Pick<GlobalSettings, 'output' | 'page'>) {
  const { output, page } = settings;
  const { values, origin } = readFlags(FLAGS, line);
  const { html, runs, tz, watch: everyMs } = values;
  const { days, until } = windowOf({ values, origin }, line.io.clock());
  if (html !== undefined && html !== '-' && html === output) {
    throw contradiction(`${origin('html').place} and -o name the same file.`, 'Name two.');
  }
  if (html === '-') {
    throw new ConfigError(`${origin('html').place} -: the page goes to a file, the result to stdout.`, {
      remedy: 'Name a file, for example report.html.',
    });
  }
  if (everyMs !== undefined && html === undefined && !writesFile(settings)) {
    throw new ConfigError(`${origin('watch').place} needs a file to write again and again.`, {
      remedy: 'Name it with --html or -o, for example --html report.html.',
    });
  }
  if (everyMs !== undefined && (everyMs < LEAST_WATCH_MS || everyMs > MOST_WATCH_MS)) {
    throw new ConfigError(`${origin('watch').place}: not between 1s and 24h.`, {
      remedy: 'Give for example 60s.',
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
  return { options, html, severity: values.failOn, everyMs, looker: values.as };
}

/** The days shown: a number of them, or those since --since. Throws ConfigError. */
function windowOf({ values, origin }: Pick<Reading<typeof FLAGS>, 'values' | 'origin'>, now: number) {
  const { since, until, days, tz } = values;
  if (since === undefined) return { days, until };
  if (origin('days').from === 'flag') {
    throw contradiction(
      `${origin('since').place} and ${origin('days').place} contradict each other.`,
      'Give the first day, or how many there are.',
    );
  }
  const [first, last] = [since, until ?? now].map((at) => {
    const { year, month, day } = wallTimeAt(at, tz);
    return Date.UTC(year, month - 1, day) / DAY_MS;
  });
  const shown = (last ?? 0) - (first ?? 0) + 1;
  if (shown >= 1 && shown <= MOST_DAYS) return { days: shown, until: until ?? now };
  throw new ConfigError(
    `${origin('since').place}: ${shown < 1 ? 'after the last day' : `more than ${MOST_DAYS} days ago`}.`,
    { remedy: `Give a day of the last ${MOST_DAYS}, at or before --until.` },
  );
}

/** Checks before the work that the page can be written after it. */
async function openPage(call: Call, html: string | undefined) {
  const { prepareOutput } = await import('../output.js');
  return prepareOutput(html, call.io, '--html');
}
