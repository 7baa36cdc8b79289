import { expect, it } from 'vitest';
import { describeOnServer } from '../support/databases.js';
import { night } from '../support/nights.js';
import { normalizedDatabase } from '../support/normalized.js';
import { replayBodies, replayLog } from '../support/replaying.js';
import { offset, select } from '../support/shown.js';
import { live, wamid } from '../support/webhooks.js';

const HOUR = 3600;
const LOG = Array.from({ length: 5 }, (_, i) => live(`M${i}`, i * HOUR));

describeOnServer('a ticket that was lost with a message', (backend) => {
  for (const lost of ['M0', 'M3', 'M4'])
    it(`is opened by the same message again (${lost} was lost)`, async () => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      await night(store, { apply: true });
      const before = await normalizedDatabase(store);
      await store.sql.execute('delete from tickets');
      await store.sql.execute('delete from messages where external_id = $1', [wamid(lost)]);
      const { figures } = await night(store, { apply: true });
      expect(figures).toMatchObject({ restored: 1, lost: 0, degraded: 0, notes: 0 });
      expect(await normalizedDatabase(store)).toEqual(before);
      await night(store, { apply: true, full: true });
      expect(await normalizedDatabase(store)).toEqual(before);
    });

  it('does not reach back before the last closed one, nor to messages that were to open none', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG.slice(0, 1));
    await store.sql.execute(
      `update tickets set status = 'closed', closed_at = opened_at + interval '1 minute'`,
    );
    await replayBodies(store, LOG.slice(1, 2), { tickets: 'none', recordedOptions: { tickets: 'none' } });
    await replayBodies(store, LOG.slice(2));
    await store.sql.execute(`delete from tickets where status = 'open'`);
    await store.sql.execute('delete from messages where external_id = $1', [wamid('M4')]);
    await night(store, { apply: true });
    const shown = `select status, ${offset('opened_at')} as opened, ${offset('last_inbound_at')} as last
      from tickets order by opened_at`;
    expect(await select(store, shown)).toEqual([
      { status: 'closed', opened: 0, last: 0 },
      { status: 'open', opened: 2 * HOUR, last: 4 * HOUR },
    ]);
  });

  it('is opened by the message that comes next, and not by earlier ones', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG.slice(0, 4));
    await store.sql.execute('delete from tickets');
    await replayBodies(store, LOG.slice(4));
    await replayLog(store, { which: 'failed' });
    const shown = `select ${offset('opened_at')} as opened from tickets`;
    expect(await select(store, shown)).toEqual([{ opened: 4 * HOUR }]);
  });
});
