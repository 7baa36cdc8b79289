import { describe, expect, test } from 'vitest';
import { adviceLine } from '../../src/cli/advice.js';
import { createLook, PLAIN } from '../../src/cli/ui/look.js';
import { nextSteps, type Invocation } from '../../src/cli/views/replay-next.js';
import { render } from '../../src/cli/ui/presentation.js';
import { presentRun } from '../../src/cli/views/replay.js';
import type { RunResult } from '../../src/model/run-result.js';
import { amendmentCounts, messageCounts, runResult } from './run-result.js';

const FROM_FILE: Invocation = {
  argv: ['replay', 'day.ndjson'],
  from: 'files',
  register: false,
};

function summary(result: RunResult, invocation = FROM_FILE): Promise<string> {
  return render(presentRun(result, nextSteps(result, invocation)), 'table', PLAIN);
}

const ENTRIES = runResult().entries;
const NO_CONTACTS = { seen: 0, skipped: {}, rejected: {} };
const NO_ENTRIES = { ...ENTRIES, read: 0, stored: 0, duplicate: 0, processed: 0 };

describe('the summary of a run', () => {
  test('says what was read, what it became, where it is and what to type next', async () => {
    expect(await summary(runResult())).toBe(`\
✔ Replay complete  2.4 s, 780 messages/s

Input
  214 entries read: 201 stored, 13 already imported
  214 processed

Items
             read  created  updated  unchanged  pending  skipped  rejected
  messages  1,873    1,640       12        200        –       18         3
  statuses    342        –      340          –        2        –         –
  edits         1        –        1          –        –        –         –
  contacts     40        –        –          –        –        –         –
  pending: target message not received
  contacts: what they change is counted as leads

Created and updated
  leads          120 created, 3 updated, 1 merged
  conversations  118 created
  tickets        8 opened, 2 refreshed

Skipped and rejected
  count  what               why
      3  messages rejected  no message id
     18  messages skipped   sent in a group

Connections
  name        messages  created  history
  main (new)     1,873    1,640  syncing 42%

database  /home/ana/.local/share/wa-reconcile/database (embedded)
run       0193a8c0-0000-7000-8000-000000000001

✔ Replay complete  2.4 s, 780 messages/s
Next
  wa-reconcile connection list
    shows every connection and its history
`);
  });

  test('of a dry run says "would", and gives the command that does it', async () => {
    const text = await summary(runResult({ dryRun: true }), {
      ...FROM_FILE,
      argv: ['replay', '-nq', 'day.ndjson', '--dry-run'],
    });
    expect(text).toContain('nothing was written');
    expect(text).toContain('120 would be created');
    expect(text).toContain('8 would be opened');
    expect(text).toContain('  wa-reconcile replay -q day.ndjson\n');
    expect(text).not.toContain('run  ');
  });

  test('fits into 80 columns, also with millions of messages and long names', async () => {
    const many = Array.from({ length: 40 }, (_, i) => ({
      origin: `logs/2026-11-03/webhooks-of-the-day.ndjson:${i}`,
      path: '$',
      reason: 'not_json',
      excerpt: '{"object":"whatsapp_business_account","entry":['.repeat(5),
    }));
    const [connection] = runResult().connections;
    if (connection === undefined) throw new Error('the sample has a connection');
    const busy = runResult({
      dryRun: true,
      status: 'partial',
      entries: { ...ENTRIES, processed: 100, pending: 50, failed: 60, unrecognized: 4 },
      statuses: amendmentCounts({ seen: 123_456, applied: 123_400, pending: 56 }),
      messages: messageCounts({ seen: 1_234_567, created: 1_234_567 }),
      problems: many,
      problemCount: 40,
      connections: [
        {
          ...connection,
          name: 'a name that is very much longer than one would like',
          historySync: {
            ...connection.historySync,
            missingChunks: Array.from({ length: 99 }, (_, i) => `1/${i + 10}`),
          },
        },
      ],
    });
    const shown = await render(
      presentRun(busy, nextSteps(busy, FROM_FILE)),
      'table',
      createLook(false, 80, undefined, true),
    );
    const lines = shown.split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  test('fits into a terminal of 60 columns', async () => {
    const partial = runResult({
      status: 'partial',
      database: '/srv/wa-reconcile/database',
      statuses: amendmentCounts({ seen: 12, applied: 10, pending: 2 }),
      edits: amendmentCounts({ seen: 2, applied: 2 }),
    });
    const text = await render(
      presentRun(partial, nextSteps(partial, FROM_FILE)),
      'table',
      createLook(false, 60, undefined, true),
    );
    expect(text.split('\n').filter((line) => line.length > 60)).toEqual([]);
    expect(text).toMatch(/ read +created +updated +pending +skipped +rejected\n/);
  });

  test('of a run without any entry says why, and shows no table of zeros', async () => {
    const counts = { messages: messageCounts(), statuses: amendmentCounts(), contacts: NO_CONTACTS };
    const empty = runResult({ entries: NO_ENTRIES, ...counts, edits: amendmentCounts(), connections: [] });
    const of = (result: RunResult): Promise<string> =>
      render(presentRun(result, [], 'no stored entry is pending'), 'table', PLAIN);
    expect(await of(empty)).toContain('Input\n  nothing: no stored entry is pending\n\ndatabase');
    expect(await of({ ...empty, status: 'interrupted' })).toContain('Input\n  nothing yet\n\ndatabase');
    const resumedFrom = { runId: 'x', origin: 'day.ndjson:9', entriesSkipped: 9, problems: 2 };
    expect(await of({ ...empty, resumedFrom })).toContain('2 problems were found before it stopped.');
    expect(await of({ ...empty, resumedFrom })).toContain('nothing: all of it was read before\n');
  });

  test('lists the first ten problems with their places, and counts the rest', async () => {
    const problems = Array.from({ length: 12 }, (_, i) => ({
      origin: `day.ndjson:${i + 1}`,
      path: '$',
      reason: 'truncated_input',
      excerpt: '{"obj',
    }));
    const text = await summary(runResult({ problems, problemCount: 1234 }));
    expect(text).toContain('Problems (1,234)');
    expect(text).toContain('day.ndjson:1  the file is cut off');
    expect(text).toContain('day.ndjson:10 ');
    expect(text).not.toContain('day.ndjson:11');
    expect(text).toContain('and 1,224 more');
  });

  test('sums up the entries that wait for a connection, so that they do not drown the rest', async () => {
    const waiting = Array.from({ length: 50 }, (_, i) => ({
      origin: `day.ndjson:${i + 1}`,
      path: '$',
      reason: 'unknown_connection',
      excerpt: i % 2 === 0 ? '800000000000001' : '',
    }));
    const odd = { origin: 'day.ndjson:51', path: '$', reason: 'unknown_field:flows', excerpt: '{}' };
    const text = await summary(
      runResult({
        status: 'partial',
        entries: { ...ENTRIES, pending: 50 },
        problems: [...waiting, odd],
        problemCount: 51,
        messages: messageCounts({ seen: 60, skipped: { unknown_connection: 60 } }),
        statuses: amendmentCounts({ seen: 4, skipped: { unknown_connection: 4 } }),
      }),
    );
    // No rule has skipped them: they are still to come.
    expect(text).not.toContain('Skipped and rejected');
    expect(text).toMatch(/^ {2}messages +60[ –]+60[ –]*$/mu);
    expect(text).toMatch(/^ {2}statuses +4[ –]+4[ –]*$/mu);
    expect(text).toContain('  pending: the connection is unknown\n');
    expect(text).toContain(`\
Problems (51)
  50 entries pending: unknown connection
    phone_number_id 800000000000001
    first: day.ndjson:1
  day.ndjson:51  unknown webhook field: flows
    {}
`);
  });

  test('never passes on what a name, an excerpt or an event could do to a terminal', async () => {
    const evil = '\u001b]0;owned\u0007\u001b[2Jx\u202e\n';
    const [connection] = runResult().connections;
    if (connection === undefined) throw new Error('the sample has a connection');
    const text = await summary(
      runResult({
        error: evil,
        events: { [evil]: 1 },
        connections: [{ ...connection, name: evil }],
        problems: [{ origin: evil, path: evil, reason: evil, excerpt: evil }],
        problemCount: 1,
        database: evil,
        messages: messageCounts({ seen: 1, skipped: { [evil]: 1 } }),
      }),
    );
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  });

  test('is colored only when color is on', async () => {
    const presentation = presentRun(runResult(), []);
    expect(await render(presentation, 'table', PLAIN)).not.toContain('\u001b');
    expect(await render(presentation, 'table', createLook(true))).toContain('\u001b[32m');
  });
});

describe('the next command', () => {
  const lines = (result: RunResult, invocation = FROM_FILE, database: readonly string[] = []): string[] =>
    nextSteps(result, invocation).map(adviceLine(() => database));
  const first = (result: RunResult, invocation = FROM_FILE): string | undefined =>
    lines(result, invocation)[0];
  const unknown = {
    status: 'partial',
    entries: { ...ENTRIES, pending: 3 },
    messages: messageCounts({ seen: 9, skipped: { unknown_connection: 9 } }),
  } as const;

  test('after an interruption is the very command that was typed, quoted for the shell', () => {
    const invocation = { ...FROM_FILE, argv: ['replay', "Ana's logs/day 1.ndjson", '--register'] };
    expect(first(runResult({ status: 'interrupted' }), invocation)).toBe(
      `wa-reconcile replay 'Ana'\\''s logs/day 1.ndjson' --register`,
    );
  });

  test('registers connections that nobody knows', () => {
    expect(first(runResult(unknown))).toBe('wa-reconcile replay --register');
  });

  test('adds a connection where no entry names one, as events of WhatsApp Web', () => {
    const problems = [{ origin: 'b.json:1', path: '$', reason: 'unknown_connection', excerpt: '' }];
    const steps = nextSteps(runResult({ ...unknown, problems }), FROM_FILE);
    expect(steps.map(adviceLine(() => []))).toEqual(['wa-reconcile connection add']);
    const of = (candidates: string[]) => first(runResult({ ...unknown, problems, candidates }));
    expect(of(['shop'])).toBe('wa-reconcile replay --connection shop');
    expect(of(['shop', 'branch'])).toBe('wa-reconcile replay --connection NAME');
    expect(steps[0]?.why).toContain('replay --connection NAME');
    const named = problems.map((problem) => ({ ...problem, excerpt: 'session shop' }));
    expect(first(runResult({ ...unknown, problems: named }))).toBe('wa-reconcile replay --register');
  });

  test('adds a connection where registering was not enough', () => {
    expect(first(runResult(unknown), { ...FROM_FILE, register: true })).toBe('wa-reconcile connection add');
  });

  test('after a dry run that met unknown connections includes --register', () => {
    expect(first(runResult({ ...unknown, dryRun: true }))).toBe('wa-reconcile replay day.ndjson --register');
  });

  test('takes up what is pending, but does not try again what cannot succeed', () => {
    const result = runResult({ status: 'partial', entries: { ...ENTRIES, pending: 1, failed: 2 } });
    expect(lines(result)).toEqual(['wa-reconcile replay']);
  });

  test('works on the database that this run worked on', () => {
    const database = ['--home', '/srv/my data'];
    expect(lines(runResult(unknown), FROM_FILE, database)).toEqual([
      `wa-reconcile replay --register --home '/srv/my data'`,
      `wa-reconcile connection add --home '/srv/my data'`,
    ]);
    expect(lines(runResult(), FROM_FILE, database)).toEqual([
      `wa-reconcile connection list --home '/srv/my data'`,
    ]);
  });

  test('where nothing came in, leads to a log', () => {
    const empty = runResult({ entries: NO_ENTRIES });
    expect(first(empty, { ...FROM_FILE, from: 'log' })).toBe('wa-reconcile replay LOG');
    expect(first(empty)).toBe('wa-reconcile replay --help');
    expect(first(empty, { ...FROM_FILE, paths: ['chat.txt'] })).toBe('wa-reconcile inspect chat.txt');
  });

  test('shows what was wrong with the first entry, and what a file is that cannot be read', () => {
    const problem = (origin: string, reason: string) => ({ origin, path: '$', reason, excerpt: '' });
    const unread = problem('chat.txt:1', 'unreadable_input');
    const result = (problems: RunResult['problems']) => runResult({ status: 'partial', problems });
    const invocation = { ...FROM_FILE, paths: ['chat.txt', 'day.ndjson'] };
    expect(first(result([unread]), invocation)).toBe('wa-reconcile inspect chat.txt day.ndjson');
    expect(first(result([unread, problem('day.ndjson:3', 'unknown_shape')]), invocation)).toBe(
      'wa-reconcile explain day.ndjson:3',
    );
    expect(first(result([problem('day.ndjson:4', 'no_external_id')]), invocation)).toBe(
      'wa-reconcile explain day.ndjson:4',
    );
  });

  test('shows the connection whose history has gaps', () => {
    const [connection] = runResult().connections;
    if (connection === undefined) throw new Error('the sample has a connection');
    const gap = {
      ...connection,
      name: 'shop 2',
      historySync: { ...connection.historySync, missingChunks: ['1/3'] },
    };
    expect(first(runResult({ connections: [gap] }))).toBe(`wa-reconcile connection show 'shop 2'`);
  });
});

describe('the other formats of a run', () => {
  const presentation = presentRun(
    runResult({
      problems: [{ origin: '=cmd|calc', path: '$', reason: 'not_json', excerpt: '| <b>*x*' }],
      problemCount: 1,
      events: { '=HYPERLINK("http://evil.example")': 1 },
    }),
    [],
  );

  test('JSON is exactly the result', async () => {
    expect(JSON.parse(await render(presentRun(runResult(), []), 'json', PLAIN))).toEqual(runResult());
  });

  test('NDJSON is the result on one line, so that nightly runs can be appended to a file', async () => {
    const text = await render(presentRun(runResult(), []), 'ndjson', PLAIN);
    expect(text.match(/\n/g)).toHaveLength(1);
    expect(JSON.parse(text)).toEqual(runResult());
  });

  test('CSV holds every counter, and no formula', async () => {
    const text = await render(presentation, 'csv', PLAIN);
    expect(text).toContain('subject,figure,reason,count\n');
    expect(text).toContain('messages,skipped,group,18\n');
    expect(text).not.toMatch(/(^|,)"?[=+@-]/m);
    expect(text).toContain(`'=HYPERLINK`);
  });

  test('Markdown cannot be broken out of', async () => {
    const text = await render(presentation, 'markdown', PLAIN);
    expect(text).toContain('| 18 | messages skipped | sent in a group |');
    expect(text).toContain(String.raw`\| \<b\>\*x\*`);
  });
});
