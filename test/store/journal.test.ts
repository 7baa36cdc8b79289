import { randomUUID } from 'node:crypto';
import { beforeEach, expect, it } from 'vitest';
import { mergePeople, requeueCollisions } from '../../src/store/changes/merge-leads.js';
import { journaled, type JournalScope } from '../../src/store/journal/journal.js';
import type { Sql } from '../../src/store/sql.js';
import type { Store } from '../../src/store/store.js';
import {
  damagedConnection,
  insertConversation,
  insertIdentity,
  insertLead,
  insertMessage,
  insertRow,
  insertTicket,
  moment,
  type Thread,
} from '../support/damage.js';
import { describeOnBackends } from '../support/databases.js';
import { BRU, wamid } from '../support/webhooks.js';

describeOnBackends('the journal', (backend) => {
  let store: Store;
  let connectionId: string;
  let ana: Thread;
  let bru: Thread;
  const runId = randomUUID();

  beforeEach(async () => {
    store = await backend.open();
    connectionId = await damagedConnection(store);
    ana = await insertConversation(store, connectionId, await insertLead(store));
    bru = await insertConversation(
      store,
      connectionId,
      await insertLead(store, { phone_number: `+${BRU}`, push_name: 'Bru', first_seen_at: moment(10) }),
    );
  });

  const journal = (scope: JournalScope, work: (tx: Sql) => Promise<unknown>): Promise<unknown> =>
    store.transaction((tx) => journaled(tx, runId, scope, () => work(tx)));
  const entries = (): Promise<Record<string, unknown>[]> =>
    store.sql.query(
      `select table_name, key, before, after from change_journal where run_id = $1::uuid order by id`,
      [runId],
    );
  const tables = async (): Promise<unknown[]> => (await entries()).map((entry) => entry.table_name).sort();

  it('keeps a changed row as it was and as it is, and forgets the rest of what was in reach', async () => {
    const id = await insertMessage(store, ana, 'A1', 0);
    await insertTicket(store, ana, wamid('A1'), 0);
    await journal({ messageIds: [id] }, (tx) =>
      tx.execute(`update messages set body = 'other', status = null where id = $1::uuid`, [id]),
    );
    expect(await entries()).toMatchObject([
      {
        table_name: 'messages',
        key: { id },
        before: {
          body: 'A1',
          status: 'delivered',
          timestamp: '2025-09-16T05:20:00+00:00',
        },
        after: {
          body: 'other',
          status: null,
          timestamp: '2025-09-16T05:20:00+00:00',
        },
      },
    ]);
  });

  it('writes the rows before the work begins', async () => {
    const id = await insertMessage(store, ana, 'A1', 0);
    await journal({ messageIds: [id] }, async (tx) => {
      const [seen] = await tx.query(
        `select count(*)::int as rows from change_journal where run_id = $1::uuid and key = jsonb_build_object('id', $2::text)`,
        [runId, id],
      );
      expect(seen).toEqual({ rows: 1 });
    });
    expect(await entries()).toEqual([]);
  });

  it('takes in everything that hangs on a message: revisions, reactions, pending facts, answers, tickets, collisions', async () => {
    const id = await insertMessage(store, ana, 'A1', 0);
    const answer = await insertMessage(store, ana, 'A2', 5, { context_external_id: wamid('A1') });
    await insertTicket(store, ana, wamid('A1'), 0);
    await insertRow(store, 'message_revisions', {
      message_id: id,
      version: 'original',
      type: 'text',
      at: moment(0),
      created_at: moment(0),
    });
    const target = { connection_id: connectionId, at: moment(1), created_at: moment(1) };
    await insertRow(store, 'message_reactions', {
      ...target,
      target_external_id: wamid('A1'),
      reactor: 'customer',
      emoji: '👍',
    });
    await insertRow(store, 'pending_facts', {
      ...target,
      target_external_id: 'A1',
      kind: 'status',
      fact_key: 'k',
      payload: {},
    });
    await insertRow(store, 'rejects', {
      id: randomUUID(), run_id: randomUUID(), webhook_log_id: randomUUID(), connection_id: connectionId, path: '$', subject: 'message',
      reason: 'id_collision', external_id: wamid('A1'), excerpt: '', created_at: moment(0),
    }); // prettier-ignore
    await journal({ messageIds: [id] }, async (tx) => {
      await tx.execute(`update message_revisions set type = 'image'`);
      await tx.execute(`update message_reactions set emoji = null`);
      await tx.execute(`delete from pending_facts`);
      await tx.execute(`delete from rejects`);
      await tx.execute(`update tickets set stage = 'won'`);
      await tx.execute(`update messages set context_external_id = 'new' where id = $1::uuid`, [answer]);
      await tx.execute(`update conversations set first_message_at = null where id = $1::uuid`, [
        ana.conversationId,
      ]);
      await tx.execute(`update leads set push_name = 'X' where id = $1::uuid`, [ana.leadId]);
    });
    expect(await tables()).toEqual([
      'conversations', 'leads', 'message_reactions', 'message_revisions', 'messages', 'pending_facts', 'rejects', 'tickets',
    ]); // prettier-ignore
  });

  it('tells a column that holds nothing from one that holds the JSON value null', async () => {
    const id = await insertMessage(store, ana, 'A1', 0);
    await store.sql.execute(`update messages set media = 'null', raw_meta = null`);
    await journal({ messageIds: [id] }, (tx) =>
      tx.execute(`update messages set media = null, raw_meta = 'null'`),
    );
    const [entry] = await entries();
    expect(entry).toMatchObject({
      before: { media: { 'wa-reconcile': 'json null' }, raw_meta: null },
      after: { media: null, raw_meta: { 'wa-reconcile': 'json null' } },
    });
  });

  it('says of a removed row that nothing is left, and of a made one that nothing was there', async () => {
    const id = await insertMessage(store, ana, 'A1', 0);
    await insertTicket(store, ana, null, 0, { source: 'manual' });
    await journal({ messageIds: [id], leadIds: [ana.leadId] }, async (tx) => {
      await tx.execute(`delete from messages where id = $1::uuid`, [id]);
      await tx.execute(
        `insert into lead_identities (organization_id, kind, value, person_id, lead_id)
         select organization_id, 'lid', '1@lid', id, id from leads where id = $1::uuid`,
        [ana.leadId],
      );
      await tx.execute(
        `insert into message_reactions (connection_id, target_external_id, reactor, at) values ($1::uuid, $2, 'customer', now())`,
        [connectionId, wamid('A1')],
      );
    });
    expect(await entries()).toMatchObject([
      { table_name: 'messages', key: { id }, before: { body: 'A1' }, after: null },
      {
        table_name: 'message_reactions',
        before: null,
        after: { reactor: 'customer' },
      },
      {
        table_name: 'lead_identities',
        before: null,
        after: { value: '1@lid' },
      },
    ]);
  });

  it('covers a merge of leads: messages that move to another conversation by where they belong, nothing for those that only follow theirs', async () => {
    const second = await damagedConnection(store, {
      name: 'second',
      phoneNumberId: '800000000000002',
      number: '+5511900000099',
    });
    const followed = await insertConversation(store, second, bru.leadId);
    await insertMessage(store, followed, 'F1', 0);
    await insertMessage(store, ana, 'A1', 0);
    const moved = await insertMessage(store, bru, 'B1', 1);
    await insertTicket(store, bru, wamid('B1'), 1);
    await insertIdentity(store, bru.leadId, 'lid', '2@lid');
    await journal(
      { leadIds: [ana.leadId, bru.leadId], emptiedConversationIds: [bru.conversationId] },
      async (tx) => {
        await mergePeople(tx, randomUUID(), [{ from: bru.leadId, into: ana.leadId }]);
        await requeueCollisions(tx, [ana.leadId]);
      },
    );
    const all = await entries();
    expect(all.filter((entry) => entry.table_name === 'messages')).toEqual([
      {
        table_name: 'messages',
        key: { id: moved },
        before: { id: moved, conversation_id: bru.conversationId, lead_id: bru.leadId },
        after: { id: moved, conversation_id: ana.conversationId, lead_id: ana.leadId },
      },
    ]);
    expect(await tables()).toEqual([
      'conversations',
      'conversations',
      'lead_identities',
      'lead_identities',
      'leads',
      'messages',
      'tickets',
    ]);
  });

  it('keeps two scopes of one run apart, each with what it changed', async () => {
    const id = await insertMessage(store, ana, 'A1', 0);
    for (const body of ['one', 'two']) {
      await journal({ messageIds: [id] }, (tx) => tx.execute(`update messages set body = $1`, [body]));
    }
    expect(await entries()).toMatchObject([
      { before: { body: 'A1' }, after: { body: 'one' } },
      { before: { body: 'one' }, after: { body: 'two' } },
    ]);
  });

  it('takes as many statements for many rows as for one', async () => {
    const count = async (messageIds: string[]): Promise<number> => {
      let statements = 0;
      await store.transaction((tx) => {
        const counting: Sql = {
          query: (text, parameters) => ((statements += 1), tx.query(text, parameters)),
          execute: (text, parameters) => ((statements += 1), tx.execute(text, parameters)),
        };
        return journaled(counting, runId, { messageIds }, () => Promise.resolve());
      });
      return statements;
    };
    const ids: string[] = [];
    for (let n = 0; n < 30; n += 1) ids.push(await insertMessage(store, ana, `M${n}`, n));
    expect(await count(ids)).toBe(await count(ids.slice(0, 1)));
  });
});
