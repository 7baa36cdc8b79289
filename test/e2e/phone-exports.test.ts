import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sample } from '../support/replaying.js';
import { useMachines } from './installation.js';
import { parseRun } from './run-json.js';

describe('what a phone has, with the command as it is installed', () => {
  const machines = useMachines('postgresql');

  test('databases and exports become history; a chat without ids is refused with the reason', async () => {
    const machine = await machines.install();
    for (const name of [
      'wacli.db',
      'wacli.db-wal',
      'whatsapp-chat-exporter-result.json',
      'chat-ios-pt-BR.txt',
    ])
      await machine.write(name, await readFile(sample(`exports/${name}`)));
    const files = (await readdir(machine.directory)).sort();
    const added = await machine.run([
      'connection',
      'add',
      '--name',
      'loja',
      '--kind',
      'baileys',
      '--phone',
      '+5511900000000',
      '--yes',
    ]);
    expect(added.code).toBe(0);

    const looked = await machine.run(['inspect', 'wacli.db', 'whatsapp-chat-exporter-result.json', '--json']);
    expect(looked.code).toBe(0);
    expect(looked.stdout).toContain('"sqlite"');

    const argv = [
      'replay',
      'wacli.db',
      'whatsapp-chat-exporter-result.json',
      '--connection',
      'loja',
      '--json',
    ];
    const first = await machine.run(argv);
    expect(first.code).toBe(0);
    expect(parseRun(first.stdout)).toMatchObject({
      entries: { read: 19 },
      messages: { created: 10, rejected: {} },
    });
    const again = parseRun((await machine.run(argv)).stdout);
    expect(again).toMatchObject({ entries: { duplicate: 19 }, messages: { created: 0, updated: 0 } });
    // Nothing was written beside the database.
    const now = (await readdir(machine.directory)).filter(
      (name) => files.includes(name) || name.startsWith('wacli'),
    );
    expect(now.sort()).toEqual(files);
    expect(await readFile(join(machine.directory, 'wacli.db'))).toEqual(
      await readFile(sample('exports/wacli.db')),
    );

    const refused = await machine.run(['replay', 'chat-ios-pt-BR.txt', '--connection', 'loja']);
    expect(refused.code).toBe(4);
    expect(refused.stdout.replace(/\s+/g, ' ')).toContain(
      'A chat export has no message ids; it cannot be replayed.',
    );
  });
});
