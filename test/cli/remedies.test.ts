import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { commandOfRun } from '../../src/model/recorded-command.js';
import { remedy } from '../../src/model/remedy.js';
import { adviceLine, shownRemedy } from '../../src/cli/advice.js';
import { carriedFlags } from '../../src/cli/carried-flags.js';
import { buildProgram } from '../../src/cli/program.js';
import { typedAgain, withoutDryRun } from '../../src/cli/typed-again.js';
import { complaintsAbout } from '../support/parse-remedy.js';

const line = adviceLine(() => []);

describe('advice', () => {
  test('is quoted for a shell and carries the flags that say which database', () => {
    const advice = remedy('replay', ["Ana's logs/day 1.ndjson", '--register'], 'imports it');
    expect(line(advice)).toBe(`wa-reconcile replay 'Ana'\\''s logs/day 1.ndjson' --register`);
    expect(adviceLine(() => ['--home', '/srv/my data'])(advice)).toBe(
      `wa-reconcile replay 'Ana'\\''s logs/day 1.ndjson' --register --home '/srv/my data'`,
    );
  });

  test('puts the flags before words that are no flags any more', () => {
    const advice = remedy('replay', ['--register', '--', '-odd.log'], 'imports it');
    expect(adviceLine(() => ['--home', 'x'])(advice)).toBe(
      'wa-reconcile replay --register --home x -- -odd.log',
    );
  });

  test('leaves sentences as they are, whatever they speak of', () => {
    const said = 'Upgrade wa-reconcile; another wa-reconcile replay may be at work.';
    expect(adviceLine(() => ['--home', 'x'])(said)).toBe(said);
    expect(shownRemedy([said, remedy('verify', [], 'verifies')], line)).toEqual({
      remedy: `${said}\nwa-reconcile verify`,
      next: { command: 'verify', args: [], why: 'verifies' },
    });
  });

  test('repeats what was typed, without naming the database twice', () => {
    const argv = [
      '--home',
      'my home',
      '-v',
      '--lock-wait',
      '5m',
      'replay',
      'a.log',
      '--database-url-file=x',
      '-n',
    ];
    const again = typedAgain(argv, 'does it', (words) => words.filter((word) => word !== '-n'));
    expect(again).toEqual({
      command: 'replay',
      args: ['-v', '--lock-wait', '5m', 'a.log'],
      why: 'does it',
    });
  });
});

describe('the flags that advice carries', () => {
  const program = buildProgram();
  const verify = program.commands.find((command) => command.name() === 'verify');
  const carried = carriedFlags(
    verify ?? program,
    new Map([
      ['home', '/srv/wa'],
      ['appSecretFile', 'keys/app secret'],
    ]),
    '/opt/crm',
  );
  const advised = adviceLine(carried);
  const secret = "--app-secret-file '/opt/crm/keys/app secret'";

  test.each([
    ['replay', ['--all']],
    ['verify', ['--enforce']],
    ['reconcile', ['--apply']],
    ['connection check', ['shop']],
    ['connection', ['check', 'shop']],
  ])('name the file of the secret, absolute, for %s %j', (command, args) => {
    expect(advised(remedy(command, args, 'does it'))).toBe(
      `wa-reconcile ${command} ${args.join(' ')} ${secret} --home /srv/wa`,
    );
  });

  test.each([
    ['explain', ['log:1']],
    ['dedupe', ['--apply']],
    ['connection add', []],
  ])('leave it out for %s, which has no such flag', (command, args) => {
    expect(advised(remedy(command, args, 'does it'))).toBe(
      `wa-reconcile ${[command, ...args].join(' ')} --home /srv/wa`,
    );
  });

  test('F2: ask for the contact where a run has not recorded an erased one', () => {
    for (const contact of ['[erased]', '[erased]@s.whatsapp.net']) {
      const again = commandOfRun('replay', { all: true, contact }, 'resumes it');
      expect(advised(again)).toContain('wa-reconcile replay --all --contact CONTACT');
    }
  });

  test('name it once, as in a recorded run and in what was typed', () => {
    const again = commandOfRun('replay', { all: true, appSecretFile: '/etc/other' }, 'resumes it');
    expect(advised(again)).toBe('wa-reconcile replay --all --app-secret-file /etc/other --home /srv/wa');
    const typed = ['replay', '--home=/srv/wa', 'a.log', '--app-secret-file', 'keys/app secret', '-n'];
    expect(advised(typedAgain(typed, 'runs it', withoutDryRun))).toBe(
      `wa-reconcile replay a.log ${secret} --home /srv/wa`,
    );
  });
});

const LEAD = '01a22951-4f0c-7701-ba58-a17d15e81056';

describe('a recorded run as a command', () => {
  test.each([
    [
      'reconcile',
      { full: true, apply: true, tickets: 'auto', historyAfter: 3_600_000, batchSize: 1000 },
      'reconcile --full --apply',
    ],
    [
      'reconcile',
      { historyAfter: 5_400_000, silentAfter: 90_000, tz: 'America/Sao_Paulo' },
      'reconcile --history-after 90m --silent-after 90s --tz America/Sao_Paulo',
    ],
    // A step of a reconcile, as it is recorded now and as it was recorded before.
    [
      'replay',
      { full: true, apply: true, historyAfter: 3_600_000, within: 'reconcile' },
      'reconcile --full --apply',
    ],
    ['replay', { full: true, apply: true, historyAfter: 3_600_000 }, 'reconcile --full --apply'],
    [
      'dedupe',
      { apply: true, historyAfter: 60_500, include: ['group'] },
      'reconcile --apply --history-after 60500ms --include group',
    ],
    [
      'replay',
      { paths: ['my logs/', '-'], register: true, maxEntrySize: 16_777_216 },
      "replay 'my logs/' - --register",
    ],
    [
      'replay',
      { paths: ['-odd.log'], noResume: true, maxEntrySize: 1024 },
      'replay --no-resume --max-entry-size 1024 -- -odd.log',
    ],
    [
      'replay',
      { all: true, since: '2d', contact: '+5511912345678' },
      'replay --all --since 2d --contact +5511912345678',
    ],
    [
      'import',
      { phase: 'auto', count: 50, timeout: 90_000, force: true, leadId: LEAD },
      `import ${LEAD} --timeout 90s --force`,
    ],
    ['import', { fromFile: 'FILE', listPause: 60_000 }, 'import --from-file FILE --list-pause 1m'],
    ['import', { fromFile: './list.txt', directory: '/srv/crm' }, 'import --from-file /srv/crm/list.txt'],
    ['undo', { run: '0199', undoes: '0199a000-0000-7000-8000-000000000000' }, 'undo 0199'],
    [
      'dedupe',
      { apply: true, class: ['same_id', 'same_message'] },
      'dedupe --apply --class same_id,same_message',
    ],
    [
      'verify',
      { enforce: true, check: ['duplicate_ids'], connection: '-x' },
      'verify --enforce --check duplicate_ids --connection=-x',
    ],
    ['link', { connection: 'my shop', pairingCode: true }, "link --connection 'my shop' --pairing-code"],
  ])('%s %j', async (command, options, expected) => {
    const again = commandOfRun(command, options, 'resumes it');
    expect(line(again)).toBe(`wa-reconcile ${expected}`);
    expect(await complaintsAbout([again])).toEqual([]);
  });
});

test('advice that the tool would refuse is found', async () => {
  // Not made by `remedy`, which the whole suite is watched for.
  const wrong = [
    { command: 'replay', args: ['--full'], why: 'has a flag that does not exist' },
    { command: 'reconcile', args: ['--history-after', '3600000'], why: 'has a value that is no duration' },
    { command: 'reconsile', args: [], why: 'is no command' },
    { command: 'verify', args: ['--check', 'everything'], why: 'names no check' },
    { command: 'replay', args: ['LOG', '--all'], why: 'contradicts itself' },
    { command: 'explain', args: [], why: 'lacks an argument' },
    { command: 'import', args: ['CONTACT'], why: 'names no contact' },
    { command: 'verify', args: [], why: '' },
  ];
  expect(await complaintsAbout(wrong)).toHaveLength(wrong.length);
});

test('no command line stands finished in the sources, but for the examples of the help', () => {
  const sources = fileURLToPath(new URL('../../src', import.meta.url));
  const names = buildProgram().commands.map((command) => command.name());
  // In quotes, and followed by an argument, a flag or the end of what is said: `wa-reconcile verify --enforce`.
  const finished = new RegExp(`['"\`][^'"\`]*\\bwa-reconcile (?:${names.join('|')})(?:[ '"\`.)]|$)`);
  const help = /^(cli\/commands\/|cli\/completion\/|cli\/program\.ts|store\/generated\/)/;
  const found = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !help.test(file))
    .flatMap((file) =>
      readFileSync(join(sources, file), 'utf8')
        .split('\n')
        // Not comments, and not the name under which a session is seen by others.
        .filter((text) => !/^\s*(\*|\/\/|\/\*)|\$\{host\}/.test(text) && finished.test(text))
        .map((text) => `${file}: ${text.trim()}`),
    );
  expect(found).toEqual([]);
});
