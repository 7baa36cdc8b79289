import { CommanderError } from 'commander';
import { describe, expect, test } from 'vitest';
import { describeFailure, exitCodeOf, failureOf, redact } from '../../src/cli/exit.js';
import { createLook } from '../../src/cli/ui/look.js';
import { ConfigError, LockedError, UserError } from '../../src/model/errors.js';
import { remedy } from '../../src/model/remedy.js';

describe('what an error becomes', () => {
  test.each([
    [new UserError('disk full'), 1, 'failure'],
    [new ConfigError('no such file'), 2, 'usage'],
    [new LockedError('held by 42'), 5, 'locked'],
    [new UserError('gone', { exitCode: 6, code: 'not_linked' }), 6, 'not_linked'],
    [new CommanderError(1, 'commander.unknownOption', "error: unknown option '--x'"), 2, 'usage'],
    [new TypeError('undefined is not a function'), 1, 'bug'],
    [Object.assign(new Error('x'), { name: 'ExitPromptError' }), 130, 'interrupted'],
  ])('%s ends with %d', (error, exitCode, code) => {
    expect(failureOf(error)).toMatchObject({ exitCode, code });
  });

  test('help that was asked for is none', () => {
    expect(failureOf(new CommanderError(0, 'commander.helpDisplayed', '(outputHelp)'))).toBeUndefined();
  });

  test('for people is the message and, below it, the remedy', () => {
    const failure = failureOf(new ConfigError('There is no file x.', { remedy: 'Check the path.' }));
    if (failure === undefined) throw new Error('a ConfigError is a failure');
    expect(describeFailure(failure, { json: false, debug: false })).toBe(
      'wa-reconcile: There is no file x.\n  Check the path.\n',
    );
  });

  test('advises commands that look into the same database', () => {
    const advice = [remedy('explain', ['x y'], 'shows it'), remedy('db migrate', [], 'creates the tables')];
    const failure = failureOf(new ConfigError('Gone.', { remedy: advice }));
    if (failure === undefined) throw new Error('a ConfigError is a failure');
    const look = createLook(false, 80, () => ['--home', '/srv/my crm']);
    expect(describeFailure(failure, { json: false, debug: false, look })).toBe(
      `wa-reconcile: Gone.\n  wa-reconcile explain 'x y' --home '/srv/my crm'\n    shows it\n` +
        `  wa-reconcile db migrate --home '/srv/my crm'\n    creates the tables\n`,
    );
    expect(JSON.parse(describeFailure(failure, { json: true, debug: false, look }))).toMatchObject({
      error: {
        remedy: `wa-reconcile explain 'x y' --home '/srv/my crm'\nwa-reconcile db migrate --home '/srv/my crm'`,
        next: { command: 'explain', args: ['x y', '--home', '/srv/my crm'], why: 'shows it' },
      },
    });
  });

  test('for programs is one JSON object', () => {
    const failure = failureOf(new LockedError('held by 42', { remedy: 'Wait.' }));
    if (failure === undefined) throw new Error('a LockedError is a failure');
    const text = describeFailure(failure, { json: true, debug: false });
    expect(text.match(/\n/g)).toHaveLength(1);
    expect(JSON.parse(text)).toEqual({
      error: { code: 'locked', message: 'held by 42', remedy: 'Wait.', next: null },
    });
  });

  test('shows a stack only when asked, and never a password', () => {
    const failure = failureOf(new Error('connect postgresql://app:hunter2@db/crm'));
    if (failure === undefined) throw new Error('an Error is a failure');
    const quiet = describeFailure(failure, { json: false, debug: false });
    expect(quiet).toContain('This is a bug');
    expect(quiet).not.toContain('    at ');
    const loud = describeFailure(failure, { json: false, debug: true });
    expect(loud).toContain('    at ');
    expect(quiet + loud).not.toContain('hunter2');
  });

  test('never repeats an access token', () => {
    const token = `EAAG${'x1Y'.repeat(20)}`;
    const advice = [`Is it ${token}?`, remedy('connection show', [token], `shows ${token}`)];
    const typed = new ConfigError(`There is no connection '${token}'.`, { remedy: advice });
    for (const error of [typed, new Error(`not ${token}`)]) {
      const failure = failureOf(error);
      if (failure === undefined) throw new Error('an Error is a failure');
      const look = createLook(false, 30, undefined, true);
      for (const json of [true, false]) {
        const text = describeFailure(failure, { json, debug: true, look });
        expect(text).toContain('***');
        expect(text).not.toContain('x1Y');
        if (json) expect(() => JSON.parse(text) as unknown).not.toThrow();
      }
    }
  });

  test('for a program holds no character that a terminal obeys, and says the same', () => {
    const message = 'There is no file \u009b31m\u202e\u007fx.';
    const failure = failureOf(new ConfigError(message, { remedy: 'Not \u009b2J.' }));
    if (failure === undefined) throw new Error('a ConfigError is a failure');
    const text = describeFailure(failure, { json: true, debug: false });
    expect(text).not.toMatch(/[\u007f-\u009f\u202a-\u202e]/);
    expect(JSON.parse(text)).toMatchObject({ error: { message, remedy: 'Not \u009b2J.' } });
  });

  test('cannot be made to obey a file name', () => {
    const failure = failureOf(new ConfigError('There is no file \u001b]0;owned\u0007x.'));
    if (failure === undefined) throw new Error('a ConfigError is a failure');
    expect(describeFailure(failure, { json: false, debug: false })).toBe(
      'wa-reconcile: There is no file x.\n',
    );
  });

  test('hides the passwords of all URLs, whatever characters are in them', () => {
    expect(redact('a postgresql://u:p@ss@h/d and https://x:y@z')).toBe(
      'a postgresql://u:***@h/d and https://x:***@z',
    );
  });
});

describe('the verdict of a run', () => {
  test.each([
    ['completed', 0],
    ['failed', 1],
    ['partial', 4],
    ['interrupted', 130],
  ] as const)('%s ends with %d', (status, code) => {
    expect(exitCodeOf(status)).toBe(code);
  });
});
