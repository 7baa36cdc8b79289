import { lstat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import {
  writePrune,
  writeRepair,
  type PruneWriter,
  type RepairSubject,
  type RepairWriter,
  type TextFile,
} from '../commands/compare/repair-files.js';
import type { CrmName } from '../commands/compare/types.js';
import { ConfigError } from '../model/errors.js';
import { readTextFile } from './environment.js';
import { contradiction } from './flags/table.js';
import type { Io } from './io.js';
import { openItemsFile, type ItemsFile } from './items-file.js';

export { redactUrl, takesSql } from '../commands/compare/repair-files.js';

type Place = Pick<Io, 'cwd' | 'stdout' | 'clock'>;

/** The files of `--repair` or `--prune-duplicates`. */
export interface WrittenFiles<Writer> {
  writer: Writer;
  /** Gives the files their names; where nothing is in them, there is no file. */
  finish: (isNeeded: boolean) => Promise<void>;
  /** Leaves no trace of files that are not finished. */
  discard: () => Promise<void>;
}

/** The files that `--repair` and `--prune-duplicates` name. */
export interface NamedFiles {
  repair?: string | undefined;
  pruneDuplicates?: string | undefined;
  /** Files that other flags name. */
  others: readonly (string | undefined)[];
}

/**
 * Checks, before anything is read, whether a file would be overwritten: only the undo file and ids of an executed
 * repair can revert it. Throws ConfigError, with a name that is free.
 */
export async function rejectTakenFiles(
  { repair, pruneDuplicates, others }: NamedFiles,
  io: Pick<Io, 'cwd'>,
): Promise<void> {
  const named = [
    { flag: '--repair', target: repair, endings: REPAIR_ENDINGS },
    { flag: '--prune-duplicates', target: pruneDuplicates, endings: PRUNE_ENDINGS },
  ].flatMap(({ flag, target, endings }) =>
    target === undefined ? [] : [{ flag, target, files: filesOf(target, endings), endings }],
  );
  const elsewhere = others.flatMap((file) => (file === undefined || file === '-' ? [] : file));
  const places = [...named.flatMap(({ files }) => files), ...elsewhere].map((file) => resolve(io.cwd, file));
  const [first] = named;
  if (first !== undefined && new Set(places).size < places.length) {
    throw contradiction(
      `${first.flag} ${first.target}: another flag names one of its files.`,
      'Give each its own name.',
    );
  }
  for (const { flag, target, files, endings } of named) {
    const taken = await firstThere(files, io);
    if (taken !== undefined) throw isTaken(flag, taken, await freeName(target, endings, io));
  }
}

function isTaken(flag: string, taken: string, free: string): ConfigError {
  return new ConfigError(
    `${flag}: ${taken} is there already, and may be what takes a repair back: nothing overwrites it.`,
    { code: 'repair_exists', remedy: `Name another file: ${flag} ${free}` },
  );
}

const REPAIR_ENDINGS = ['.sql', '.undo.sql', '.ids'];
const PRUNE_ENDINGS = ['.sql', '.undo.sql'];

/** FILE.sql with what is written beside it, or the one file of data; of another ending nothing is written. */
function filesOf(target: string, endings: readonly string[]): string[] {
  const stem = stemOf(target);
  if (stem === undefined) return isData(target) ? [target] : [];
  return [target, ...endings.slice(1).map((ending) => `${stem}${ending}`)];
}

async function firstThere(files: readonly string[], { cwd }: Pick<Io, 'cwd'>): Promise<string | undefined> {
  for (const file of files) {
    // A device such as /dev/null has nothing to lose; a link belongs to a user.
    const there = await lstat(resolve(cwd, file)).catch(() => undefined);
    if (there?.isFile() === true || there?.isSymbolicLink() === true) return file;
  }
  return undefined;
}

/** `lost-2.sql`, or the first such name of which no file is there. */
async function freeName(target: string, endings: readonly string[], io: Pick<Io, 'cwd'>): Promise<string> {
  const [, stem = target, ending = ''] = /^(.+?)(\.[^.]+)$/.exec(target) ?? [];
  for (let number = 2; ; number += 1) {
    const name = `${stem}-${number}${ending}`;
    if ((await firstThere(filesOf(name, endings), io)) === undefined) return name;
  }
}

/**
 * Opens FILE.sql, FILE.undo.sql and FILE.ids, or FILE.ndjson. Throws ConfigError for another ending, and for what cannot be
 * written.
 */
export async function openRepairFiles(
  target: string,
  crm: CrmName,
  place: Pick<RepairSubject, 'place' | 'from'>,
  io: Place,
): Promise<WrittenFiles<RepairWriter>> {
  const stem = stemOf(target);
  if (stem === undefined && !isData(target)) {
    throw new ConfigError(`--repair ${target}: the ending says the form.`, {
      code: 'usage',
      remedy: 'Name a file that ends in .sql, or in .ndjson for the messages as data.',
    });
  }
  return openFiles('--repair', io, async (open) =>
    writeRepair(
      crm,
      stem === undefined
        ? { kind: 'ndjson', data: await open(target) }
        : {
            kind: 'sql',
            script: await open(target),
            undo: await open(`${stem}.undo.sql`),
            ids: await open(`${stem}.ids`),
          },
      { ...place, now: io.clock() },
    ),
  );
}

/** Opens FILE.sql and FILE.undo.sql. Throws ConfigError for another ending, and for what cannot be written. */
export async function openPruneFiles(
  target: string,
  crm: CrmName,
  place: Pick<RepairSubject, 'place' | 'from'>,
  io: Place,
): Promise<WrittenFiles<PruneWriter>> {
  const stem = stemOf(target);
  if (stem === undefined) {
    throw new ConfigError(`--prune-duplicates ${target}: this is written as SQL.`, {
      code: 'usage',
      remedy: 'Name a file that ends in .sql.',
    });
  }
  return openFiles('--prune-duplicates', io, async (open) =>
    writePrune(
      crm,
      { script: await open(target), undo: await open(`${stem}.undo.sql`) },
      { ...place, now: io.clock() },
    ),
  );
}

function isData(target: string): boolean {
  return /\.(?:ndjson|jsonl)$/i.test(target);
}

/** The name of a file of SQL without its ending: beside it are its undo file and its ids. */
export function stemOf(target: string): string | undefined {
  return /^(.+)\.sql$/i.exec(target)?.[1];
}

async function openFiles<Writer extends { end: () => Promise<void> }>(
  flag: string,
  io: Place,
  write: (open: (path: string) => Promise<TextFile>) => Promise<Writer>,
): Promise<WrittenFiles<Writer>> {
  const opened: ItemsFile[] = [];
  const paths: string[] = [];
  const discard = async (): Promise<void> => {
    for (const file of opened) await file.discard();
  };
  try {
    const writer = await write(async (path) => {
      const file = await openItemsFile(flag, path, io);
      opened.push(file);
      paths.push(path);
      return { path, write: (text) => (text === '' ? undefined : file.line(text.replace(/\n$/, ''))) };
    });
    return {
      writer,
      finish: async (isNeeded) => {
        if (!isNeeded) return;
        await writer.end();
        // Another comparison may have written them meanwhile.
        const [target = ''] = paths;
        const taken = await firstThere(paths, io);
        if (taken !== undefined) throw isTaken(flag, taken, await freeName(target, REPAIR_ENDINGS, io));
        for (const file of opened) await file.finish();
      },
      discard,
    };
  } catch (error) {
    await discard();
    throw error;
  }
}

const datum = z.object({ externalId: z.string() });

/**
 * The ids of the messages that a repair put back: what `--repair` wrote beside its SQL, or as data. Throws ConfigError for
 * a file that holds none.
 */
export function readRepairedIds(target: string, io: Pick<Io, 'cwd'>): ReadonlySet<string> {
  const path = resolve(io.cwd, target.replace(/\.sql$/i, '.ids'));
  const code = 'repair_ids_unreadable';
  const text = readTextFile(path, '--verify-repair', {
    holds: 'the ids of a repair; --repair FILE.sql writes them to FILE.ids.',
    code,
  });
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const ids = lines.flatMap((line) => (isData(target) ? idOfData(line) : line.split('\t')[1]) ?? []);
  if (ids.length === 0 || ids.length < lines.length) {
    throw new ConfigError(`--verify-repair ${target}: this file is no repair.`, {
      code,
      remedy: 'Name the FILE.sql or FILE.ndjson that --repair wrote.',
    });
  }
  return new Set(ids);
}

function idOfData(line: string): string | undefined {
  try {
    const parsed = datum.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data.externalId : undefined;
  } catch {
    return undefined;
  }
}
