import { mkdtemp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import * as library from '../../src/index.js';
import { OPTIONS, readOptions } from '../../src/library/options.js';
import { parseMoment } from '../../src/cli/flags/moment.js';
import { describeOnBackends } from '../support/databases.js';
import { ANA, live } from '../support/webhooks.js';

/** Dates that no row of a database can have, and days that no calendar has, in each form that the library takes. */
const IMPOSSIBLE: readonly library.Moment[] = [
  new Date('+010000-01-01T00:00:00Z'),
  new Date(8.64e15),
  new Date(-8.64e15),
  new Date('-000001-06-01T00:00:00Z'),
  new Date(Number.NaN),
  8.64e15,
  -8.64e15,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Date.parse('9999-12-31T00:00:00Z'),
  Date.parse('0001-01-01T00:00:00Z') - 1,
  '2026-02-30T00:00:00Z',
  '2025-02-29T12:00:00+02:00',
  '2026-11-03T24:00:00Z',
  '2026-11-03T10:00:00+24:00',
  '9999-12-31T00:00:00Z',
  '9999-12-30T23:30:00-01:00',
  '0000-01-01T00:00:00Z',
];

/** Every option of every function that is a time: what a Date and a text with its zone are read as. */
const DATED = Object.entries(OPTIONS).flatMap(([name, schema]) =>
  schema instanceof z.ZodObject
    ? Object.entries<z.ZodType>(schema.shape)
        .filter(([, option]) => option.safeParse(new Date(0)).success)
        .map(([option, field]) => ({ name: `${name}.${option}`, field }))
    : [],
);

describe('every time that a function of the library takes', () => {
  it('is one of those that a reader looked for', () => {
    expect(DATED.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'readMessages.since',
        'verify.since',
        'report.until',
        'requestHistory.onboardedAt',
        'importContact.until',
      ]),
    );
  });

  it.each(DATED)('$name refuses what no row can have, as any wrong option', ({ name, field }) => {
    for (const given of IMPOSSIBLE)
      expect(() => readOptions(name, field, given)).toThrow(
        expect.objectContaining({ name: 'ConfigError', code: 'invalid_option' }),
      );
  });

  it('is read as the command line reads it, where the text has its zone', () => {
    const [since] = DATED;
    for (const text of [
      '2026-11-03T08:00:00Z',
      '2026-11-03T08:00z',
      '2024-02-29T23:59:59.999999-03:00',
      '0100-01-01T00:00:00Z',
      '9999-12-30T23:59:59.999Z',
      '2026-02-30T00:00:00Z',
      '2026-11-03T08:00:00+0300',
      '2026-11-03T08:60:00Z',
      '9999-12-31T00:00:00Z',
    ]) {
      const read = since?.field.safeParse(text);
      expect(read?.success === true ? read.data : undefined, text).toBe(parseMoment(text, 0, 'UTC'));
    }
  });
});

describeOnBackends('the times at both ends of those that a row can have', (backend) => {
  it('are times like any other to every function, and a row beyond them is asked for by none', async () => {
    const config = await backend.config();
    const ctx = await (config.kind === 'postgresql'
      ? library.createContext({ databaseUrl: config.url })
      : library.createContext({ home: dirname(config.directory) }));
    await library.replay(ctx, {
      input: Readable.from([`${JSON.stringify(live('a', 0))}\n`]),
      register: true,
    });
    const to = await mkdtemp(join(inject('databases').directory, 'dates-'));
    const sink = {
      begin: () => Promise.resolve(),
      messages: () => Promise.resolve(),
      end: () => Promise.resolve(),
    };
    const calls: Record<string, (at: library.Moment) => Promise<unknown>> = {
      'readMessages.since': (since) => library.readMessages(ctx, { contact: ANA, since }),
      'readMessages.until': (until) => library.readMessages(ctx, { contact: ANA, until }),
      'verify.since': (since) => library.verify(ctx, { since }),
      'replay.since': (since) => library.replay(ctx, { since, dryRun: true }),
      'replay.until': (until) => library.replay(ctx, { until, dryRun: true }),
      'report.until': (until) =>
        library.report(ctx, { until, days: 366, hours: true, timeZone: 'Pacific/Kiritimati' }),
      'explain.since': (since) => library.explain(ctx, { subject: ANA, since, scan: true }),
      'listRuns.since': (since) => library.listRuns(ctx, { since }),
      'exportMessages.since': (since) => library.exportMessages(ctx, { contact: ANA, since, sink }),
      'exportMessages.until': (until) => library.exportMessages(ctx, { contact: ANA, until, sink }),
      'mediaStatus.since': (since) => library.mediaStatus(ctx, { since }),
      'fetchMedia.until': (until) => library.fetchMedia(ctx, { until, to, dryRun: true }),
    };
    for (const [name, call] of Object.entries(calls)) {
      for (const at of ['0001-01-01T00:00:00Z', '9999-12-30T23:59:59.999Z'])
        await expect(call(Date.parse(at)), `${name} ${at}`).resolves.toBeDefined();
      await expect(call(new Date('+010000-01-01T00:00:00Z')), name).rejects.toThrow(
        expect.objectContaining({ code: 'invalid_option' }),
      );
    }
    for (const olderThanMs of [6.4e13, 9e15, 1e300])
      expect(await library.prune(ctx, { olderThanMs })).toMatchObject({ entries: { planned: 0 } });
    await ctx.close();
  });
});
