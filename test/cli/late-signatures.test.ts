import { writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { describeOnServer } from '../support/databases.js';
import { fileWith } from '../inputs/support.js';
import { live } from '../support/webhooks.js';
import { follow, verifyAdvice } from './advised-commands.js';
import { runOn } from './database-home.js';

const PATIENT = ['--silent-after', '100000h'];

/** An entry that somebody signed with another secret. */
async function forgedLog(): Promise<string> {
  const body = JSON.stringify(live('FORGED', 0));
  const signature = createHmac('sha256', 'guessed').update(body).digest('hex');
  return fileWith(`${JSON.stringify({ headers: { 'X-Hub-Signature-256': `sha256=${signature}` }, body })}\n`);
}

describeOnServer('a signature that is found bad by a second replay', (backend) => {
  // The embedded database starts anew for each of these commands: on both, the case with the fewest of them.
  it('is what every command says from then on, until it is accepted or the right secret comes', async () => {
    const run = runOn(await backend.config());
    const code = async (...argv: string[]): Promise<number> => (await run(argv)).code;
    const log = await forgedLog();
    const [secret, guessed] = [`${log}.secret`, `${log}.guessed`];
    await writeFile(secret, 'the-secret-of-the-app\n');
    await writeFile(guessed, 'guessed\n');

    expect(await code('replay', log, '--register')).toBe(0);
    expect(await code('verify')).toBe(0);
    expect(await code('verify', '--app-secret-file', secret)).toBe(3);
    expect(await code('replay', log, '--app-secret-file', secret)).toBe(4);

    for (const argv of [
      ['verify'],
      ['verify', '--app-secret-file', secret],
      ['report', ...PATIENT],
      ['reconcile', ...PATIENT],
      ['reconcile', '--apply', '--app-secret-file', secret, ...PATIENT],
      ['explain', `${log}:1`],
    ])
      expect([argv[0], await code(...argv)]).toEqual([argv[0], 3]);
    const { stdout } = await run(['alerts', 'list', ...PATIENT]);
    expect(stdout).toContain('It was applied before the signature could be checked');

    const [id = ''] = /bad-signature-[0-9a-f]+/.exec(stdout) ?? [];
    expect(await code('alerts', 'ack', id, '--reason', 'harmless')).toBe(0);
    expect(await code('verify')).toBe(0);
    expect(await code('report', ...PATIENT)).toBe(0);

    expect(await code('replay', '--failed', '--app-secret-file', guessed)).toBe(0);
    expect(await code('verify')).toBe(0);
    expect(await code('explain', `${log}:1`)).toBe(0);
  });

  it('is put on record by the advised command, which has the file of the secret with it', async () => {
    const run = runOn(await backend.config());
    const log = await forgedLog();
    const [secret, cwd] = [`${log}.secret`, dirname(log)];
    await writeFile(secret, 'the-secret-of-the-app\n');
    await run(['replay', log, '--register']);
    const flags = ['--check', 'signatures', '--app-secret-file', basename(secret)];
    const advised = `replay --all --app-secret-file ${secret}`;

    const shown = await run(['verify', ...flags], { cwd });
    expect(shown.stdout).toContain(`wa-reconcile ${advised}`);
    expect(shown.stdout + shown.stderr).not.toContain('the-secret-of-the-app');
    const here = (argv: readonly string[]) => run(argv, { cwd });
    const [first, second] = await follow(run, () => verifyAdvice(here, flags));
    expect(first).toBe(advised);
    expect(second).toMatch(/^explain log:/);
    // On record: commands without the secret know it, and it can be accepted.
    const { stdout } = await run(['alerts', 'list', ...PATIENT]);
    const [id = ''] = /bad-signature-[0-9a-f]+/.exec(stdout) ?? [];
    expect((await run(['alerts', 'ack', id, '--reason', 'harmless'])).code).toBe(0);
    expect((await run(['verify', '--app-secret-file', secret])).code).toBe(0);
  });

  it('is put on record by the advised command from the environment that has the secret', async () => {
    const run = runOn(await backend.config());
    const env = { WA_RECONCILE_APP_SECRET: 'the-secret-of-the-app' };
    await run(['replay', await forgedLog(), '--register']);
    const withSecret = (argv: readonly string[]) => run(argv, { env });
    const [first, second] = await follow(withSecret, () =>
      verifyAdvice(withSecret, ['--check', 'signatures']),
    );
    expect(first).toBe('replay --all');
    expect(second).toMatch(/^explain log:/);
  });
});
