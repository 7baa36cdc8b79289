import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  addressBook,
  ANA,
  BRU,
  edit,
  history,
  item,
  live,
  liveFrom,
  old,
  SECOND,
  wamid,
  webhook,
} from '../support/webhooks.js';
import { useEmbedded, useServer, type Run } from './database-home.js';
import { temporaryDirectory } from './run-cli.js';

const DEMO_DAY = new URL('../../fixtures/demo-day.ndjson', import.meta.url).pathname;
const HOSTILE = 'red \u001b[31mred\u001b]0;owned\u0007 \u202eevil\nnext line';

const facts = z.array(z.looseObject({ kind: z.string(), outcome: z.string(), entryOrigin: z.string() }));

describe('explain on the command line', () => {
  const embedded = useEmbedded();
  const server = useServer();

  async function prepared(run: Run, bodies: readonly unknown[], ...flags: string[]) {
    const log = join(await temporaryDirectory(), 'log.ndjson');
    await writeFile(log, bodies.map((body) => JSON.stringify(body)).join('\n'));
    await run(['replay', log, ...flags]);
    return { run, log };
  }

  test('answers where a conversation went, and what brings it back', async () => {
    const { run, log } = await prepared(await embedded.prepare(), [live('K1', 0), live('K2', 5)]);
    const { code, stdout, stderr } = await run(['explain', '+55 11 90000-0001']);
    expect(code).toBe(3);
    expect(stderr).toBe('');
    expect(stdout).toMatch(
      /^▲ None of the 2 messages of .* in the raw log is in the database: 2 are pending\s+\(unknown connection\)/,
    );
    expect(stdout).toContain(`${log}:2`);
    expect(stdout).toMatch(
      /wa-reconcile connection add --name 5511900000000 --kind cloud_api --phone-number-id 800000000000001 --phone \+5511900000000 --home \S+/,
    );
    // What it advises works.
    const advised = /wa-reconcile (connection add .*) --home/.exec(stdout)?.[1]?.split(' ') ?? [];
    expect((await run(advised)).code).toBe(0);
    expect((await run(['replay'])).code).toBe(0);
    const after = await run(['explain', '5511900000001']);
    expect(after).toMatchObject({ code: 0 });
    expect(after.stdout).toMatch(
      /^✔ All 2 messages of \+5511900000001 in the raw log are in the database\.\n/,
    );
  });

  test('says where the names of a contact come from', async () => {
    const { run } = await prepared(
      await server.prepare(),
      [
        liveFrom('Ana', 'K1', 0),
        addressBook('add', { full_name: 'Ana da Agenda', phone_number: ANA }, 60),
        liveFrom('Bruno', 'B1', 0, { from: BRU }),
      ],
      '--register',
    );
    const { stdout } = await run(['explain', ANA]);
    expect(stdout).toMatch(/^ *name +Ana da Agenda: from the address book \(state sync\), \d{4}-/m);
    expect(stdout).toMatch(/^ *profile name +Ana: from the profile \(webhook of a message\), \d{4}-/m);
    const other = await run(['explain', BRU]);
    expect(other.stdout).toMatch(/^ *name +Bruno: from the profile/m);
    expect(other.stdout).not.toContain('profile name');
  });

  test('tells a message’s story line by line, with file and line', async () => {
    const picture = {
      type: 'image',
      text: undefined,
      image: { id: 'M1', mime_type: 'image/jpeg', caption: 'foto' },
    };
    const { run, log } = await prepared(
      await server.prepare(),
      [
        history([old('K1', 0, { type: 'media_placeholder', text: undefined })], {
          phase: 1,
          order: 2,
          progress: 55,
        }),
        webhook('history', { messages: [item('K1', 0, picture)] }),
        live('K1', 0, picture),
      ],
      '--register',
    );
    const { code, stdout } = await run(['explain', wamid('K1')]);
    expect(code).toBe(0);
    const story = stdout.slice(stdout.indexOf('Facts in the raw log')).replace(/\n +(?=filled)/g, ' ');
    expect(story).toMatch(/history message \(media_placeholder, inbound\) {2}created the row/);
    expect(story).toContain(`${log}:1  ….history[0].threads[0].messages[0]`);
    expect(story).toContain('chunk 1/2 (55 %)');
    expect(story).toContain(
      'media follow-up (image, inbound)  type media_placeholder → image, text filled, media filled',
    );
    expect(story).toContain('live message (image, inbound)  source history → live');
    expect(story.indexOf(':1 ')).toBeLessThan(story.indexOf(':3 '));
  });

  test('says whose time it shows of a message that names none', async () => {
    const { run } = await prepared(
      await server.prepare(),
      [
        { received_at: '2025-09-16T05:20:00Z', payload: live('K1', 0, { timestamp: undefined }) },
        live('K2', 5),
      ],
      '--register',
    );
    expect((await run(['explain', wamid('K1')])).stdout).toContain(
      'sent 2025-09-16 05:20:00 (when it was received)',
    );
    expect((await run(['explain', wamid('K2')])).stdout).not.toContain('when it was');
    const { stdout } = await run(['explain', wamid('K1'), '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ facts: [{ atFrom: 'received_at' }] });
  });

  test('hides what was said, and with --bodies shows no more than a terminal can bear', async () => {
    const { run } = await prepared(
      await server.prepare(),
      [
        liveFrom(HOSTILE, 'K1', 0, { text: { body: HOSTILE } }),
        edit('K1', 'K1b', 5, { type: 'text', text: { body: 'x'.repeat(500) } }),
      ],
      '--register',
    );
    const hidden = await run(['explain', wamid('K1')]);
    expect(hidden.stdout).not.toContain('xxx');
    for (const argv of [
      ['explain', wamid('K1'), '--bodies'],
      ['explain', '5511900000001', '--bodies'],
      ['explain', wamid('K1'), '--bodies', '--format', 'markdown'],
    ]) {
      const { stdout } = await run(argv);
      expect(stdout).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
      expect(stdout).not.toContain('x'.repeat(61));
    }
    expect((await run(['explain', wamid('K1'), '--bodies'])).stdout).toContain('red red');
  });

  test('gives programs what is documented, one fact per line', async () => {
    const { run } = await prepared(await server.prepare(), [live('K1', 0), live('K2', 5)], '--register');
    const json = await run(['explain', '5511900000001', '--json']);
    const result = z
      .looseObject({
        schemaVersion: z.literal(1),
        command: z.literal('explain'),
        facts,
        findings: z.array(z.unknown()),
      })
      .parse(JSON.parse(json.stdout));
    expect(result).toMatchObject({
      subject: 'contact',
      known: true,
      findings: [],
      contact: { messages: { total: 2 } },
    });
    const lines = (await run(['explain', '5511900000001', '--format', 'ndjson'])).stdout
      .trimEnd()
      .split('\n');
    expect(facts.parse(lines.map((line): unknown => JSON.parse(line)))).toEqual(result.facts);
    const csv = (await run(['explain', '5511900000001', '--format', 'csv'])).stdout.trimEnd().split('\n');
    expect(csv[0]).toMatch(/^received_at,stored_at,at,kind,how,type,/);
    expect(csv).toHaveLength(1 + result.facts.length);
    const markdown = (await run(['explain', '5511900000001', '--format', 'markdown'])).stdout;
    expect(markdown).toContain('## In the raw log');
  });

  test('ends with 2 for what is nothing, with 3 for what nobody knows, and lists what is ambiguous', async () => {
    const { run } = await prepared(
      await server.prepare(),
      [live('K1', 0), live('K2', 0, {}, SECOND)],
      '--register',
    );
    const nothing = await run(['explain', 'what is this?']);
    expect(nothing).toMatchObject({ code: 2, stdout: '' });
    expect(nothing.stderr).toContain('Give a message id');
    expect((await run(['explain', 'x', '--limit', '0'])).code).toBe(2);
    expect((await run(['explain', 'x', '--since', 'gestern'])).code).toBe(2);
    expect((await run(['explain', 'x', '--as', 'lead'])).code).toBe(2);
    expect((await run(['explain'])).code).toBe(2);
    const unknown = await run(['explain', '+4915112345678']);
    expect(unknown.code).toBe(3);
    expect(unknown.stdout).toBe('✖ No data found for +4915112345678: no raw entry names it.\n');
    const id = await run(['explain', wamid('NEVER'), '--json']);
    expect(id.code).toBe(3);
    expect(JSON.parse(id.stdout)).toMatchObject({ known: false });
  });

  test('reads well on the demo day', async () => {
    const run = await server.prepare();
    await run(['replay', DEMO_DAY, '--register']);
    const { stdout, code } = await run(['explain', `${DEMO_DAY}:13`]);
    expect(code).toBe(0);
    expect(stdout).toContain('history declined');
    const contact = await run(['explain', '5531900000003']);
    expect(contact.stdout).toMatch(
      /bsuid\s+BR\.13491208655302741918\s+linked to \+5531900000003 by\s+\S+demo-day\.ndjson:9 \(message\)/,
    );
    expect(contact.stdout).toContain('history_sync: history message of 2025-09-15 22:00:00');
  });

  test('says in its help what it takes, what it hides and how it ends', async () => {
    const run = await embedded.prepare('missing');
    const { stdout } = await run(['explain', '--help']);
    for (const words of [
      '<subject>',
      'file:line',
      '--bodies',
      '--scan',
      'Exit status',
      'no data was found',
    ]) {
      // Lines are broken where they get too long.
      expect(stdout.replace(/\s+/g, ' ')).toContain(words);
    }
  });
});
