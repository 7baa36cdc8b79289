import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import {
  forgetSaved,
  matchedBy,
  openSaved,
  saveForNights,
  type ToSave,
} from '../../../src/commands/compare/saved.js';
import { presentCompare } from '../../../src/cli/views/compare.js';
import type { LostMessage } from '../../../src/commands/compare/types.js';
import { SecretKey } from '../../../src/commands/devices/secret-key.js';
import { reconcile } from '../../../src/commands/reconcile/reconcile.js';
import type { ReconcileResult } from '../../../src/commands/reconcile/types.js';
import { UserError } from '../../../src/model/errors.js';
import { adviceList } from '../../../src/model/remedy.js';
import type { Store } from '../../../src/store/store.js';
import { readSavedComparisons, type SavedComparison } from '../../../src/store/tables/saved-comparisons.js';
import { compareAll, replayDay } from '../../support/crm/comparing.js';
import { useCrmDatabases } from '../../support/crm/database.js';
import { CLOUD, createDay, WEB } from '../../support/crm/day.js';
import { fillEvolution } from '../../support/crm/evolution.js';
import { describeOnBackends } from '../../support/databases.js';
import { testContext } from '../../support/replaying.js';

const KEY = SecretKey.parse(randomBytes(32).toString('base64'), 'a test');
const DAY = createDay({ seed: 41, count: 150, batched: true });

const databases = useCrmDatabases();

function night(store: Store, key: SecretKey | null = KEY, names = ['loja']): Promise<ReconcileResult> {
  return reconcile(testContext(store), {
    full: false,
    apply: false,
    dryRun: false,
    register: false,
    tickets: 'auto',
    include: new Set(),
    batchSize: 1000,
    historyMinutes: 60,
    timeZone: 'UTC',
    recordedOptions: {},
    crms: { names, secretKey: key },
  });
}

function alertsOf({ report }: ReconcileResult): unknown {
  return report?.alerts
    .filter(({ kind }) => kind.startsWith('crm_'))
    .map(({ kind, severity, subject, count }) => ({ kind, severity, subject, count }));
}

describeOnBackends('a saved comparison', (backend) => {
  backend.once(
    'is part of the night, alerts on what the CRM lost, and is quiet once it is repaired',
    async () => {
      const store = await backend.open();
      await replayDay(store, DAY);
      const ctx = testContext(store);
      const { crm } = await databases.filled(fillEvolution, DAY, ['random_loss']);
      await saveForNights(
        ctx,
        { name: 'loja', crm: 'evolution', url: crm.readOnlyUrl, map: [], matched: [] },
        KEY,
      );
      // Before the first night there is nothing to be calm about.
      const found = await night(store);
      const lost = found.report?.comparisons[0]?.counts?.lost ?? 0;
      expect(lost).toBeGreaterThan(2);
      expect(alertsOf(found)).toEqual([
        { kind: 'crm_differs', severity: 'loss', subject: 'loja', count: lost },
      ]);
      expect(found.figures.lost).toBeGreaterThanOrEqual(lost);

      const { crm: healthy } = await databases.filled(fillEvolution, DAY);
      await saveForNights(
        ctx,
        { name: 'loja', crm: 'evolution', url: healthy.readOnlyUrl, map: [], matched: [] },
        KEY,
      );
      expect(alertsOf(await night(store))).toEqual([]);
    },
  );

  backend.once(
    'remembers what it matched: of a connection that the CRM no longer has, every message is lost',
    async () => {
      const store = await backend.open();
      await replayDay(store, DAY);
      const ctx = testContext(store);
      const { crm } = await databases.filled(fillEvolution, DAY);
      const place = { kind: 'database', url: crm.readOnlyUrl } as const;
      const { result: healthy } = await compareAll(store, 'evolution', place);
      const toSave = { name: 'loja', crm: 'evolution', url: crm.readOnlyUrl, map: [] } as const;
      await saveForNights(ctx, { ...toSave, matched: matchedBy(healthy) }, KEY);
      expect(alertsOf(await night(store))).toEqual([]);
      const messages = (name: string): number =>
        healthy.connections.find(({ connection }) => connection === name)?.messages ?? 0;

      await crm.sql(
        `delete from "Message" where "instanceId" in (select id from "Instance" where name = $1)`,
        [WEB.name],
      );
      await crm.sql(`delete from "Instance" where name = $1`, [WEB.name]);
      for (const repeated of [1, 2]) {
        const found = await night(store);
        const [alert] = found.report?.alerts.filter(({ kind }) => kind === 'crm_differs') ?? [];
        expect([repeated, alert?.severity]).toEqual([repeated, 'loss']);
        expect(alert?.message).toContain(`It no longer has ${WEB.name}.`);
      }
      const saved = await openSaved(ctx, 'loja', KEY);
      const repair = {
        minimumAgeMs: 0,
        needsInstance: true,
        isStoredAsText: () => false,
        lost: () => undefined,
      };
      const { result } = await compareAll(store, 'evolution', place, { ...saved, repair });
      expect(result.severity).toBe('loss');
      const gone = result.connections.find(({ connection }) => connection === WEB.name);
      expect(gone).toMatchObject({ crm: '', rows: 0, messages: messages(WEB.name) });
      expect(gone?.counts.lost).toBeGreaterThan(20);
      expect(gone?.causes.map(({ cause }) => cause)).toEqual(['connection_gone']);
      // Nothing of the CRM's could name the connection in SQL.
      expect(result.counts.lost).toBe(gone?.counts.lost);
      expect(result.repair).toEqual({
        messages: 0,
        leftOut: { no_instance: result.counts.lost },
        asText: {},
      });
      const argv = ['compare', 'loja', '--repair', 'x.sql'];
      const shown = presentCompare(result, argv, { isSql: true, file: 'x.sql' });
      const text = JSON.stringify(shown.document.blocks);
      expect(text).toContain(`no file was written; left out: no instance in the CRM ${result.counts.lost}`);
      expect(text).not.toContain('x.sql');
      for (const steps of [
        shown.document.next,
        presentCompare({ ...result, repair: null }, ['compare', 'loja'], { isSql: true }).document.next,
      ]) {
        expect(steps?.[0]).toMatchObject({
          command: 'compare',
          args: ['loja'],
          why: expect.stringContaining('created it in the CRM again') as string,
        });
        expect(JSON.stringify(steps?.map(({ args }) => args))).not.toContain('--repair');
      }
      // Data needs none.
      const connections: string[] = [];
      const lost = ({ connection }: LostMessage): void => void connections.push(connection);
      const data = { ...repair, needsInstance: false, lost };
      const { result: given } = await compareAll(store, 'evolution', place, { ...saved, repair: data });
      expect(given.repair).toEqual({ messages: result.counts.lost, leftOut: {}, asText: {} });
      expect(new Set(connections)).toEqual(new Set([WEB.name]));
      expect(connections).toHaveLength(result.counts.lost);

      // Also where nothing at all is left to match.
      await crm.sql(`delete from "Message"`);
      await crm.sql(`delete from "Instance"`);
      const { result: empty } = await compareAll(store, 'evolution', place, saved);
      expect(empty.severity).toBe('loss');
      expect(empty.connections).toHaveLength(2);
      expect(alertsOf(await night(store))).toMatchObject([{ kind: 'crm_differs', severity: 'loss' }]);
    },
  );

  backend.once(
    'is not clean where the CRM has nothing of a connection, unless it is said that it never had it',
    async () => {
      const store = await backend.open();
      await replayDay(store, DAY);
      const ctx = testContext(store);
      const { crm } = await databases.filled(fillEvolution, DAY);
      await crm.sql(
        `delete from "Message" where "instanceId" in (select id from "Instance" where name = $1)`,
        [WEB.name],
      );
      await crm.sql(`delete from "Instance" where name = $1`, [WEB.name]);
      const place = { kind: 'database', url: crm.readOnlyUrl } as const;
      const { result } = await compareAll(store, 'evolution', place);
      expect(result).toMatchObject({ severity: 'degraded', counts: { lost: 0 } });
      expect(result.absent.map(({ connection }) => connection)).toEqual([WEB.name]);
      const [absent] = result.absent;
      expect(absent?.messages).toBeGreaterThan(20);
      expect(presentCompare(result, []).document.verdict).toMatchObject({
        mark: 'warn',
        text: expect.stringContaining(`nothing of ${WEB.name} (${absent?.messages} messages)`) as string,
      });
      const toSave = { name: 'loja', crm: 'evolution', url: crm.readOnlyUrl, map: [] } as const;
      await saveForNights(ctx, { ...toSave, matched: matchedBy(result) }, KEY);
      expect(alertsOf(await night(store))).toEqual([
        { kind: 'crm_not_compared', severity: 'degraded', subject: 'loja', count: null },
      ]);

      const map = [{ connection: WEB.name, crm: '-' }];
      const never = await compareAll(store, 'evolution', place, { map });
      expect(never.result).toMatchObject({ severity: 'note', absent: [] });
      await saveForNights(ctx, { ...toSave, map, matched: matchedBy(never.result) }, KEY);
      expect(alertsOf(await night(store))).toEqual([]);
      const alone = await compareAll(store, 'evolution', place, { connection: `+${CLOUD.number}` });
      expect(alone.result).toMatchObject({ severity: 'note', absent: [] });
    },
  );

  backend.once(
    'keeps what was found: by the comparison that saves it, else by the last one of the same settings',
    async () => {
      const store = await backend.open();
      await replayDay(store, DAY);
      const ctx = testContext(store);
      const { crm } = await databases.filled(fillEvolution, DAY, ['random_loss']);
      const { crm: healthy } = await databases.filled(fillEvolution, DAY);
      const lossy = await compareAll(store, 'evolution', { kind: 'database', url: crm.readOnlyUrl });
      const clean = await compareAll(store, 'evolution', { kind: 'database', url: healthy.readOnlyUrl });
      const map = [
        { connection: WEB.name, crm: WEB.name },
        { connection: `+${CLOUD.number}`, crm: CLOUD.name },
      ];
      const save = async (settings: Partial<ToSave> = {}): Promise<SavedComparison | undefined> => {
        const matched = matchedBy(lossy.result);
        const toSave = { name: 'loja', crm: 'evolution', url: crm.readOnlyUrl, map, matched } as const;
        await saveForNights(ctx, { ...toSave, ...settings }, KEY);
        return (await readSavedComparisons(store.sql))[0];
      };
      const at = ({ result }: typeof lossy): number => Date.parse(result.startedAt);
      const found = { comparedAt: at(lossy), error: null, result: { counts: { ...lossy.result.counts } } };
      expect(lossy.result.counts.lost).toBeGreaterThan(2);
      expect(await save({ found: lossy.result })).toMatchObject(found);
      expect(await save()).toMatchObject(found);
      expect(await save({ map: map.toReversed() })).toMatchObject(found);

      const nothing = { comparedAt: null, error: null, result: null };
      for (const changed of [{ url: healthy.readOnlyUrl }, { map: [] }, { connection: WEB.name }]) {
        await save({ found: lossy.result });
        expect(await save(changed)).toMatchObject(nothing);
      }
      await save({ found: lossy.result });
      const replaced = await save({ url: healthy.readOnlyUrl, found: clean.result });
      expect(replaced).toMatchObject({ comparedAt: at(clean), result: { counts: { lost: 0 } } });
    },
  );

  backend.once(
    'says which statements let a role read, without a permission on the schema or on one table',
    async () => {
      const store = await backend.open();
      await replayDay(store, DAY);
      const { crm } = await databases.filled(fillEvolution, DAY);
      const url = crm.readOnlyUrl;
      const role = `"${new URL(url).username}"`;
      const refused = async (): Promise<string> => {
        const found = await compareAll(
          store,
          'evolution',
          { kind: 'database', url },
          { adopt: { dryRun: true } },
        ).catch((error: unknown) => error);
        expect(found).toMatchObject({ code: 'crm_not_permitted', exitCode: 2 });
        const advice = found instanceof UserError ? adviceList(found.remedy) : [];
        return advice.flatMap((one) => (typeof one === 'string' ? [one] : [])).join('\n');
      };
      for (const taken of ['usage on schema public', 'select on "Instance"', 'select on "IsOnWhatsapp"']) {
        await crm.sql(`revoke ${taken} from public, ${role}`);
        const advice = await refused();
        // What is advised is enough.
        const statements = advice.match(/grant [^;]*;/g) ?? [];
        expect(statements.join(' ')).toContain('"public"."Message"');
        for (const statement of statements) await crm.sql(statement);
        const { result } = await compareAll(
          store,
          'evolution',
          { kind: 'database', url },
          { adopt: { dryRun: true } },
        );
        expect(result.counts.lost).toBe(0);
      }
    },
  );

  backend.once('is degraded where the CRM cannot be read, and the night goes on', async () => {
    const store = await backend.open();
    await replayDay(store, DAY);
    const { crm } = await databases.filled(fillEvolution, DAY);
    const url = crm.url.replace(/\/[^/]*$/, '/nobody');
    await saveForNights(
      testContext(store),
      { name: 'loja', crm: 'evolution', url, map: [], matched: [] },
      KEY,
    );
    const found = await night(store);
    expect(found.status).toBe('completed');
    expect(alertsOf(found)).toEqual([
      { kind: 'crm_not_compared', severity: 'degraded', subject: 'loja', count: null },
    ]);
    // Its password is in no alert, and not in the database.
    const dump = JSON.stringify(
      await store.sql.query(`select url::text, options, error from saved_comparisons`),
    );
    const password = new URL(crm.url).password;
    if (password !== '') expect(dump).not.toContain(password);
    expect(JSON.stringify(found)).not.toContain(crm.url);
  });

  it('is opened by its own key only, by its own name only, and can be forgotten', async () => {
    const store = await backend.open();
    await replayDay(store, DAY);
    const ctx = testContext(store);
    const { crm } = await databases.filled(fillEvolution, DAY);
    const toSave = { name: 'loja', crm: 'evolution', url: crm.readOnlyUrl, map: [], matched: [] } as const;
    await expect(saveForNights(ctx, toSave, null)).rejects.toMatchObject({
      code: 'secret_key_missing',
      message: expect.stringContaining('the URL of a CRM') as string,
    });
    await expect(saveForNights(ctx, { ...toSave, name: 'evolution' }, KEY)).rejects.toMatchObject({
      code: 'usage',
    });
    await saveForNights(ctx, toSave, KEY);
    const other = SecretKey.parse(randomBytes(32).toString('base64'), 'another');
    await expect(openSaved(ctx, 'loja', other)).rejects.toMatchObject({ code: 'secret_key_wrong' });
    await expect(night(store, other)).rejects.toMatchObject({ code: 'secret_key_wrong' });
    await expect(night(store, KEY, ['nobody'])).rejects.toMatchObject({ code: 'unknown_comparison' });
    expect(await openSaved(ctx, 'loja', KEY)).toMatchObject({
      crm: 'evolution',
      place: { kind: 'database', url: crm.readOnlyUrl },
    });
    await forgetSaved(ctx, 'loja');
    await expect(forgetSaved(ctx, 'loja')).rejects.toMatchObject({ code: 'unknown_comparison' });
  });
});
