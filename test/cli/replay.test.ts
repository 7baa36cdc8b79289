import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { StopSignal } from '../../src/cli/io.js';
import { useEmbedded, useServer } from './database-home.js';

const SAMPLES = new URL('../samples/', import.meta.url).pathname;
const DAY = `${SAMPLES}logs/full-day.ndjson`;

function message(id: number): string {
  return `${JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [
      {
        id: '1',
        changes: [
          {
            field: 'messages',
            value: {
              messaging_product: 'whatsapp',
              metadata: { display_phone_number: '15550783881', phone_number_id: '106540352242922' },
              contacts: [{ profile: { name: 'Ana' }, wa_id: '5511912345678' }],
              messages: [
                {
                  from: '5511912345678',
                  id: `wamid.${id}`,
                  timestamp: '1762178400',
                  type: 'text',
                  text: { body: 'x' },
                },
              ],
            },
          },
        ],
      },
    ],
  })}\n`;
}

const event = z.looseObject({ event: z.string(), ts: z.iso.datetime() });

describe('replay on the command line', () => {
  const server = useServer();

  test('writes its result on stdout, exactly as documented, and nothing else there', async () => {
    const run = await server.prepare();
    const { code, stdout, stderr } = await run(['replay', DAY, '--register', '--json']);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    const result = z.looseObject({ database: z.string() }).parse(JSON.parse(stdout));
    expect(result).toMatchObject({ schemaVersion: 1, command: 'replay', status: 'completed', dryRun: false });
    expect(result.database).not.toContain('@');
  });

  test('a second time changes nothing, and says that everything was known', async () => {
    const run = await server.prepare();
    await run(['replay', DAY, '--register']);
    const { code, stdout } = await run(['replay', DAY, '--register']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/ already imported/);
    expect(stdout).toContain('no lead, conversation or ticket changed');
  });

  test('as a dry run says "would" and leaves the database as it was', async () => {
    const run = await server.prepare();
    const { code, stdout } = await run(['replay', DAY, '--register', '-n']);
    expect(code).toBe(0);
    expect(stdout).toContain('nothing was written');
    expect(stdout).toContain('would be created');
    expect(stdout).toContain(`wa-reconcile replay ${DAY} --register`);
    expect((await run(['connection', 'list'])).stdout).toContain('no connections yet');
  });

  test('ends with 4 and shows file and line, when the log is cut off', async () => {
    const run = await server.prepare();
    const { code, stdout } = await run(['replay', `${SAMPLES}logs/truncated-last-line.ndjson`, '--register']);
    expect(code).toBe(4);
    expect(stdout).toMatch(/Problems \(1\)\n {2}\S*truncated-last-line\.ndjson:\d+ /);
  });

  test('tells its progress as NDJSON under --events, notices and errors included', async () => {
    const run = await server.prepare();
    const { code, stderr } = await run(['replay', DAY, '--register', '--events']);
    expect(code).toBe(0);
    const events = stderr
      .trimEnd()
      .split('\n')
      .map((line) => event.parse(JSON.parse(line)).event);
    expect(events.at(0)).toBe('run_started');
    expect(events).toContain('progress');
    expect(events.at(-1)).toBe('run_finished');
    const failed = await run(['replay', '--all', '--failed', '--events']);
    expect(failed.code).toBe(2);
    expect(JSON.parse(failed.stderr)).toMatchObject({ error: { code: 'contradiction' } });
  });

  test('says which window it takes, and -q says nothing', async () => {
    const run = await server.prepare();
    const argv = ['replay', '--since', '2026-11-01', '--tz', 'America/Sao_Paulo'];
    expect((await run(argv)).stderr).toBe(
      'Replaying stored entries of every status received from 2026-11-01T03:00:00Z (UTC; dates read in America/Sao_Paulo).\n',
    );
    expect((await run([...argv, '-q'])).stderr).toBe('');
  });

  test('takes global flags before and after its name, and short ones together', async () => {
    const run = await server.prepare();
    for (const argv of [
      ['--json', '-q', 'replay', '-n'],
      ['replay', '-nq', '--json'],
      ['-q', 'replay', '-n', '--format=json'],
    ]) {
      const { code, stdout, stderr } = await run(argv);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).toMatchObject({ dryRun: true });
    }
  });

  test('finds --connection by name or number, and says how to add one that is not there', async () => {
    const run = await server.prepare();
    const unknown = await run(['replay', DAY, '--connection', 'shop']);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain("There is no connection 'shop'.");
    expect(unknown.stderr).toContain('wa-reconcile connection add --name shop');
    await run(['connection', 'add', '--name', 'shop', '--kind', 'cloud_api', '--phone', '+1 555-078-3881']);
    const known = await run(['replay', '-', '--connection', '+15550783881', '--json'], { stdin: message(1) });
    expect(known.stdout).toContain('"created": 1');
    expect(known.code).toBe(0);
  });

  test('after Ctrl-C says so, keeps what was done, and gives the command that goes on', async () => {
    const run = await server.prepare();
    let raise: (signal: StopSignal) => void = () => undefined;
    async function* log(): AsyncGenerator<string> {
      for (let id = 0; id < 500; id += 1) {
        if (id === 60) raise('SIGINT');
        yield message(id);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
    const argv = ['replay', '-', '--register', '--batch-size', '10'];
    const { code, stdout, stderr } = await run(argv, {
      stdin: log(),
      withSignals: (given) => {
        raise = given;
      },
    });
    expect(code).toBe(130);
    expect(stderr).toContain('Stopping: the current batch is finished and stored first.');
    expect(stdout).toContain('interrupted');
    expect(stdout).toContain('wa-reconcile replay - --register --batch-size 10');
    expect((await run(['connection', 'list', '--json'])).stdout).toContain('106540352242922');
  });

  test('stopped before its first batch says so, and never that it is complete', async () => {
    const run = await server.prepare();
    let raise: (signal: StopSignal) => void = () => undefined;
    async function* log(): AsyncGenerator<string> {
      raise('SIGTERM');
      yield await Promise.resolve(message(1));
    }
    const { code, stdout } = await run(['replay', '-', '--register'], {
      stdin: log(),
      withSignals: (given) => {
        raise = given;
      },
    });
    expect(stdout).toMatch(/^■ Replay interrupted/);
    expect(code).toBe(143);
    expect(stdout).toContain('Next\n  wa-reconcile replay - --register\n');
  });

  test('leaves at once at the second Ctrl-C', async () => {
    const run = await server.prepare();
    const quits: number[] = [];
    let raise: (signal: StopSignal) => void = () => undefined;
    async function* log(): AsyncGenerator<string> {
      yield await Promise.resolve(message(1));
      raise('SIGINT');
      raise('SIGINT');
    }
    await run(['replay', '-'], {
      stdin: log(),
      withSignals: (given) => {
        raise = given;
      },
      quit: (code) => quits.push(code),
    });
    expect(quits).toEqual([130]);
  });

  test('draws a spinner on a terminal only, and never on stdout', async () => {
    const run = await server.prepare();
    const { code, stdout, stderr } = await run(['replay', DAY, '--register', '--json'], {
      terminals: ['stderr'],
    });
    expect(code).toBe(0);
    expect(() => void JSON.parse(stdout)).not.toThrow();
    expect(stderr).toMatch(/^\S 0 messages/);
  });
});

describe('replay into the embedded database', () => {
  const embedded = useEmbedded();

  test('needs nothing prepared, and says where the data lies', async () => {
    const run = await embedded.prepare('missing');
    const { code, stdout } = await run(['replay', DAY, '--register']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/database {2}\S+database \(embedded\)/);
  });
});
