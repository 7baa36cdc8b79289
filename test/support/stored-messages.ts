import type { Store } from '../../src/store/store.js';
import { uuidv7 } from '../../src/store/uuid.js';

/** A lead with a conversation on each of its connections, as SQL wrote them. */
export interface StoredContact {
  leadId: string;
  /** By connection name. */
  conversations: ReadonlyMap<string, { id: string; connectionId: string }>;
}

export interface StoredMessage {
  /** ms since 1970. */
  at: number;
  id?: string;
  body?: string;
  connection?: string;
}

/** Writes a lead of the default organization with an own conversation on each of these connections, and its phone as identity. */
export async function storeContact(
  store: Store,
  phone: string,
  connections: readonly string[] = ['loja'],
): Promise<StoredContact> {
  const [lead] = await store.sql.query(
    `with lead as (
       insert into leads (id, organization_id, phone_number, push_name, source, first_seen_at)
       select gen_random_uuid(), id, $1, 'Ana', 'live_message', '2026-01-01' from organizations where slug = 'default'
       returning id, organization_id, phone_number
     ), known as (
       insert into lead_identities (organization_id, kind, value, person_id, lead_id)
       select organization_id, 'phone', phone_number, id, id from lead
     )
     select id from lead`,
    [phone],
  );
  const leadId = String(lead?.id);
  const conversations = new Map<string, { id: string; connectionId: string }>();
  for (const name of connections) {
    await store.sql.execute(
      `insert into connections (id, organization_id, name, kind, display_phone_number, history_sync_status)
       select gen_random_uuid(), id, $1, 'baileys', '+55 11 90000-0000', 'completed' from organizations
       where slug = 'default' on conflict do nothing`,
      [name],
    );
    const [row] = await store.sql.query(
      `insert into conversations (id, connection_id, lead_id)
       select gen_random_uuid(), id, $2::uuid from connections where name = $1 returning id, connection_id`,
      [name, leadId],
    );
    conversations.set(name, { id: String(row?.id), connectionId: String(row?.connection_id) });
  }
  return { leadId, conversations };
}

/** Writes messages of a contact; gives their ids, in the order in which they were given. */
export async function storeMessages(
  store: Store,
  contact: StoredContact,
  messages: readonly StoredMessage[],
): Promise<string[]> {
  const ids: string[] = [];
  for (const { at, id = uuidv7(at), body = null, connection = 'loja' } of messages) {
    const conversation = contact.conversations.get(connection);
    if (conversation === undefined) throw new Error(`the contact has no conversation on ${connection}`);
    await store.sql.execute(
      `insert into messages (id, connection_id, conversation_id, lead_id, external_id, direction, type, body, timestamp,
         source, sync_source, is_sync_initial, evidence)
       values ($1::uuid, $2::uuid, $3::uuid, $4::uuid, 'wamid.' || $1, 'INBOUND', 'text', $5, $6::timestamptz,
         'live', 'webhook', false, 0)`,
      [id, conversation.connectionId, conversation.id, contact.leadId, body, new Date(at).toISOString()],
    );
    ids.push(id);
  }
  return ids;
}
