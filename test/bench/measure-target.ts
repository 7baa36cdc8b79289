import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PrismaClient } from '../../src/store/generated/client.js';
import type { Store } from '../../src/store/store.js';
import { dumpMessages, messageColumns } from './copy-text.js';
import type { Measured } from './measured.js';
import { measureCreateMany, measureOneByOne } from './prisma-paths.js';
import { measureDedupe, type DedupeFigures } from './measure-dedupe.js';
import { replayOnce, verifyOnce, type MeasuredReplay, type MeasuredVerify } from './run-binary.js';
import type { Target } from './target.js';

export interface TargetFigures {
  title: string;
  conditions: string;
  oneByOne: Measured;
  createMany: Measured;
  /** A rehearsal on the empty database. */
  dryRun: MeasuredReplay;
  first: MeasuredReplay;
  second: MeasuredReplay;
  floor: Measured;
  dedupe: DedupeFigures;
  verify: MeasuredVerify;
  verifyWithoutIndex: MeasuredVerify;
  /** All tables with their indexes, the raw log included, per message. */
  bytesPerMessage: number;
  /** The database directory, per message; null where it is shared. */
  directoryBytesPerMessage: number | null;
}

export interface Plan {
  log: string;
  messages: number;
  /** Messages that the one-by-one path stores. */
  sample: number;
  /** For files that may go afterwards. */
  directory: string;
  say: (line: string) => void;
}

/** Measures every way of storing the same messages, on one database engine, one after the other. */
export async function measureTarget(target: Target, plan: Plan): Promise<TargetFigures> {
  const { title } = target;
  const { log, messages, sample, directory, say } = plan;
  const where = { env: target.env, directory };
  say(`${title}: replay --dry-run`);
  const dryRun = await replayOnce(log, messages, where, ['--dry-run']);
  say(`${title}: replay`);
  const first = await replayOnce(log, messages, where);
  if (first.created !== messages) {
    throw new Error(`${first.created} rows came of ${messages} messages: the log or the replay is wrong`);
  }
  const bytesPerMessage = (await inStore(target.open(), storedBytes)) / messages;
  const directoryBytes = await target.directoryBytes();
  say(`${title}: replay again`);
  const second = await replayOnce(log, messages, where);

  const copyFile = join(directory, 'messages.copy');
  const columns = await inStore(target.open(), async (store) => {
    await dumpMessages(store, copyFile);
    return messageColumns(store);
  });
  say(`${title}: staged COPY`);
  const floor = { messages, milliseconds: await target.measureFloor(copyFile, columns) };
  await rm(copyFile);

  say(`${title}: createMany`);
  const createMany = await compare(target, ['messages'], (from, into) => measureCreateMany(from, into));
  say(`${title}: one by one`);
  const oneByOne = await compare(target, ['leads', 'conversations', 'messages'], (from, into) =>
    measureOneByOne(from, into, Math.min(sample, messages)),
  );
  // Last: these leave the database damaged.
  say(`${title}: verify, with and without the unique index`);
  const verify = await verifyOnce([], where);
  await inStore(target.open(), ({ sql }) => sql.execute('drop index messages_connection_id_external_id_key'));
  const verifyWithoutIndex = await verifyOnce([], where);
  const dedupe = await measureDedupe(target, { directory, sample: Math.min(sample, messages), say });
  return {
    title,
    dedupe,
    verify,
    verifyWithoutIndex,
    dryRun,
    conditions: target.conditions,
    oneByOne,
    createMany,
    first,
    second,
    floor,
    bytesPerMessage,
    directoryBytesPerMessage: directoryBytes === null ? null : directoryBytes / messages,
  };
}

/** The copy comes first: a database that is open cannot be copied. */
function compare(
  target: Target,
  emptied: readonly string[],
  way: (from: PrismaClient, into: PrismaClient) => Promise<Measured>,
): Promise<Measured> {
  return inStore(target.openCopy(emptied), (copy) =>
    inStore(target.open(), (store) => way(store.prisma, copy.prisma)),
  );
}

async function storedBytes(store: Store): Promise<number> {
  const [row] = await store.sql.query(
    `select sum(pg_total_relation_size(oid))::float8 as bytes from pg_class
     where relkind = 'r' and relnamespace = current_schema()::regnamespace`,
  );
  return Number(row?.bytes);
}

async function inStore<T>(opening: Promise<Store>, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await opening;
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
