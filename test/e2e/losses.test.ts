import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Store } from '../../src/store/store.js';
import { differences } from './differences.js';
import { useMachines, type Installation } from './installation.js';
import { live } from '../support/webhooks.js';

const MESSAGES = 300;
const LOG = Array.from({ length: MESSAGES }, (_, i) => JSON.stringify(live(`M${i}`, i * 10))).join('\n');
/** The builders' messages are old: without this, their connection would be silent. */
const PATIENT = ['--silent-after', '100000h'];

const alert = z.object({
  id: z.string(),
  kind: z.string(),
  severity: z.enum(['loss', 'degraded', 'note']),
  count: z.number().nullable(),
  remedy: z.string().nullable(),
  next: z.object({ command: z.string(), args: z.array(z.string()) }).nullable(),
});
const accounts = z.object({
  items: z.number(),
  saved: z.number(),
  explained: z.record(z.string(), z.number()),
  unexplained: z.number(),
});
const REPORT = z.object({
  alerts: z.array(alert),
  severity: z.enum(['loss', 'degraded', 'note']).nullable(),
  counts: z.object({ lost: z.number(), degraded: z.number(), notes: z.number() }),
  audit: z.object({ missing: z.number() }).nullable(),
  accounts,
});
const RECONCILED = z.object({
  verdict: z.string(),
  figures: z.object({ missing: z.number(), restored: z.number(), lost: z.number(), unchanged: z.number() }),
  restored: z.object({ entries: z.number() }).nullable(),
});

/** So many messages are gone, and as many rows of another program claim to be of the log: the totals are as before. */
async function hide(store: Store, count: number): Promise<void> {
  await store.sql.execute(
    `insert into messages (timestamp, evidence, is_sync_initial, id, connection_id, conversation_id, lead_id, external_id,
       direction, type, body, source, sync_source, batch_id, run_id)
     select timestamp, 0, false, gen_random_uuid(), connection_id, conversation_id, lead_id, 'stranger-' || external_id,
       'OUTBOUND', 'text', 'stranger', 'live', 'webhook', batch_id, run_id
     from messages order by external_id limit $1::int`,
    [count],
  );
  await store.sql.execute(
    `delete from messages where id in
       (select id from messages where body like 'M%' order by external_id limit $1::int)`,
    [count],
  );
}

describe('what is lost', () => {
  const machines = useMachines('postgresql');

  async function prepare(): Promise<Installation> {
    const machine = await machines.install();
    await machine.write('log.ndjson', LOG);
    expect((await machine.run(['replay', 'log.ndjson', '--register', '--quiet'])).code).toBe(0);
    return machine;
  }

  test('is an alert of its own, in every form of the report and in its exit code, whatever strangers add', async () => {
    const machine = await prepare();
    const before = await machine.run(['report', ...PATIENT]);
    expect(before.code).toBe(0);
    expect(before.stdout).toMatch(/^✔ No alerts/);
    await machine.look((store) => hide(store, 30));

    const shown = await machine.run(['report', '--html', 'report.html', ...PATIENT]);
    expect(shown.code).toBe(3);
    expect(shown.stdout).toMatch(/^✖ 60 lost, 0 degraded, 0 notes \(2 alerts\)/);
    expect(shown.stdout).toContain('wa-reconcile replay --all');
    const page = await readFile(join(machine.directory, 'report.html'), 'utf8');
    expect(page).toContain('class="verdict lost"');
    expect(page).toContain('60 lost');

    const { code, stdout } = await machine.run(['report', '--json', ...PATIENT]);
    expect(code).toBe(3);
    const report = REPORT.parse(JSON.parse(stdout));
    expect(report).toMatchObject({
      severity: 'loss',
      counts: { lost: 60, degraded: 0, notes: 0 },
      audit: { missing: 30 },
      alerts: [
        { kind: 'messages_missing', severity: 'loss', count: 30, next: { command: 'replay' } },
        // They name entries that do not hold them.
        { kind: 'messages_unfounded', severity: 'loss', count: 30 },
      ],
    });
    const { items, saved, explained, unexplained } = report.accounts;
    expect({ items, saved, unexplained }).toEqual({ items: MESSAGES, saved: MESSAGES - 30, unexplained: 30 });
    expect(items - saved).toBe(unexplained + Object.values(explained).reduce((sum, count) => sum + count, 0));

    const verified = await machine.run(['verify']);
    expect(verified.code).toBe(3);
    const quick = await machine.run(['report', '--no-audit', ...PATIENT]);
    expect(quick.code).toBe(0);
    expect(quick.stdout).toMatch(/^▲ .*the raw log was not compared/);
  }, 240_000);

  test('is restored by the next reconcile, which says so, and is clean the time after', async () => {
    const machine = await prepare();
    const reconcile = async (...argv: string[]) => {
      const { code, stdout } = await machine.run(['reconcile', '--json', ...PATIENT, ...argv]);
      return { code, ...RECONCILED.parse(JSON.parse(stdout)) };
    };
    expect(await reconcile()).toMatchObject({ code: 0, restored: null, figures: { restored: 0, lost: 0 } });
    const before = await machine.picture();
    await machine.look(async (store) => {
      await store.sql.execute(
        `update webhook_log set created_at = created_at - interval '9 days', processed_at = processed_at - interval '9 days'`,
      );
      await store.sql.execute(`delete from messages where body in ('M3', 'M4', 'M200')`);
    });
    expect(await reconcile('--dry-run')).toMatchObject({
      code: 3,
      figures: { missing: 3, restored: 0, lost: 3 },
    });
    const restored = await reconcile();
    expect(restored).toMatchObject({
      code: 0,
      restored: { entries: 3 },
      figures: { missing: 0, restored: 3, lost: 0 },
    });
    expect(restored.verdict).toContain('3 restored');
    expect(differences(await machine.picture(), before)).toEqual([]);
    const clean = await reconcile();
    expect(clean).toMatchObject({ code: 0, restored: null });
    expect(clean.figures).toMatchObject({ restored: 0, unchanged: MESSAGES });
    expect(clean.verdict).toContain('300 stored messages unchanged');
  }, 240_000);
});
