import { writeFile } from 'node:fs/promises';
import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { describeOnBackends } from '../support/databases.js';
import { fileWith } from '../inputs/support.js';
import { live } from '../support/webhooks.js';
import { runOn } from './database-home.js';

const PATIENT = ['--silent-after', '100000h'];

describeOnBackends('a signature that is found bad by a second replay', (backend) => {
  it('is what every command says from then on, until it is accepted or the right secret comes', async () => {
    const run = runOn(await backend.config());
    const code = async (...argv: string[]): Promise<number> => (await run(argv)).code;
    const body = JSON.stringify(live('FORGED', 0));
    const signature = createHmac('sha256', 'guessed').update(body).digest('hex');
    const log = await fileWith(
      `${JSON.stringify({ headers: { 'X-Hub-Signature-256': `sha256=${signature}` }, body })}\n`,
    );
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
});
