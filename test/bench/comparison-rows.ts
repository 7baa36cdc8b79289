import { Prisma, type Message, type PrismaClient } from './generated/client.js';

/** A message as Prisma's `create` takes it: the same row that the replay stored. */
export type MessageInput = Prisma.MessageCreateManyInput;

/** The messages that a replay stored, in pages of `size`. */
export async function* readMessagePages(prisma: PrismaClient, size: number): AsyncGenerator<MessageInput[]> {
  let last: string | undefined;
  for (;;) {
    const page = await prisma.message.findMany({
      take: size,
      orderBy: { id: 'asc' },
      ...(last === undefined ? {} : { where: { id: { gt: last } } }),
    });
    if (page.length === 0) return;
    last = page.at(-1)?.id;
    yield page.map(inputOf);
  }
}

function inputOf(row: Message): MessageInput {
  return {
    ...row,
    media: row.media ?? Prisma.DbNull,
    rawMeta: row.rawMeta ?? Prisma.DbNull,
    errors: row.errors ?? Prisma.DbNull,
  };
}
