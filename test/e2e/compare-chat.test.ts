import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { useMachines } from './installation.js';

const FIXTURES = new URL('../../fixtures/', import.meta.url).pathname;
const CHAT = join(FIXTURES, 'Conversa do WhatsApp com Ana Souza.txt');
const ANA = ['--contact', '+5511900000001', '--connection', '+5511900000000'];

const RESULT = z.object({
  schemaVersion: z.literal(1),
  command: z.literal('compare chat-export'),
  counts: z.record(z.string(), z.number()),
  lost: z.array(
    z.object({ line: z.number(), at: z.string(), kind: z.string(), text: z.string().optional() }),
  ),
  severity: z.string().nullable(),
});

describe('a chat from a phone, with the command as it is installed', () => {
  const embedded = useMachines('pglite');
  const machines = useMachines('postgresql');

  test('shows the two messages that the demo day lacks, without their words, and exits with 3', async () => {
    const machine = await embedded.install();
    await machine.call(['replay', join(FIXTURES, 'demo-day.ndjson'), '--register']);

    const shown = await machine.run(['compare', 'chat-export', CHAT, ...ANA, '--items', 'lines.tsv']);
    expect(shown.code).toBe(3);
    expect(shown.stdout).toContain('✖ The phone has 2 messages that the database lacks');
    expect(shown.stdout).toContain('2025-09-14 09:34  received  text  line 7');
    expect(shown.stdout).not.toContain('álcool');
    expect(shown.stderr).not.toContain('álcool');
    const lines = (await readFile(join(machine.directory, 'lines.tsv'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => line.charAt(0)).join('')).toBe('====+======+=');
    expect(lines.join('\n')).not.toContain('álcool');

    const { stdout, code } = await machine.call([
      'compare',
      'chat-export',
      CHAT,
      ...ANA,
      '--json',
      '--bodies',
    ]);
    expect(code).toBe(3);
    expect(RESULT.parse(JSON.parse(stdout))).toMatchObject({
      counts: { matched: 11, lost: 2, ambiguous: 0, onlyInDatabase: 0 },
      lost: [
        { line: 7, at: '2025-09-14T12:34:00.000Z', text: 'Posso usar o álcool 46 que tenho em casa?' },
        { line: 14, at: '2025-09-16T17:31:00.000Z', kind: 'audio' },
      ],
      severity: 'loss',
    });

    const unclear = await machine.call(['compare', 'chat-export', CHAT, '--contact', '+5511900000001']);
    expect(unclear.code).toBe(2);
    expect(unclear.stderr).toContain('Give --connection NAME');
  });

  test('of which no line fits is not clean', async () => {
    const machine = await machines.install();
    await machine.call(['replay', join(FIXTURES, 'demo-day.ndjson'), '--register']);
    // The phone has one message, at a time at which the database has none of it.
    const [, second = ''] = (await readFile(CHAT, 'utf8')).split('\n').filter((line) => line.includes(': '));
    const chat = join(machine.directory, 'Conversa do WhatsApp com Ana Souza.txt');
    await writeFile(chat, `${second.replace(/^([\d/]+) 10:/, '$1 12:')}\n`);
    const how = ['--tz', 'America/Sao_Paulo', '--me', 'Casa Suculenta', '--date-order', 'dmy'];
    const { stdout, code } = await machine.call(['compare', 'chat-export', chat, ...ANA, ...how, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'partial',
      lines: 1,
      counts: { matched: 0, lost: 0 },
    });
    expect(code).toBe(4);
    const shown = await machine.call(['compare', 'chat-export', chat, ...ANA, ...how]);
    expect(shown.stdout).toContain(
      'Nothing is compared: none of 1 line of the chat could be matched for certain',
    );
    expect(shown.stdout).not.toContain('Clean');
  });

  test('README.md shows what the command prints', async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    const block = /compare chat-export[^`]*```\n\n```text\n([^`]*)```/.exec(readme)?.[1] ?? '';
    const machine = await machines.install();
    await machine.call(['replay', join(FIXTURES, 'demo-day.ndjson'), '--register']);
    const { stdout } = await machine.call(['compare', 'chat-export', CHAT, ...ANA]);
    const lines = block.split('\n').filter((line) => line !== '');
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) expect(stdout).toContain(line);
  });
});
