import { z } from 'zod';
import { IMPORT_PHASES, type FetchOptions } from '../../core/import/options.js';
import { ConfigError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import type { Environment } from './environment.js';
import { instant, readMoment, readTimeZone } from './moments.js';
import { choice, duration, number, toggle, word } from './parsers.js';
import { resolveSettings, saidOf, type GivenFlags } from './resolve.js';

/** As many as WhatsApp's own clients ask for at a time. */
/** As many messages as WhatsApp's own clients ask for at a time. */
const PAGE_SIZE = 50;
const LARGEST_PAGE_SIZE = 500;
const MOST_PAGES = 1000;
/** With --until the date ends it, not a number of pages. */
const PAGES_UNTIL = 100;

const IMPORT = z.object({
  connection: word('a connection').optional(),
  phase: choice(IMPORT_PHASES).default('auto'),
  pages: number(1, MOST_PAGES).optional(),
  count: number(1, LARGEST_PAGE_SIZE).default(PAGE_SIZE),
  timeout: duration().default(20_000),
  until: word('a time').optional(),
  tz: word('a time zone').optional(),
  force: toggle(),
  dryRun: toggle(),
  fromFile: word('a file name').optional(),
  pagePause: duration().default(1_000),
  listBatch: number(1, 1000).default(10),
  listPause: duration().default(30_000),
  batchSize: number(1, 100_000).default(1000),
  noResume: toggle(),
});

export interface ImportSettings {
  options: FetchOptions;
  dryRun: boolean;
  /** A file with contacts, `-` for standard input; undefined for the contact on the line. */
  fromFile: string | undefined;
  list: { listBatch: number; listPauseMs: number; resume: boolean };
  /** What --until was read as, in words. */
  window: string | undefined;
}

/** Resolves the settings of `import`. `now` is in ms since 1970. Throws ConfigError for what is wrong or contradictory. */
export function resolveImportSettings(
  args: readonly string[],
  given: GivenFlags,
  environment: Environment,
  now: number,
): ImportSettings {
  const { values, origin } = resolveSettings(IMPORT, given, environment);
  const { fromFile, dryRun, connection, phase, force } = values;
  if (args.length === 0 && fromFile === undefined) {
    throw new ConfigError('Whose history is to be imported?', {
      remedy: [
        remedy('import', ['+5511912345678'], 'imports one contact'),
        remedy('import', ['--from-file', 'FILE'], 'imports a list, one contact per line'),
      ],
      code: 'contact_missing',
    });
  }
  if (args.length > 0 && fromFile !== undefined) {
    throw new ConfigError(`A contact and ${origin('fromFile').place} contradict each other.`, {
      remedy: 'Give one of them.',
      code: 'contradiction',
    });
  }
  if (dryRun && fromFile !== undefined) {
    throw new ConfigError(`${origin('dryRun').place} is for one contact, not for a list.`, {
      remedy: remedy('import', ['CONTACT', '--dry-run'], 'says what would be done for one of them'),
      code: 'contradiction',
    });
  }
  const timeZone = readTimeZone({ value: values.tz, origin: origin('tz') });
  const until = readMoment({ value: values.until, origin: origin('until') }, now, timeZone);
  return {
    options: {
      ...(connection === undefined ? {} : { connection }),
      phase,
      pages: values.pages ?? (until === undefined ? 1 : PAGES_UNTIL),
      count: values.count,
      timeoutMs: values.timeout,
      ...(until === undefined ? {} : { until }),
      force,
      pagePauseMs: values.pagePause,
      batchSize: values.batchSize,
      recordedOptions: saidOf(values),
    },
    dryRun,
    fromFile,
    list: { listBatch: values.listBatch, listPauseMs: values.listPause, resume: !values.noResume },
    window:
      until === undefined
        ? undefined
        : `Going back to ${instant(until)} (UTC; dates read in ${timeZone}), at most ${values.pages ?? PAGES_UNTIL} pages.`,
  };
}
