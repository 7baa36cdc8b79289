import type { Prisma } from '../generated/client.js';

type Factory = Extract<Prisma.PrismaClientOptions, { adapter: unknown }>['adapter'];
type Adapter = Awaited<ReturnType<Factory['connect']>>;
type Transaction = Awaited<ReturnType<Adapter['startTransaction']>>;

const statement = (sql: string): Parameters<Transaction['executeRaw']>[0] => ({
  sql,
  args: [],
  argTypes: [],
});

/**
 * Prisma's adapter with every statement in a transaction that begins with `settings`: on a pooler a setting lasts no longer,
 * and the adapter relies on the session's time zone.
 */
export function inTransactions(factory: Factory, settings: string): Factory {
  return {
    provider: factory.provider,
    adapterName: factory.adapterName,
    connect: async () => wrap(await factory.connect(), settings),
  };
}

function wrap(adapter: Adapter, settings: string): Adapter {
  const startTransaction: Adapter['startTransaction'] = async (isolation) => {
    const tx = await adapter.startTransaction(isolation);
    try {
      await tx.executeRaw(statement(settings));
      return tx;
    } catch (error) {
      await end(tx, 'ROLLBACK');
      throw error;
    }
  };

  async function inOne<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const tx = await startTransaction();
    try {
      const result = await work(tx);
      await tx.executeRaw(statement('COMMIT'));
      await tx.commit();
      return result;
    } catch (error) {
      await end(tx, 'ROLLBACK');
      throw error;
    }
  }

  // Not a copy of the adapter: its methods stand on its prototype.
  const wrapped: Adapter = {
    provider: adapter.provider,
    adapterName: adapter.adapterName,
    startTransaction,
    queryRaw: (query) => inOne((tx) => tx.queryRaw(query)),
    executeRaw: (query) => inOne((tx) => tx.executeRaw(query)),
    executeScript: (script) => adapter.executeScript(script),
    dispose: () => adapter.dispose(),
    ...(adapter.getConnectionInfo === undefined
      ? {}
      : { getConnectionInfo: adapter.getConnectionInfo.bind(adapter) }),
  };
  return wrapped;
}

/** The adapter leaves it to its caller to say how the transaction ends; it gives the connection back. */
async function end(tx: Transaction, how: 'ROLLBACK'): Promise<void> {
  await tx.executeRaw(statement(how)).catch(() => undefined);
  await tx.rollback();
}
