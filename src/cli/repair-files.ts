import { resolve } from 'node:path';
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
import type { Io } from './io.js';
import { openItemsFile, type ItemsFile } from './items-file.js';

export { redactUrl } from '../commands/compare/repair-files.js';

/** The files of `--repair` or `--prune-duplicates`. */
export interface WrittenFiles<Writer> {
  writer: Writer;
  /** Gives the files their names; where nothing is in them, there is no file. */
  finish: (isNeeded: boolean) => Promise<void>;
  /** Leaves no trace of files that are not finished. */
  discard: () => Promise<void>;
}

/**
 * Opens FILE.sql, FILE.undo.sql and FILE.ids, or FILE.ndjson. Throws ConfigError for another ending, and for what cannot be
 * written.
 */
export async function openRepairFiles(
  target: string,
  crm: CrmName,
  place: Pick<RepairSubject, 'place' | 'from'>,
  io: Io,
): Promise<WrittenFiles<RepairWriter>> {
  const stem = stemOf(target);
  if (stem === undefined && !/\.(?:ndjson|jsonl)$/i.test(target)) {
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
  io: Io,
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

function stemOf(target: string): string | undefined {
  return /^(.+)\.sql$/i.exec(target)?.[1];
}

async function openFiles<Writer extends { end: () => Promise<void> }>(
  flag: string,
  io: Io,
  write: (open: (path: string) => Promise<TextFile>) => Promise<Writer>,
): Promise<WrittenFiles<Writer>> {
  const opened: ItemsFile[] = [];
  const discard = async (): Promise<void> => {
    for (const file of opened) await file.discard();
  };
  try {
    const writer = await write(async (path) => {
      const file = await openItemsFile(flag, path, io);
      opened.push(file);
      return { path, write: (text) => (text === '' ? undefined : file.line(text.replace(/\n$/, ''))) };
    });
    return {
      writer,
      finish: async (isNeeded) => {
        if (!isNeeded) return;
        await writer.end();
        for (const file of opened) await file.finish();
      },
      discard,
    };
  } catch (error) {
    await discard();
    throw error;
  }
}

/** The ids of the messages that a repair put back: what `--repair` wrote beside its SQL. */
export function readRepairedIds(target: string, io: Pick<Io, 'cwd'>): ReadonlySet<string> {
  const path = resolve(io.cwd, target.replace(/\.sql$/i, '.ids'));
  const text = readTextFile(path, '--verify-repair', {
    holds: 'the ids of a repair; --repair FILE.sql writes them to FILE.ids.',
    code: 'repair_ids_unreadable',
  });
  return new Set(text.split('\n').flatMap((line) => line.split('\t')[1] ?? []));
}
