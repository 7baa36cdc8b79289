import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from '../../src/store/store.js';
import type { PrismaClient } from './generated/client.js';
import { dumpMessages, messageColumns } from './copy-text.js';
import type { Measured } from './measured.js';
import { measureCreateMany, measureOneByOne } from './prisma-paths.js';
import { measureCompare } from './measure-compare.js';
import { measureDedupe, type DedupeFigures } from './measure-dedupe.js';
import { replayOnce, verifyOnce, type MeasuredReplay, type MeasuredVerify } from './run-binary.js';
import { closing, type PrismaSide, type Target } from './target.js';
import { OWN_SCHEMA } from '../../src/store/own-schema.js';

/** `verify` and `compare` of the same messages in one run. */
export interface ComparisonFigures {
  title: string;
  conditions: string;
  verify: MeasuredVerify;
  /** Null where there is no server for the CRM. */
  compare: MeasuredVerify | null;
}

export interface TargetFigures extends ComparisonFigures {
  /** Null where there are no round trips to compare. */
  comparison: { createMany: Measured; oneByOne: Measured } | null;
  /** A rehearsal on the empty database. */
  dryRun: MeasuredReplay;
  first: MeasuredReplay;
  second: MeasuredReplay;
  floor: Measured;
  dedupe: DedupeFigures;
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
  // The rows that it rolled back are not the replay's, and count in no size.
  await closing(target.open(), ({ sql }) => sql.execute('vacuum full'));
  const first = await replayAll(target, plan);
  const bytesPerMessage = (await closing(target.open(), storedBytes)) / messages;
  const directoryBytes = await target.directoryBytes();
  say(`${title}: replay again`);
  const second = await replayOnce(log, messages, where);

  const copyFile = join(directory, 'messages.copy');
  const columns = await closing(target.open(), async (store) => {
    await dumpMessages(store, copyFile);
    return messageColumns(store);
  });
  say(`${title}: staged COPY`);
  const floor = { messages, milliseconds: await target.measureFloor(copyFile, columns) };
  await rm(copyFile);

  const comparison = target.prisma === null ? null : await compare(target.prisma, plan, title);
  // Last: these leave the database damaged.
  const compared = await verifyAndCompare(target, plan);
  say(`${title}: verify without the unique index`);
  await closing(target.open(), ({ sql }) => sql.execute('drop index messages_connection_id_external_id_key'));
  const verifyWithoutIndex = await verifyOnce([], where);
  const dedupe = await measureDedupe(target, { directory, sample: Math.min(sample, messages), say });
  return {
    ...compared,
    dedupe,
    verifyWithoutIndex,
    dryRun,
    comparison,
    first,
    second,
    floor,
    bytesPerMessage,
    directoryBytesPerMessage: directoryBytes === null ? null : directoryBytes / messages,
  };
}

/** Measures `compare` alone, against `verify`. */
export async function measureComparison(target: Target, plan: Plan): Promise<ComparisonFigures> {
  await replayAll(target, plan);
  return verifyAndCompare(target, plan);
}

async function replayAll(
  { title, env }: Target,
  { log, messages, directory, say }: Plan,
): Promise<MeasuredReplay> {
  say(`${title}: replay`);
  const replayed = await replayOnce(log, messages, { env, directory });
  if (replayed.created !== messages)
    throw new Error(`${replayed.created} rows came of ${messages} messages: the log or the replay is wrong`);
  return replayed;
}

async function verifyAndCompare(target: Target, { directory, say }: Plan): Promise<ComparisonFigures> {
  const { title, conditions } = target;
  const where = { env: target.env, directory };
  say(`${title}: verify`);
  const verify = await verifyOnce([], where);
  const crm = target.openCrm();
  if (crm === null) return { title, conditions, verify, compare: null };
  say(`${title}: compare with a CRM`);
  const compare = await closing(target.open(), async (store) => measureCompare(store, await crm, where));
  return { title, conditions, verify, compare };
}

/** How a program without this tool stores the same messages. */
async function compare(
  side: PrismaSide,
  { messages, sample, say }: Plan,
  title: string,
): Promise<{ createMany: Measured; oneByOne: Measured }> {
  const measure = async (
    emptied: readonly string[],
    way: (from: PrismaClient, into: PrismaClient) => Promise<Measured>,
  ): Promise<Measured> => {
    // The copy comes first: a database that is open cannot be copied.
    const into = await side.openCopy(emptied);
    const from = side.open();
    try {
      return await way(from, into);
    } finally {
      await Promise.all([from.$disconnect(), into.$disconnect()]);
    }
  };
  say(`${title}: createMany`);
  const createMany = await measure(['messages'], measureCreateMany);
  say(`${title}: one by one`);
  const oneByOne = await measure(['leads', 'conversations', 'messages'], (from, into) =>
    measureOneByOne(from, into, Math.min(sample, messages)),
  );
  return { createMany, oneByOne };
}

/** All tables with their indexes, the raw log included. */
export async function storedBytes(store: Store): Promise<number> {
  const [row] = await store.sql.query(
    `select sum(pg_total_relation_size(oid))::float8 as bytes from pg_class
     where relkind = 'r' and relnamespace = ${OWN_SCHEMA}`,
  );
  return Number(row?.bytes);
}
