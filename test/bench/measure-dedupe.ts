import type { PrismaClient } from './generated/client.js';
import { insertDoubles } from './doubles.js';
import type { Measured } from './measured.js';
import { dedupeOnce, type MeasuredDedupe } from './run-binary.js';
import { closing, type Target } from './target.js';

const UNIQUE_INDEX =
  'create unique index messages_connection_id_external_id_key on messages (connection_id, external_id)';

export interface DedupeFigures {
  plan: MeasuredDedupe;
  apply: MeasuredDedupe;
  /** How it used to be done: for each message, look whether there is another of its id. Null without Prisma's client. */
  findFirst: Measured | null;
}

/**
 * Stores a tenth of the target's messages twice, without the unique index, and measures how long finding and merging them
 * takes. Makes the index again: a backup without it is a doubtful one.
 */
export async function measureDedupe(
  target: Target,
  where: { directory: string; sample: number; say: (line: string) => void },
): Promise<DedupeFigures> {
  const { sample, directory, say } = where;
  const store = await target.open();
  const copies = await insertDoubles(store);
  let findFirst: Measured | null = null;
  if (target.prisma !== null) {
    // To be fair: without any index each look-up would read the whole table.
    await store.sql.execute('create index bench_external_id on messages (connection_id, external_id)');
    say(`${target.title}: one findFirst per message`);
    const prisma = target.prisma.open();
    findFirst = await measureFindFirst(prisma, sample).finally(() => prisma.$disconnect());
    await store.sql.execute('drop index bench_external_id');
  }
  await store.close();
  say(`${target.title}: dedupe`);
  const plan = await dedupeOnce([], { env: target.env, directory });
  say(`${target.title}: dedupe --apply`);
  const apply = await dedupeOnce(['--apply', '--force'], { env: target.env, directory });
  if (plan.rows !== copies || apply.rows !== copies) {
    throw new Error(`of ${copies} doubles the plan found ${plan.rows}, and ${apply.rows} were merged`);
  }
  await closing(target.open(), ({ sql }) => sql.execute(UNIQUE_INDEX));
  return { plan, apply, findFirst };
}

async function measureFindFirst(prisma: PrismaClient, sample: number): Promise<Measured> {
  const messages = await prisma.message.findMany({
    take: sample,
    where: { externalId: { not: null } },
    select: { id: true, connectionId: true, externalId: true },
  });
  const started = performance.now();
  for (const { id, connectionId, externalId } of messages) {
    await prisma.message.findFirst({ where: { connectionId, externalId, id: { not: id } } });
  }
  return { messages: messages.length, milliseconds: performance.now() - started };
}
