import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { addConnection } from '../support/connections.js';
import { copyMessage, dropUniqueIndexes, restoreUniqueIndexes } from '../support/damage.js';
import { describeOnServer, type TestBackend } from '../support/databases.js';
import { night } from '../support/nights.js';
import { normalizedDatabase } from '../support/normalized.js';
import { EVERYTHING, pruned } from '../support/pruning.js';
import { lose, rowLosses, type Loss } from '../support/random-loss.js';
import { metaLog, mixedLog, WEB_CONNECTION } from '../support/random-log.js';
import { replayBodies } from '../support/replaying.js';
import { ANA, BRU, edit, live, T0, webhook } from '../support/webhooks.js';
import { tries } from '../support/seed.js';

type Log = readonly (object | string)[];

/** Messages of WhatsApp Web, whose ids do not say whose they are. */
function web(id: string, who: string, at: number): object {
  return {
    event: 'messages.upsert',
    sessionId: 'web',
    data: {
      type: 'notify',
      messages: [
        {
          key: { remoteJid: `${who}@s.whatsapp.net`, fromMe: false, id },
          message: { conversation: id },
          messageTimestamp: String(T0 + at),
        },
      ],
    },
  };
}

async function opened(backend: TestBackend, log: Log): Promise<Store> {
  const store = await backend.open(restoreUniqueIndexes);
  await addConnection(store, WEB_CONNECTION);
  await replayBodies(store, log);
  return store;
}

/** A row as text, without the random part of what damage makes up. */
function textOf(row: unknown): string {
  return JSON.stringify(row).replaceAll(/(FORGED|stranger)-[0-9a-f-]{36}/g, '$1');
}

/** All rows but the raw log's, after damage and two nights, which retention may have preceded. */
async function mended(
  backend: TestBackend,
  log: Log,
  damage: (store: Store) => Promise<unknown>,
  retention: { together: number } | null,
): Promise<{ rows: string[][]; kept: number }> {
  const store = await opened(backend, log);
  try {
    await damage(store);
    const kept = retention === null ? 0 : (await pruned(store, EVERYTHING, retention.together)).entries.kept;
    for (let times = 0; times < 2; times += 1) await night(store, { full: true, apply: true });
    const tables = Object.entries(await normalizedDatabase(store)).filter(([name]) => name !== 'webhook_log');
    // Copies of a message stay until `dedupe`; which of them a night gives the revisions is left to their random ids.
    return { rows: tables.map(([name, rows]) => [name, ...new Set(rows.map(textOf).sort())]), kept };
  } finally {
    await store.close();
  }
}

async function expectSame(
  backend: TestBackend,
  log: Log,
  damage: (store: Store) => Promise<unknown>,
  together = 4,
): Promise<number> {
  const alone = await mended(backend, log, damage, null);
  const { rows, kept } = await mended(backend, log, damage, { together });
  expect(rows).toEqual(alone.rows);
  return kept;
}

const TWO = [
  web('KEY-OF-ANA', ANA, 0),
  live('A1', 10),
  edit('A1', 'A1-2', 20, { type: 'text', text: { body: 'A1, edited' } }),
  live('B1', 30, { from: BRU }),
  live('B2', 40, { from: BRU }),
  webhook('account_update', { event: 'PARTNER_ADDED' }),
];

describeOnServer('what retention leaves', (backend) => {
  it('is enough to give a message that was moved back to its chat, whichever chat it is in', async () => {
    for (const body of ['KEY-OF-ANA', 'B1']) {
      const kept = await expectSame(backend, TWO, async (store) => {
        const moved = await store.sql.execute(
          `update messages m set conversation_id = o.id, lead_id = o.lead_id
           from conversations o where m.body = '${body}' and o.id <> m.conversation_id`,
        );
        expect(moved).toBe(1);
      });
      // Those of both.
      expect(kept).toBe(5);
    }
  });

  it('is enough to tell which of two rows with one id is right', async () => {
    for (const body of ['KEY-OF-ANA', 'B1'])
      expect(
        await expectSame(backend, TWO, async (store) => {
          await dropUniqueIndexes(store, ['same_id']);
          const [row] = await store.sql.query(`select id from messages where body = '${body}'`);
          await copyMessage(store, String(row?.id), { body: 'DUP OTHER' });
        }),
      ).toBe(body === 'B1' ? 2 : 3);
  });

  it('holds the message of a row that names an entry which does not', async () => {
    for (const entry of [`'account_update' = any(fields)`, `chat_ids && array['+${ANA}']`]) {
      const kept = await expectSame(backend, TWO, async (store) => {
        const linked = await store.sql.execute(
          `update messages set batch_id = (select id from webhook_log where ${entry} order by id limit 1) where body = 'B1'`,
        );
        expect(linked).toBe(1);
      });
      expect(kept, entry).toBeGreaterThanOrEqual(2);
    }
  });

  it('mends any damage as all of the log does', async () => {
    const log = fc.oneof(metaLog, mixedLog);
    const losses = fc.oneof(
      rowLosses,
      fc.array(
        fc.record({
          kind: fc.constantFrom('deleted', 'moved', 'rehomed', 'renamed', 'copy', 'stranger' as const),
          pick: fc.nat(1000),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    );
    await fc.assert(
      fc.asyncProperty(log, losses, fc.constantFrom(1, 3, 1000), async (bodies, chosen: Loss[], together) => {
        await expectSame(backend, bodies, (store) => lose(store, chosen), together);
      }),
      { numRuns: tries(6) },
    );
  }, 300_000);
});
