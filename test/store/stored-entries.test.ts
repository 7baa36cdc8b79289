import { expect, it } from 'vitest';
import { readEntries } from '../../src/store/tables/stored-entries.js';
import { describeOnBackends } from '../support/databases.js';
import { replayBodies } from '../support/replaying.js';
import { live } from '../support/webhooks.js';

describeOnBackends('reading stored entries back', (backend) => {
  it('takes no more than fits into memory, but always goes on', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), live('A2', 1), live('A3', 2)]);
    const all = { statuses: [] };
    const whole = await readEntries(store.sql, all, null, { limit: 10, maxBytes: 1_000_000 });
    expect(whole).toHaveLength(3);

    const size = whole[0]?.rawBody.byteLength ?? 0;
    const pages: number[] = [];
    let last: string | null = null;
    do {
      const page = await readEntries(store.sql, all, last, { limit: 10, maxBytes: size + 1 });
      pages.push(page.length);
      last = page.at(-1)?.id ?? null;
    } while (last !== null);
    expect(pages).toEqual([2, 1, 0]);
    expect(await readEntries(store.sql, all, null, { limit: 10, maxBytes: 1 })).toHaveLength(1);
  });
});
