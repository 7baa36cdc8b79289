import { expect, test } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { readDefaultOrganization } from '../../src/store/tables/connections.js';
import { createIdGenerator } from '../../src/store/uuid.js';
import { insertRow } from '../support/damage.js';
import { describeOnBackends } from '../support/databases.js';
import { normalizedDatabase } from '../support/normalized.js';

const AT = new Date('2026-03-01T10:00:00Z');

describeOnBackends('the picture of a database', (backend) => {
  test('is the same for the same content under other ids', async () => {
    const one = await backend.open();
    const other = await backend.open();
    await fill(one, 'Maria');
    await fill(other, 'Maria');
    const picture = await normalizedDatabase(one);
    expect(await normalizedDatabase(other)).toEqual(picture);
    expect(picture.messages).toMatchObject([
      {
        external_id: 'wamid.1',
        connection: 'default/main',
        lead: ['phone:+5511987654321', 'wa_id:5511987654321'],
      },
    ]);
    for (const [table, rows] of Object.entries(picture)) expect(rows, table).not.toEqual([]);
  });

  test('differs where a name differs', async () => {
    const one = await backend.open();
    const other = await backend.open();
    await fill(one, 'Maria');
    await fill(other, 'Ana');
    expect(await normalizedDatabase(other)).not.toEqual(await normalizedDatabase(one));
  });
});

/** One row of everything. */
async function fill(store: Store, name: string): Promise<void> {
  const id = createIdGenerator(Date.now);
  const organizationId = await readDefaultOrganization(store.sql);
  const connectionId = id();
  await insertRow(store, 'connections', {
    id: connectionId,
    organization_id: organizationId,
    name: 'main',
    kind: 'coexistence',
    history_sync_status: 'syncing',
  });
  const leadId = id();
  await insertRow(store, 'leads', {
    id: leadId,
    organization_id: organizationId,
    phone_number: '+5511987654321',
    push_name: name,
    source: 'live_message',
    first_seen_at: AT,
  });
  for (const [kind, value] of [
    ['wa_id', '5511987654321'],
    ['phone', '+5511987654321'],
  ] as const) {
    await insertRow(store, 'lead_identities', {
      organization_id: organizationId,
      kind,
      value,
      person_id: leadId,
      lead_id: leadId,
      first_seen_at: AT,
    });
  }
  const conversationId = id();
  await insertRow(store, 'conversations', {
    id: conversationId,
    connection_id: connectionId,
    lead_id: leadId,
  });
  const messageId = id();
  await insertRow(store, 'messages', {
    id: messageId,
    connection_id: connectionId,
    external_id: 'wamid.1',
    conversation_id: conversationId,
    lead_id: leadId,
    direction: 'INBOUND',
    type: 'text',
    timestamp: AT,
    source: 'live',
    sync_source: 'webhook',
    is_sync_initial: false,
    evidence: 1,
  });
  await insertRow(store, 'message_revisions', {
    message_id: messageId,
    version: 'original',
    type: 'text',
    at: AT,
  });
  await insertRow(store, 'message_reactions', {
    connection_id: connectionId,
    target_external_id: 'wamid.1',
    reactor: 'customer',
    emoji: '👍',
    at: AT,
  });
  await insertRow(store, 'pending_facts', {
    connection_id: connectionId,
    target_external_id: 'wamid.2',
    kind: 'status',
    fact_key: 'read',
    at: AT,
    payload: {},
  });
  await insertRow(store, 'tickets', {
    id: id(),
    conversation_id: conversationId,
    lead_id: leadId,
    source: 'incoming_message',
    originated_from: 'new_contact',
    opened_at: AT,
  });
  await insertRow(store, 'history_chunks', {
    connection_id: connectionId,
    phase: 0,
    chunk_order: 1,
    messages: 1,
    processed_at: new Date(),
  });
  const webhookLogId = id();
  await insertRow(store, 'webhook_log', {
    id: webhookLogId,
    sha256: '\\x01',
    provider: 'meta',
    raw_body: '\\x02',
    fields: ['messages'],
    phone_number_ids: ['1'],
    chat_ids: ['+5511987654321'],
    status: 'processed',
  });
  await insertRow(store, 'rejects', {
    id: id(),
    run_id: id(),
    webhook_log_id: webhookLogId,
    path: '$',
    subject: 'message',
    reason: 'missing_id',
    excerpt: '',
  });
}
