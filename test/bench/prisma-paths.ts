import type { PrismaClient } from './generated/client.js';
import { readMessagePages, type MessageInput } from './comparison-rows.js';
import type { Measured } from './measured.js';

const BATCH = 1000;

/** Prisma's `createMany` in batches of 1000; leads and conversations are there already. */
export async function measureCreateMany(from: PrismaClient, into: PrismaClient): Promise<Measured> {
  let milliseconds = 0;
  let messages = 0;
  for await (const page of readMessagePages(from, BATCH)) {
    const started = performance.now();
    await into.message.createMany({ data: page, skipDuplicates: true });
    milliseconds += performance.now() - started;
    messages += page.length;
  }
  return { messages, milliseconds };
}

/** Every message for itself, as a CRM's webhook handler does it: look it up, then upsert lead, conversation and message. */
export async function measureOneByOne(
  from: PrismaClient,
  into: PrismaClient,
  sample: number,
): Promise<Measured> {
  let milliseconds = 0;
  let messages = 0;
  for await (const page of readMessagePages(from, BATCH)) {
    const people = await readPeople(from, page);
    for (const message of page.slice(0, sample - messages)) {
      const started = performance.now();
      await storeOne(into, message, people);
      milliseconds += performance.now() - started;
      messages += 1;
    }
    if (messages >= sample) break;
  }
  return { messages, milliseconds };
}

type People = Awaited<ReturnType<typeof readPeople>>;

async function readPeople(prisma: PrismaClient, page: readonly MessageInput[]) {
  const leads = await prisma.lead.findMany({ where: { id: { in: page.map((row) => row.leadId) } } });
  const conversations = await prisma.conversation.findMany({
    where: { id: { in: page.map((row) => row.conversationId) } },
  });
  return {
    leads: new Map(leads.map((lead) => [lead.id, lead])),
    conversations: new Map(conversations.map((conversation) => [conversation.id, conversation])),
  };
}

async function storeOne(prisma: PrismaClient, message: MessageInput, people: People): Promise<void> {
  const lead = people.leads.get(message.leadId);
  const conversation = people.conversations.get(message.conversationId);
  const { connectionId, externalId } = message;
  if (lead === undefined || conversation === undefined || typeof externalId !== 'string') {
    throw new Error(`message ${message.id} lacks its lead, conversation or id`);
  }
  const key = { connectionId_externalId: { connectionId, externalId } };
  await prisma.message.findUnique({ where: key });
  await prisma.lead.upsert({
    where: { id: lead.id },
    create: lead,
    update: { lastMessageAt: message.timestamp },
  });
  await prisma.conversation.upsert({
    where: { leadId_connectionId: { leadId: lead.id, connectionId } },
    create: conversation,
    update: { lastMessageAt: message.timestamp },
  });
  await prisma.message.upsert({
    where: key,
    create: message,
    update: { body: message.body ?? null, status: message.status ?? null },
  });
}
