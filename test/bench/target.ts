import type { Store } from '../../src/store/store.js';
import type { PrismaClient } from './generated/client.js';

/** A database engine to measure on. */
export interface Target {
  title: string;
  /** Settings that weigh on the figures, for the reader. */
  conditions: string;
  /** Tells the binary which database to use. */
  env: Record<string, string>;
  /** The database that is replayed into. */
  open(): Promise<Store>;
  /** A copy of it with the named tables (and what refers to them) emptied; closed by the caller. */
  openCopy(emptied: readonly string[]): Promise<Store>;
  /** The same through Prisma's typed client; null where there are no round trips to compare. */
  prisma: PrismaSide | null;
  /** A copy without messages, and the time in ms that storing a COPY file in it takes: staged, then one upsert. */
  measureFloor(copyFile: string, columns: readonly string[]): Promise<number>;
  /** An empty database for a CRM on the same server; null where there is no server. */
  openCrm(): Promise<string> | null;
  /** Bytes on disk of the whole database directory, where it has one of its own. */
  directoryBytes(): Promise<number | null>;
  close(): Promise<void>;
}

/** Prisma's typed client on a target; whoever opens one disconnects it. */
export interface PrismaSide {
  open(): PrismaClient;
  /** On a copy with the named tables (and what refers to them) emptied. */
  openCopy(emptied: readonly string[]): Promise<PrismaClient>;
}

/** One statement moves the staged rows; every column but the key is taken over when the message is known. */
export function upsertStaged(columns: readonly string[]): string {
  const key = ['connection_id', 'external_id'];
  const changing = columns.filter((column) => column !== 'id' && !key.includes(column));
  return `insert into messages (${columns.join(', ')}) select ${columns.join(', ')} from staged
    on conflict (${key.join(', ')}) do update set
    ${changing.map((column) => `${column} = excluded.${column}`).join(', ')}`;
}

export const CREATE_STAGED = 'create temporary table staged (like messages)';

/** Does some work with what is being opened, and closes it. */
export async function closing<R extends { close(): Promise<void> }, T>(
  opening: Promise<R>,
  work: (opened: R) => Promise<T>,
): Promise<T> {
  const opened = await opening;
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}
