import { expect, test } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { createIdGenerator } from '../../src/store/uuid.js';
import { describeOnBackends } from '../support/databases.js';
import { normalisedDatabase } from '../support/normalised.js';

const AT = new Date('2026-03-01T10:00:00Z');

describeOnBackends('the picture of a database', (backend) => {
  test('is the same for the same content under other ids', async () => {
    const one = await backend.open();
    const other = await backend.open();
    await fill(one, 'Maria');
    await fill(other, 'Maria');
    const picture = await normalisedDatabase(one);
    expect(await normalisedDatabase(other)).toEqual(picture);
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
    expect(await normalisedDatabase(other)).not.toEqual(await normalisedDatabase(one));
  });
});

/** One row of everything. */
async function fill({ prisma }: Store, name: string): Promise<void> {
  const id = createIdGenerator(Date.now);
  const organization = await prisma.organization.findUniqueOrThrow({ where: { slug: 'default' } });
  const organizationId = organization.id;
  const connectionId = id();
  await prisma.connection.create({
    data: {
      id: connectionId,
      organizationId,
      name: 'main',
      kind: 'coexistence',
      historySyncStatus: 'syncing',
    },
  });
  const leadId = id();
  await prisma.lead.create({
    data: {
      id: leadId,
      organizationId,
      phoneNumber: '+5511987654321',
      pushName: name,
      source: 'live_message',
      firstSeenAt: AT,
    },
  });
  for (const [kind, value] of [
    ['wa_id', '5511987654321'],
    ['phone', '+5511987654321'],
  ] as const) {
    await prisma.leadIdentity.create({
      data: { organizationId, kind, value, personId: leadId, leadId, firstSeenAt: AT },
    });
  }
  const conversationId = id();
  await prisma.conversation.create({ data: { id: conversationId, connectionId, leadId } });
  const messageId = id();
  await prisma.message.create({
    data: {
      id: messageId,
      connectionId,
      externalId: 'wamid.1',
      conversationId,
      leadId,
      direction: 'INBOUND',
      type: 'text',
      timestamp: AT,
      source: 'live',
      syncSource: 'webhook',
      isSyncInitial: false,
      evidence: 1,
    },
  });
  await prisma.messageRevision.create({ data: { messageId, version: 'original', type: 'text', at: AT } });
  await prisma.messageReaction.create({
    data: { connectionId, targetExternalId: 'wamid.1', reactor: 'customer', emoji: '👍', at: AT },
  });
  await prisma.pendingFact.create({
    data: { connectionId, targetExternalId: 'wamid.2', kind: 'status', factKey: 'read', at: AT, payload: {} },
  });
  await prisma.ticket.create({
    data: {
      id: id(),
      conversationId,
      leadId,
      source: 'incoming_message',
      originatedFrom: 'new_contact',
      openedAt: AT,
    },
  });
  await prisma.historyChunk.create({
    data: { connectionId, phase: 0, chunkOrder: 1, messages: 1, processedAt: new Date() },
  });
  const webhookLogId = id();
  await prisma.webhookLog.create({
    data: {
      id: webhookLogId,
      sha256: Uint8Array.from([1]),
      provider: 'meta',
      rawBody: Uint8Array.from([2]),
      fields: ['messages'],
      phoneNumberIds: ['1'],
      chatIds: ['+5511987654321'],
      status: 'processed',
    },
  });
  await prisma.reject.create({
    data: {
      id: id(),
      runId: id(),
      webhookLogId,
      path: '$',
      subject: 'message',
      reason: 'missing_id',
      excerpt: '',
    },
  });
}
