import { expect, it } from 'vitest';
import { addConnection } from '../support/connections.js';
import { describeOnServer } from '../support/databases.js';
import { replayBodies } from '../support/replaying.js';

const CHUNK = {
  event: 'messaging-history.set',
  data: {
    chats: [],
    contacts: [],
    messages: [
      {
        key: { remoteJid: '5521987654321@s.whatsapp.net', fromMe: false, id: 'A1' },
        messageTimestamp: 1_700_000_000,
        message: { conversation: 'oi' },
      },
    ],
    syncType: 3,
    progress: 100,
    chunkOrder: 1,
  },
};

describeOnServer('history that a linked device brings', (backend) => {
  it.each([
    ['coexistence', 0, 'pending_consent'],
    ['baileys', 1, 'completed'],
  ])(
    'H2: enters the ledger of Meta’s chunks of a %s number %d times',
    async (kind, chunks, historySyncStatus) => {
      const store = await backend.open();
      await addConnection(store, { name: 'loja', kind });
      const result = await replayBodies(store, [CHUNK], { connection: 'loja', register: false });
      expect(result.messages.created).toBe(1);
      const rows = await store.sql.query(
        `select c.history_sync_status, (select count(*)::int from history_chunks) as chunks from connections c`,
      );
      expect(rows).toEqual([{ history_sync_status: historySyncStatus, chunks }]);
    },
  );
});
