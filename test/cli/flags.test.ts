import type { Command } from 'commander';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { chooseDatabase } from '../../src/cli/choose-database.js';
import { describeNoEntries, describeSelection, readReplayFlags } from '../../src/cli/commands/replay.js';
import { readEnvironment, type Environment } from '../../src/cli/environment.js';
import { FlagOption } from '../../src/cli/flags/flag.js';
import { integer, moment, names, property, zone } from '../../src/cli/flags/kinds.js';
import { buildProgram } from '../../src/cli/program.js';
import { readGlobalFlags } from '../../src/cli/flags/global.js';
import { optionsOf, readFlags, type Line } from '../../src/cli/flags/table.js';
import { temporaryDirectory } from './run-cli.js';

const NOW = Date.parse('2026-11-03T14:30:00Z');

function surroundings(env: Record<string, string> = {}, dotenv: Record<string, string> = {}): Environment {
  return { env, dotenv, dotenvPath: '/srv/.env' };
}

function line(given: Record<string, unknown>, environment = surroundings()): Line {
  return { given: new Map(Object.entries(given)), environment, io: { clock: () => NOW } };
}

describe('where a setting comes from', () => {
  test('a flag beats the environment, the environment beats .env, .env beats the default', () => {
    const tickets = (given: Record<string, unknown>, environment: Environment): string =>
      readReplayFlags([], line(given, environment)).values.tickets;
    const both = surroundings({ WA_RECONCILE_TICKETS: 'none' }, { WA_RECONCILE_TICKETS: 'auto' });
    expect(tickets({ tickets: 'auto' }, both)).toBe('auto');
    expect(tickets({}, both)).toBe('none');
    expect(tickets({}, surroundings({}, { WA_RECONCILE_TICKETS: 'none' }))).toBe('none');
    expect(tickets({}, surroundings())).toBe('auto');
  });

  test('batches grow only where nobody has said how large they are', () => {
    const batchSize = (given: Record<string, unknown>): number | undefined =>
      readReplayFlags([], line(given)).values.batchSize;
    expect(batchSize({ batchSize: '1000' })).toBe(1000);
    expect(batchSize({})).toBeUndefined();
  });

  test('every value knows its origin', () => {
    const settings = readGlobalFlags(
      line({ quiet: true }, surroundings({ WA_RECONCILE_DEBUG: '1' }, { WA_RECONCILE_LOCK_WAIT: '5m' })),
    );
    expect(settings.lockWait).toBe(300_000);
    expect(settings.origin('quiet')).toEqual({ from: 'flag', place: '--quiet' });
    expect(settings.origin('debug')).toEqual({ from: 'environment', place: 'WA_RECONCILE_DEBUG' });
    expect(settings.origin('lockWait')).toEqual({
      from: '.env',
      place: 'WA_RECONCILE_LOCK_WAIT in /srv/.env',
    });
    expect(settings.origin('home').from).toBe('default');
  });

  test('an empty variable counts as not set', () => {
    expect(readGlobalFlags(line({}, surroundings({ WA_RECONCILE_LOCK_WAIT: '' }))).lockWait).toBe(0);
  });

  test.each([
    ['1', true],
    ['true', true],
    ['YES', true],
    ['0', false],
    ['off', false],
  ])('a switch set to %s in the environment is %s', (word, on) => {
    expect(readGlobalFlags(line({}, surroundings({ WA_RECONCILE_NO_COLOR: word }))).noColor).toBe(on);
  });

  test('a wrong value names the place where it stands and what would be right', () => {
    expect(() => readReplayFlags([], line({ batchSize: 'many' }))).toThrow(
      `--batch-size: 'many' is not a whole number from 1 to 100000.`,
    );
    expect(() => readGlobalFlags(line({}, surroundings({}, { WA_RECONCILE_LOCK_WAIT: '5' })))).toThrow(
      `WA_RECONCILE_LOCK_WAIT in /srv/.env: '5' is not a duration such as 90s, 5m or 1h30m.`,
    );
    expect(() => readGlobalFlags(line({}, surroundings({ WA_RECONCILE_YES: 'maybe' })))).toThrow(
      `WA_RECONCILE_YES: 'maybe' is not true or false`,
    );
    expect(() => readReplayFlags([], line({ include: ['group,channel'] }))).toThrow(
      "--include: 'group,channel' is not made of group, status_broadcast, broadcast, newsletter.",
    );
  });

  test('a list may be repeated or written with commas, in a flag and in the environment', () => {
    const include = (given: unknown, env: Record<string, string> = {}): string[] =>
      readReplayFlags([], line(given === undefined ? {} : { include: given }, surroundings(env))).values
        .include;
    expect(include(['group', 'newsletter'])).toEqual(['group', 'newsletter']);
    expect(include(['group, newsletter'])).toEqual(['group', 'newsletter']);
    expect(include(undefined, { WA_RECONCILE_INCLUDE: 'group,newsletter' })).toEqual(['group', 'newsletter']);
  });

  test('.env is read without changing the environment', async () => {
    const cwd = await temporaryDirectory();
    await writeFile(
      join(cwd, '.env'),
      '\ufeff# comment\nWA_RECONCILE_HOME="/srv/wa data"\nexport DATABASE_URL=x\n',
    );
    const env: Record<string, string> = {};
    const environment = readEnvironment({ env, cwd });
    expect(environment.dotenv.WA_RECONCILE_HOME).toBe('/srv/wa data');
    expect(env).toEqual({});
    expect(process.env.WA_RECONCILE_HOME).toBeUndefined();
  });

  test('a directory called .env is none of our business', async () => {
    const cwd = await temporaryDirectory();
    await mkdir(join(cwd, '.env'));
    expect(readEnvironment({ env: {}, cwd }).dotenv).toEqual({});
  });
});

describe('the format of the result', () => {
  const format = (given: Record<string, unknown>, env: Record<string, string> = {}): string =>
    readGlobalFlags(line(given, surroundings(env))).format;

  test('is a table unless something else is asked for', () => {
    expect(format({})).toBe('table');
    expect(format({ json: true })).toBe('json');
    expect(format({ format: 'csv' })).toBe('csv');
  });

  test('--json on the line beats a format in the environment, and the other way round', () => {
    expect(format({ json: true }, { WA_RECONCILE_FORMAT: 'csv' })).toBe('json');
    expect(format({ format: 'csv' }, { WA_RECONCILE_JSON: '1' })).toBe('csv');
  });

  test('--json and another --format side by side are a mistake', () => {
    expect(() => format({ json: true, format: 'csv' })).toThrow('contradict each other');
  });
});

describe('the ending of a file', () => {
  const read = (given: Record<string, unknown>, env: Record<string, string> = {}) => {
    const { format, page } = readGlobalFlags(line(given, surroundings(env)));
    return page ? 'page' : format;
  };

  test.each([
    ['out.json', 'json'],
    ['out.NDJSON', 'ndjson'],
    ['out.jsonl', 'ndjson'],
    ['out.csv', 'csv'],
    ['notes/out.md', 'markdown'],
    ['out.html', 'page'],
    ['out.txt', 'table'],
    ['json', 'table'],
    ['-', 'table'],
  ])('-o %s is %s', (output, format) => {
    expect(read({ output })).toBe(format);
  });

  test('gives way to a format beside it, and beats one that stands farther away', () => {
    expect(read({ output: 'out.json', format: 'csv' })).toBe('csv');
    expect(read({ output: 'out.csv', json: true })).toBe('json');
    expect(read({ output: 'out.csv' }, { WA_RECONCILE_JSON: '1' })).toBe('csv');
    expect(read({ format: 'table' }, { WA_RECONCILE_OUTPUT: 'out.csv' })).toBe('table');
  });
});

describe('one declaration', () => {
  const TABLE = {
    batchSize: integer(1, 10, 'rows per transaction').default('5'),
    since: moment('sent since').alias('fromDate'),
    tz: zone('the zone of dates without one'),
    class: names('classes', ['same_id', 'no_id'], { noun: 'class', help: 'only these' }),
    phone: property('number', 'its number'),
  };

  test('gives the option, with its default in the help, and the older name hidden', () => {
    expect(optionsOf(TABLE).map(({ flags, description, hidden }) => [flags, description, hidden])).toEqual([
      ['--batch-size <n>', 'rows per transaction (default: 5)', false],
      ['--since <time>', 'sent since', false],
      ['--from-date <time>', 'sent since', true],
      ['--tz <zone>', 'the zone of dates without one (default: this machine’s)', false],
      ['--class <classes>', 'only these', false],
      ['--phone <number>', 'its number', false],
    ]);
  });

  test('gives the value, read in the zone that stands behind it', () => {
    const { values } = readFlags(TABLE, line({ since: '2026-11-01', tz: 'America/Sao_Paulo' }));
    expect(values).toEqual({
      batchSize: 5,
      since: Date.parse('2026-11-01T03:00:00Z'),
      tz: 'America/Sao_Paulo',
      class: new Set(['same_id', 'no_id']),
      phone: undefined,
    });
  });

  test('an older name works on the line and in the environment, and is named where it is wrong', () => {
    expect(readFlags(TABLE, line({ fromDate: '1h' })).values.since).toBe(NOW - 3_600_000);
    const environment = surroundings({ WA_RECONCILE_FROM_DATE: '1h' });
    expect(readFlags(TABLE, line({}, environment)).values.since).toBe(NOW - 3_600_000);
    expect(() => readFlags(TABLE, line({ fromDate: 'soon' }))).toThrow(`--from-date: 'soon' is not a time.`);
  });

  test('a run records what was said and nothing else, a time as it was typed', () => {
    expect(readFlags(TABLE, line({})).recorded).toEqual({});
    expect(
      readFlags(
        TABLE,
        line({ since: '2d', class: ['no-id'] }, surroundings({ WA_RECONCILE_BATCH_SIZE: '7' })),
      ).recorded,
    ).toEqual({ batchSize: 7, since: '2d', class: ['no_id'] });
  });

  test('a property of something in the database is never read from the environment', () => {
    const environment = surroundings({ WA_RECONCILE_PHONE: '+15550783881' });
    expect(readFlags(TABLE, line({}, environment)).values.phone).toBeUndefined();
    expect(optionsOf(TABLE).map(({ variable }) => variable)).not.toContain('WA_RECONCILE_PHONE');
  });

  test('is what every option of every command is made of, and none has a default of commander', () => {
    const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];
    const options = all(buildProgram()).flatMap((command) => [...command.options]);
    const flags = options.filter((option) => option instanceof FlagOption);
    expect(flags.length).toBeGreaterThan(100);
    // Commander knows none of them: a default there would look like a typed flag, and beat the environment.
    expect(options.filter(({ defaultValue }) => defaultValue !== undefined)).toEqual([]);
  });
});

describe('the choice of the database', () => {
  const io = { cwd: '/srv', homeDirectory: '/home/ana' };
  const choose = (given: Record<string, unknown>, environment = surroundings()) =>
    chooseDatabase(readGlobalFlags(line(given, environment)), environment, io);

  test('is the embedded one in the home of the user, when nothing is said', () => {
    expect(choose({}).config).toEqual({
      kind: 'pglite',
      directory: '/home/ana/.local/share/wa-reconcile/database',
    });
  });

  test('follows --home, WA_RECONCILE_HOME and XDG_DATA_HOME, in this order', () => {
    const environment = surroundings({ WA_RECONCILE_HOME: 'here', XDG_DATA_HOME: '/data' });
    expect(choose({ home: '/there' }, environment).config).toEqual({
      kind: 'pglite',
      directory: '/there/database',
    });
    expect(choose({}, environment).config).toEqual({ kind: 'pglite', directory: '/srv/here/database' });
    expect(choose({}, surroundings({ XDG_DATA_HOME: '/data' })).config).toEqual({
      kind: 'pglite',
      directory: '/data/wa-reconcile/database',
    });
    expect(choose({}, surroundings({ XDG_DATA_HOME: 'relative' })).place).toBe('default');
  });

  test('is the server of DATABASE_URL, unless --home is typed, which is said', () => {
    const environment = surroundings({ DATABASE_URL: 'postgresql://app:secret@db/crm' });
    expect(choose({}, environment).config).toEqual({
      kind: 'postgresql',
      url: 'postgresql://app:secret@db/crm',
    });
    const choice = choose({ home: '/there' }, environment);
    expect(choice.config).toEqual({ kind: 'pglite', directory: '/there/database' });
    expect(choice.notice).toBe('--home is used; DATABASE_URL is ignored.');
    expect(choice.looked.join()).not.toContain('secret');
    expect(() => choose({ home: '/there', databaseUrlFile: '/url' })).toThrow('name two databases');
    expect(choose({}, surroundings({}, { DATABASE_URL: 'postgresql://x/y' })).place).toBe(
      'DATABASE_URL in /srv/.env',
    );
  });

  test('is the server of --database-url-file, before DATABASE_URL', async () => {
    const file = join(await temporaryDirectory(), 'url');
    await writeFile(file, 'postgresql://file/crm\n');
    const choice = choose({ databaseUrlFile: file }, surroundings({ DATABASE_URL: 'postgresql://env/crm' }));
    expect(choice.config).toEqual({ kind: 'postgresql', url: 'postgresql://file/crm' });
  });

  test('DATABASE_URL in the environment beats a file named in .env', () => {
    const environment = surroundings(
      { DATABASE_URL: 'postgresql://env/crm' },
      { WA_RECONCILE_DATABASE_URL_FILE: '/nonexistent' },
    );
    expect(choose({}, environment).config).toEqual({ kind: 'postgresql', url: 'postgresql://env/crm' });
  });

  test('a file that is missing or holds something else is named, its content never shown', async () => {
    const file = join(await temporaryDirectory(), 'url');
    expect(() => choose({ databaseUrlFile: file })).toThrow(
      `--database-url-file: ${file} cannot be read (ENOENT).`,
    );
    await writeFile(file, 'PGPASSWORD=hunter2\npsql\n');
    expect(() => choose({ databaseUrlFile: file })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') as unknown }) as Error,
    );
  });
});

describe('what a replay takes', () => {
  const resolve = (paths: string[], given: Record<string, unknown>, env: Record<string, string> = {}) =>
    readReplayFlags(paths, line(given, surroundings(env)));

  test('without a path is what is pending; with --failed also what failed; with --all everything', () => {
    expect(resolve([], {}).selection).toEqual({ which: 'pending' });
    expect(resolve([], { failed: true }).selection).toEqual({ which: 'failed' });
    expect(resolve([], { all: true }).selection).toEqual({ which: 'all' });
  });

  test('with a window, a field or a contact is that part of everything, again', () => {
    expect(resolve([], { contact: '+5511912345678' }).selection).toEqual({
      which: 'all',
      contact: '+5511912345678',
    });
    expect(resolve([], { since: '2d', failed: true }).selection).toEqual({
      which: 'failed',
      since: Date.parse('2026-11-01T14:30:00Z'),
    });
  });

  test('names the connection, and why there may be nothing', () => {
    const shop = resolve([], { connection: 'shop' });
    expect(describeSelection(shop)).toBe('Replaying stored pending entries of the connection shop.');
    expect(describeNoEntries(shop)).toBe('no stored entry matches');
    expect(describeNoEntries(resolve([], {}))).toBe('no stored entry is pending');
    expect(describeNoEntries(resolve([], { failed: true }))).toBe('no stored entry is pending or failed');
    expect(describeNoEntries(resolve([], { all: true }))).toBe('no entry is stored yet');
  });

  test('is said in UTC, with the zone in which dates were read', () => {
    const settings = resolve([], { since: '2026-11-01', until: '2026-11-02', tz: 'America/Sao_Paulo' });
    expect(describeSelection(settings)).toBe(
      'Replaying stored entries of every status received from 2026-11-01T03:00:00Z before 2026-11-02T03:00:00Z (UTC; dates read in America/Sao_Paulo).',
    );
  });

  test.each([
    ['a path with --all', ['x'], { all: true }, '--all'],
    ['a path with --since and --contact', ['x'], { since: '2d', contact: '1' }, '--since, --contact'],
    ['--failed with --all', [], { failed: true, all: true }, '--all and --failed'],
    ['--strict with --max-errors', [], { strict: true, maxErrors: '5' }, '--strict and --max-errors'],
    [
      'a window that ends before it begins',
      [],
      { since: '1d', until: '2d' },
      '--since is not before --until',
    ],
    ['a zone that does not exist', [], { tz: 'Mars/Base' }, `'Mars/Base' is not a time zone`],
    ['a time that is none', [], { since: 'last tuesday' }, `'last tuesday' is not a time`],
  ])('%s is a mistake, with its remedy', (_what, paths, given, words) => {
    expect(() => resolve(paths, given)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(words) as unknown,
        remedy: expect.any(String) as unknown,
        exitCode: 2,
      }) as Error,
    );
  });

  test('a contradiction with the environment names the variable', () => {
    expect(() => resolve(['x'], {}, { WA_RECONCILE_ALL: '1' })).toThrow('WA_RECONCILE_ALL');
  });
});
