import { describe, expect, test } from 'vitest';
import { useBackend } from '../support/databases.js';
import { useMachines } from './installation.js';
import { killTimes } from './killing.js';
import { busyLog } from './logs.js';

const env = { WA_RECONCILE_SECRET_KEY: Buffer.alloc(32, 3).toString('base64') };

// Each command opens PGlite anew, which takes seconds on a busy machine: there, fewer of them prove the same. What is killed, and what
// ends it, are processes of the built command; everything around them runs here, because a process takes seconds to start, too.
const LOADS = [
  ['postgresql', { messages: 300, kills: [0, 1, 2, 4] }],
  ['pglite', { messages: 80, kills: [1] }],
] as const;

describe.each(LOADS)('erase of the built command on %s', (name, { messages, kills }) => {
  const machines = useMachines(useBackend(name));

  test('killed at any moment and typed again leaves nothing of the person, and the log brings nothing back', async () => {
    const machine = await machines.install();
    await machine.write('log.ndjson', busyLog(messages, 11));
    await machine.run(['replay', 'log.ndjson', '--register', '-q', '--json']);
    const found = await machine.look(({ sql }) =>
      sql.query(
        `select l.phone_number as phone, count(*)::int as messages from leads l join messages m on m.lead_id = l.id
         where l.phone_number is not null group by 1 order by 2 desc, 1 limit 1`,
      ),
    );
    const phone = String(found[0]?.['phone']);
    const leads = async (): Promise<unknown> =>
      machine.look(({ sql }) =>
        sql.query(`select phone_number from leads where phone_number <> '${phone}' order by 1`),
      );
    const others = await leads();
    const verdicts = async (): Promise<[check: string, status: string, summary: string][]> => {
      const { checks } = JSON.parse((await machine.call(['verify', '--json'])).stdout) as {
        checks: { check: string; status: string; summary: string }[];
      };
      return checks
        .filter(({ check }) => check !== 'rejects')
        .map(({ check, status, summary }) => [check, status, summary]);
    };
    const findingsIn = (of: Awaited<ReturnType<typeof verdicts>>): string[] =>
      of.flatMap(([check, status]) => (status === 'findings' ? [check] : []));
    const told = findingsIn(await verdicts());
    const command = ['erase', phone, '--apply', '--confirm', phone, '--batch-size', '2', '--json'];

    if (name === 'postgresql') {
      const plan = await machine.call(['erase', phone, '--json'], { env });
      expect(JSON.parse(plan.stdout)).toMatchObject({ action: 'planned', runId: null });
      expect((await machine.call(['erase', phone, '--apply', '-y'], { env })).code).toBe(2);
      const mistyped = await machine.call(['erase', phone, '--apply', '--confirm', '+5541900000001'], {
        env,
      });
      expect(mistyped.code).toBe(1);
      expect(mistyped.stderr).toContain('exactly as in the command');
      expect((await machine.call(command)).stderr).toContain('WA_RECONCILE_SECRET_KEY');
    }

    const begun = await killTimes(
      { ...machine, start: (words) => machine.start(words, { env }) },
      command,
      kills,
    );
    expect(begun).toBeGreaterThan(0);
    const ended = await machine.run(command, { env });
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' });
    expect((await machine.call(command, { env })).code).toBe(0);
    const traces = async (): Promise<unknown> =>
      machine.look(async ({ sql }) => {
        const digits = phone.slice(1);
        const [row] = await sql.query(
          `select (select count(*) from webhook_log where position('${digits}'::bytea in raw_body) > 0)::int
             + (select count(*) from webhook_log w where (to_jsonb(w) - 'raw_body')::text like '%${digits}%')::int
             + (select count(*) from leads l where l::text like '%${digits}%')::int
             + (select count(*) from sync_runs r where r::text like '%${digits}%')::int
             + (select count(*) from rejects r where r::text like '%${digits}%')::int
             + (select count(*) from lead_identities i where i::text like '%${digits}%')::int as traces`,
        );
        return row?.['traces'];
      });
    expect(await traces()).toBe(0);
    expect(await leads()).toEqual(others);

    // The log again: refused without the key, and with it nothing comes back.
    const refused = await machine.call(['replay', 'log.ndjson', '-q']);
    expect(refused.code).toBe(2);
    await machine.call(['replay', 'log.ndjson', '-q', '--json'], { env });
    await machine.call(['reconcile', '--apply', '--full', '--json']);
    expect(await traces()).toBe(0);
    expect(await leads()).toEqual(others);
    const verified = await verdicts();
    expect(findingsIn(verified)).toEqual(told);
    expect(verified.find(([check]) => check === 'raw_bodies')?.[2]).toMatch(
      /\(\d+ items? erased(, \d+ of them messages)?\)/,
    );
    const report = JSON.parse((await machine.call(['report', '--json'])).stdout) as {
      alerts: { kind: string; severity: string; message: string }[];
    };
    expect(report.alerts.filter(({ kind }) => kind.includes('run'))).toEqual([]);
    const undo = await machine.call(['undo', (JSON.parse(ended.stdout) as { runId: string }).runId]);
    expect(undo.code).toBe(2);
    expect(undo.stderr).toContain('cannot be undone');
  });
});
