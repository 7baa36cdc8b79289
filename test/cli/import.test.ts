import { describe, expect, it } from 'vitest';
import { parseContactList } from '../../src/cli/contact-list.js';
import {
  describeImportStep,
  describeProgress,
  IDLE,
  reduceProgress,
} from '../../src/cli/ui/progress-state.js';
import { readImportFlags } from '../../src/cli/commands/import.js';
import { useEmbedded } from './database-home.js';

const NOWHERE = { env: {}, dotenv: {}, dotenvPath: undefined };
const NOW = Date.UTC(2026, 10, 20, 12);

function settings(flags: Record<string, unknown> = {}, args = ['+5511912345678']) {
  return readImportFlags(args, {
    given: new Map(Object.entries(flags)),
    environment: NOWHERE,
    io: { clock: () => NOW },
  });
}

describe('the settings of import', () => {
  it('are one page of 50 messages, 20 seconds of patience, the raw log first', () => {
    expect(settings().options).toMatchObject({
      phase: 'auto',
      pages: 1,
      count: 50,
      timeoutMs: 20_000,
      pagePauseMs: 1_000,
      force: false,
    });
    expect(settings().list).toEqual({ listBatch: 10, listPauseMs: 30_000, resume: true });
  });

  it('go back page by page under --since, and say what it was read as', () => {
    const { options, window } = settings({ since: '2d', tz: 'UTC' });
    expect(options).toMatchObject({ until: NOW - 2 * 86_400_000, pages: 100 });
    expect(window).toBe('Going back to 2026-11-18T12:00:00Z (UTC; dates read in UTC), at most 100 pages.');
    // Its older name.
    expect(settings({ until: '2d', pages: '3' }).options.pages).toBe(3);
  });

  it.each([
    ['nobody', {}, [], 'No contact was given.'],
    ['a contact and a list', { fromFile: 'list' }, undefined, 'contradict each other'],
    ['a dry run of a list', { fromFile: 'list', dryRun: true }, [], 'is for one contact'],
    ['a phase that there is not', { phase: 'both' }, undefined, '--phase'],
    ['too large a page', { count: '501' }, undefined, '--count'],
  ])('refuse %s', (_, flags, args, message) => {
    expect(() => settings(flags, args)).toThrow(message);
  });
});

describe('a list of contacts', () => {
  it('has one per line, with the numbers that an editor shows', () => {
    expect(
      parseContactList('\ufeff# vip\r\n +55 11 91234-5678 \r\n\r\n123@lid\n+55 11 91234-5678\n'),
    ).toEqual([
      { line: 2, contact: '+55 11 91234-5678' },
      { line: 4, contact: '123@lid' },
    ]);
  });
});

describe('the progress of import', () => {
  it('counts down while the phone is waited for', () => {
    const asked = { event: 'import', contact: 'Ana', step: 'asked', page: 2, waitMs: 20_000 } as const;
    const state = reduceProgress(IDLE, asked, NOW);
    expect(describeProgress(state, NOW + 6_100, 100)).toBe(
      'Ana: asked the phone for page 2, waiting up to 20 s, 14 s left',
    );
    expect(
      describeImportStep({ event: 'import', contact: 'A\u001b[2Jna', step: 'saved', page: 1, messages: 1 }),
    ).toBe('Ana: saved 1 new or changed message of page 1');
  });
});

describe('import on the command line', () => {
  const embedded = useEmbedded();

  it('says of a contact of whom nothing is stored that there is no connection yet, with exit 6', async () => {
    const run = await embedded.prepare();
    const { code, stdout } = await run(['import', '+5511912345678']);
    expect(code).toBe(6);
    expect(stdout).toContain('[not_linked]');
    expect(stdout).toContain('There is no connection yet.');
  });

  it('finds nothing in the raw log under --phase cache, which is no failure', async () => {
    const run = await embedded.prepare();
    const { code, stdout } = await run(['import', '+5511912345678', '--phase', 'cache', '--format', 'csv']);
    expect(code).toBe(0);
    expect(stdout).toContain(',empty,');
  });

  it('names its outcomes with their exit codes in the help', async () => {
    const run = await embedded.prepare('missing');
    const { stdout } = await run(['import', '--help']);
    for (const outcome of ['fetched', 'silent', 'no_anchor', 'throttled', 'not_linked', 'logged_out']) {
      expect(stdout).toContain(outcome);
    }
  });
});
