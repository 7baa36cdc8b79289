import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { Store } from '../../src/store/store.js';
import { dropUniqueIndexes, insertRow } from './damage.js';

/** What may happen to rows that are there. */
const ROW_LOSSES = [
  'deleted',
  'body',
  'time',
  'direction',
  'type',
  'status',
  'moved',
  'reaction',
  'renamed',
  'rehomed',
  'conversation',
  'copy',
  'stranger',
  'foreign',
  'pending_fact',
] as const;
/** What may happen to the raw log itself: only the file that it came from brings that back. */
const ENTRY_LOSSES = ['entry_deleted', 'entry_altered'] as const;

/** One loss: of which kind, and what it hits, by index among what is there. */
export interface Loss {
  kind: (typeof ROW_LOSSES)[number] | (typeof ENTRY_LOSSES)[number] | 'index';
  pick: number;
}

const lossesOf = (...kinds: Loss['kind'][]): fc.Arbitrary<Loss[]> =>
  fc.array(fc.record({ kind: fc.constantFrom(...kinds), pick: fc.nat(1000) }), {
    minLength: 1,
    maxLength: 6,
  });

/** Losses that leave the raw log whole: it holds all that is needed to mend them. */
export const rowLosses = lossesOf(...ROW_LOSSES, 'index');
/** With the entry gone, nothing tells what such a row was, or whose. */
const NEED_THEIR_ENTRY: readonly string[] = ['moved', 'stranger', 'rehomed', 'renamed'];
/**
 * Losses of both. Not a stranger's row, nor one on a connection that its entry is not about, for which no file brings back the
 * entry that it claims. Not of a message's lead or id: a row that was moved or renamed and whose entry is gone may as well be
 * another message (M9), and nobody can tell.
 */
export const anyLosses = lossesOf(
  ...ROW_LOSSES.filter((kind) => !NEED_THEIR_ENTRY.includes(kind)),
  ...ENTRY_LOSSES,
  'index',
);

/** The ids of the rows that somebody else wrote begin so. */
export const STRANGER = 'stranger-';

/** The ids that rows were given instead of their own begin so. */
const FORGED = 'wamid.FORGED-';

/** What is done to one message; `$1` is the row's id. */
const CHANGES = {
  deleted: `delete from messages where id = $1::uuid`,
  // A text where the log has none is what the row knows better (M2).
  body: `update messages set body = body || 'forged' where id = $1::uuid and body is not null`,
  time: `update messages set timestamp = timestamp - interval '1 hour' where id = $1::uuid`,
  direction: `update messages set direction = case direction when 'INBOUND' then 'OUTBOUND' else 'INBOUND' end
    where id = $1::uuid`,
  type: `update messages set type = case type when 'video' then 'sticker' else 'video' end where id = $1::uuid`,
  status: `update messages set status = case status when 'pending' then null when 'sent' then 'pending' else 'sent' end
    where id = $1::uuid and status is not null`,
  moved: `update messages m set conversation_id = o.id, lead_id = o.lead_id
    from (select c.id, c.lead_id from conversations c join messages m on m.connection_id = c.connection_id
          where m.id = $1::uuid and c.id <> m.conversation_id order by c.first_message_at, c.id limit 1) o
    where m.id = $1::uuid`,
  renamed: `update messages set external_id = '${FORGED}' || id where id = $1::uuid`,
  rehomed: `with thread as (
      insert into conversations (id, lead_id, connection_id)
      select gen_random_uuid(), m.lead_id, o.id from messages m
      join lateral (select id from connections where id <> m.connection_id order by name limit 1) o on true
      where m.id = $1::uuid
      on conflict (lead_id, connection_id) do update set lead_id = excluded.lead_id
      returning id, connection_id
    )
    update messages m set connection_id = thread.connection_id, conversation_id = thread.id from thread
    where m.id = $1::uuid and not exists (
      select from messages o where o.connection_id = thread.connection_id and o.external_id = m.external_id
    )`,
} as const;

/** Inflicts losses one after the other, each on what is left. A loss that finds nothing to hit does nothing. */
export async function lose(store: Store, losses: readonly Loss[]): Promise<void> {
  for (const { kind, pick } of losses) {
    switch (kind) {
      case 'index':
        await dropUniqueIndexes(store, ['same_id']);
        break;
      case 'conversation':
        await loseConversation(store, pick);
        break;
      case 'pending_fact':
        await store.sql.execute(
          `delete from pending_facts where ctid = (select ctid from pending_facts order by target_external_id, kind, fact_key
             offset $1::int % greatest((select count(*)::int from pending_facts), 1) limit 1)`,
          [pick],
        );
        break;
      case 'reaction':
        // One that sorts behind any other, so that no merge takes it away.
        await store.sql.execute(
          `update message_reactions set emoji = '🫶🏿' where ctid = (select ctid from message_reactions
             order by target_external_id, reactor offset $1::int % greatest((select count(*)::int from message_reactions), 1) limit 1)`,
          [pick],
        );
        break;
      case 'entry_deleted':
        await onOne(store, 'webhook_log', 'id', pick, (id) =>
          store.sql.execute('delete from webhook_log where id = $1::uuid', [id]),
        );
        break;
      case 'entry_altered':
        await onOne(store, 'webhook_log', 'id', pick, (id) =>
          store.sql.execute(`update webhook_log set raw_body = raw_body || '\\x20' where id = $1::uuid`, [
            id,
          ]),
        );
        break;
      case 'copy':
      case 'stranger':
      case 'foreign':
        await onOne(store, 'messages', MESSAGE_ORDER, pick, (id) => double(store, id, kind));
        break;
      default:
        await onOne(store, 'messages', MESSAGE_ORDER, pick, (id) => store.sql.execute(CHANGES[kind], [id]));
    }
  }
}

const MESSAGE_ORDER = 'external_id collate "C", id';

async function onOne(
  store: Store,
  table: string,
  order: string,
  pick: number,
  act: (id: string) => Promise<unknown>,
): Promise<void> {
  const rows = await store.sql.query(`select id from ${table} order by ${order}`);
  const row = rows[pick % Math.max(1, rows.length)];
  if (row !== undefined) await act(String(row.id));
}

async function loseConversation(store: Store, pick: number): Promise<void> {
  // One that only a reaction opened is nothing that the messages of the log bring back.
  await onOne(
    store,
    'conversations where first_message_at is not null',
    'first_message_at, id',
    pick,
    async (id) => {
      await store.sql.execute('delete from messages where conversation_id = $1::uuid', [id]);
      await store.sql.execute('delete from tickets where conversation_id = $1::uuid', [id]);
      await store.sql.execute('delete from conversations where id = $1::uuid', [id]);
    },
  );
}

/** A second row: the same message once more, or another program's, with the raw log's entry or with none. */
async function double(store: Store, id: string, kind: 'copy' | 'stranger' | 'foreign'): Promise<void> {
  if (kind === 'copy') await dropUniqueIndexes(store, ['same_id']);
  const [found] = await store.sql.query(
    `select to_jsonb(m) as row, to_jsonb(coalesce(c.last_message_at, m.timestamp)) as last from messages m
     join conversations c on c.id = m.conversation_id where m.id = $1::uuid`,
    [id],
  );
  const row = found?.row;
  if (typeof row !== 'object' || row === null) return;
  const stranger = {
    external_id: `${STRANGER}${randomUUID()}`,
    stanza_id: null,
    evidence: 0,
    body: 'stranger',
    // Neither the first nor the last of its conversation: of several at one time, history comes last.
    timestamp: found?.last,
    source: 'history',
    edited_at: null,
    edit_external_id: null,
    deleted_at: null,
  };
  await insertRow(store, 'messages', {
    ...row,
    ...(kind === 'copy' ? {} : stranger),
    ...(kind === 'foreign' ? { batch_id: null, run_id: null } : {}),
    id: randomUUID(),
  });
}
