import { expect, it } from 'vitest';
import { backup } from '../../src/commands/backup/backup.js';
import { applyMigrations } from '../../src/store/migrations/migrate.js';
import { readMigrations } from '../../src/store/migrations/status.js';
import { runOn } from '../cli/database-home.js';
import { temporaryDirectory } from '../cli/run-cli.js';
import { backUp, memoryTarget, restoreInto, withStore } from '../support/backups.js';
import { describeOnBackends } from '../support/databases.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { live } from '../support/webhooks.js';

describeOnBackends('a backup of tables that another program changed', (backend) => {
  it('says which rules they lack, and that the copy may not restore', async () => {
    await withStore(await backend.config(), async (store) => {
      await replayBodies(store, [live('A1', 0)]);
      expect((await backUp(store)).result.lacking).toEqual([]);
      for (const statement of [
        `alter table lead_identities drop constraint lead_identities_pkey`,
        `drop index webhook_log_connection_scope_sha256_key`,
        `alter table tickets drop constraint tickets_status_check`,
        `alter table conversations drop constraint conversations_lead_id_fkey`,
        `alter table conversations add constraint loose foreign key (lead_id) references leads (id)
         on update cascade on delete restrict not valid`,
      ]) {
        await store.sql.execute(statement);
      }
      const { result, bytes } = await backUp(store);
      expect(result.lacking).toEqual([
        'lead_identities_pkey (on organization_id, kind, value)',
        'webhook_log_connection_scope_sha256_key (on connection_scope, sha256)',
        'conversations: FOREIGN KEY (lead_id) REFERENCES leads(id) ON UPDATE CASCADE ON DELETE RESTRICT (not validated)',
        'tickets_status_check (missing)',
      ]);
      // No row breaks a rule: it restores. One that does is why the backup warns.
      expect(await restoreInto(await backend.emptyConfig(), bytes)).toMatchObject({ rows: result.rows });
      await store.sql.execute(`insert into lead_identities select * from lead_identities limit 1`);
      const doubled = await backUp(store);
      expect(doubled.result.lacking).toEqual(result.lacking);
      await expect(restoreInto(await backend.emptyConfig(), doubled.bytes)).rejects.toMatchObject({
        code: 'backup_invalid',
      });
    });
  });

  it('is refused where a whole table is gone, and nothing is written', async () => {
    await withStore(await backend.config(), async (store) => {
      await store.sql.execute('drop table message_reactions');
      await store.sql.execute('drop table erasure_keys');
      const memory = memoryTarget();
      const refused = backup(testContext(store), { target: memory.target, tool: '0.0.0-test' });
      await expect(refused).rejects.toMatchObject({
        code: 'database_altered',
        exitCode: 2,
        message: expect.stringContaining('message_reactions') as string,
      });
      await expect(refused).rejects.toThrow('erasure_keys');
      expect(memory.isDiscarded()).toBe(true);
      expect(memory.bytes()).toHaveLength(0);
    });
  });

  backend.once('of an older version misses nothing of this one', async () => {
    const config = await backend.emptyConfig();
    await withStore(
      config,
      async (store) => {
        await applyMigrations(store, (await readMigrations()).slice(0, 1));
        expect((await backUp(store)).result.lacking).toEqual([]);
      },
      { asItIs: true },
    );
  });

  backend.once('exits with 4 and a warning', async () => {
    const config = await backend.config();
    await withStore(config, (store) =>
      store.sql.execute('alter table messages drop constraint messages_status_check'),
    );
    const run = runOn(config);
    const directory = await temporaryDirectory();
    const seen = await run(['backup', directory]);
    expect(seen).toMatchObject({ code: 4 });
    expect(seen.stdout).toContain('▲ Backup complete, but it may not restore');
    expect(seen.stdout).toContain('messages_status_check (missing)');
    expect(seen.stdout).toContain('wa-reconcile verify');
    const piped = await run(['backup', '-']);
    expect(piped).toMatchObject({ code: 4 });
    expect(piped.stderr).toContain('may not restore');
  });
});
