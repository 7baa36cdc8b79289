import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { addBaileysConnection, countRows } from '../support/counting.js';
import { describeOnBackends } from '../support/databases.js';
import { normalizedDatabase } from '../support/normalized.js';
import { replayFiles, sample } from '../support/replaying.js';

const count = z.union([z.number(), z.array(z.number())]);
const expectations = z
  .record(
    z.string(),
    z.object({
      leads: count,
      conversations: count,
      messages_inbound: count,
      messages_outbound: count,
      open_tickets: count,
    }),
  )
  .parse(JSON.parse(readFileSync(sample('EXPECT.json'), 'utf8')));

describeOnBackends('each sample alone gives its rows, once and twice', (backend) => {
  it.each(backend.some(Object.entries(expectations), ([name]) => name.split('-')[0]))(
    '%s',
    async (name, expected) => {
      const store = await backend.open();
      const options = name.startsWith('baileys-') ? { connection: 'loja' } : {};
      if (name.startsWith('baileys-')) await addBaileysConnection(store);

      await replayFiles(store, [sample(name)], options);
      const once = await countRows(store);
      for (const [table, rows] of Object.entries(expected)) {
        expect([rows].flat(), `${table} of ${name}`).toContain(once[table as keyof typeof once]);
      }
      const before = await normalizedDatabase(store);
      const again = await replayFiles(store, [sample(name)], options);
      expect(await normalizedDatabase(store)).toEqual(before);
      expect(again.messages.created).toBe(0);
      expect(again.messages.updated).toBe(0);
    },
  );
});
