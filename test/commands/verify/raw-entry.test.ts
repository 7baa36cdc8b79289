import { expect, it } from 'vitest';
import { runCheck, faults } from '../../support/checking.js';
import { describeOnBackends } from '../../support/databases.js';
import { replayBodies } from '../../support/replaying.js';
import { history, live, old, SECOND, wamid } from '../../support/webhooks.js';

describeOnBackends('the raw entry of every message', (backend) => {
  it('is there; a message from elsewhere is noted, one whose entry is gone is a finding', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), live('A2', 5), live('A3', 10)]);
    expect((await runCheck(store, 'raw_entry')).result).toMatchObject({
      status: 'ok',
      checked: 3,
      found: 0,
      summary: '3 messages, each with its raw entry',
    });

    await store.sql.execute(`update messages set batch_id = null where external_id = $1`, [wamid('A1')]);
    await store.sql.execute(`delete from webhook_log where origin = 'stdin:2'`);
    const checked = await runCheck(store, 'raw_entry');
    expect(faults(checked).sort()).toEqual([
      `- ${wamid('A1')} names no raw entry`,
      expect.stringMatching(/^- wamid\S+ its raw entry log:[0-9a-f-]{36} is gone$/),
    ]);
    expect(checked.result).toMatchObject({
      status: 'findings',
      checked: 3,
      found: 1,
      remedy: 'wa-reconcile replay FILE',
      summary:
        '1 message names a raw entry that is gone from the raw log; 1 message has no raw log entry (deleted, or written by another program)',
    });
  });

  backend.once(
    'is found again by a replay of the file: of large entries, and of entries that are stored still',
    async () => {
      const store = await backend.open();
      const log = [history([old('H1', 0), old('H2', 5), old('H3', 10)]), live('A1', 20), live('A2', 25)];
      await replayBodies(store, log);
      await store.sql.execute(`delete from webhook_log where origin in ('stdin:1', 'stdin:2')`);
      await store.sql.execute(`update messages set batch_id = gen_random_uuid() where external_id = $1`, [
        wamid('A2'),
      ]);
      expect((await runCheck(store, 'raw_entry')).result).toMatchObject({ status: 'findings', found: 6 });
      await replayBodies(store, log, { batchSize: 1 });
      expect((await runCheck(store, 'raw_entry')).result).toMatchObject({ status: 'ok', found: 0 });
    },
  );

  it('names a message without an id by its row', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0)]);
    await store.sql.execute(`update messages set batch_id = null, external_id = null`);
    expect(faults(await runCheck(store, 'raw_entry'))).toEqual([
      expect.stringMatching(/^- message [0-9a-f-]{36} names no raw entry$/),
    ]);
  });

  it('looks at one connection, or at what was sent since, when asked to', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), live('A2', 3_600, {}, SECOND)]);
    await store.sql.execute(`update messages set batch_id = null`);
    const one = await runCheck(store, 'raw_entry', { connection: '+5511900000000' });
    expect(one.result).toMatchObject({ checked: 1, found: 1, samples: [{ subject: wamid('A1') }] });
    const late = await runCheck(store, 'raw_entry', { since: Date.parse('2025-09-16T06:00:00Z') });
    expect(late.result).toMatchObject({ checked: 1, found: 1, samples: [{ subject: wamid('A2') }] });
  });
});
