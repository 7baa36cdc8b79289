import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import type { Io } from './io.js';
import { findPlace, temporaryBeside, writeAll, writeFailed } from './output.js';

/** A list that is too long for memory, written as it comes. */
export interface ItemsFile {
  /** Adds a line; waits where the disk is slower than the work. */
  line: (text: string) => Promise<void> | void;
  /** Gives the file its name: a reader sees the whole list or the one before. */
  finish: () => Promise<void>;
  /** Leaves no trace; for a list that is not whole. Harmless after `finish`. */
  discard: () => Promise<void>;
}

/** Lines are collected to this many characters: one write per line would be most of the work. */
const BUFFER = 64 * 1024;

/**
 * Opens the list that `flag` names; `-` is stdout. Throws ConfigError where it cannot be written, and UserError later where the
 * disk is full.
 */
export async function openItemsFile(
  flag: string,
  target: string,
  io: Pick<Io, 'cwd' | 'stdout'>,
  {
    isPrivate = false,
  }: {
    /** Nobody else may read it, and it has its name only once it is on the disk. */ isPrivate?: boolean;
  } = {},
): Promise<ItemsFile> {
  if (target === '-') {
    return buffered({
      write: (text) => writeAll(io.stdout, text),
      finish: () => Promise.resolve(),
      discard: () => Promise.resolve(),
    });
  }
  const { file, isDevice } = await findPlace(flag, target, io);
  const written = isDevice ? file : temporaryBeside(file);
  const handle = await open(written, isDevice ? 'w' : 'wx', isPrivate ? 0o600 : undefined).catch(
    (error: unknown) => {
      throw writeFailed(file, error);
    },
  );
  let isOpen = true;
  async function close(): Promise<void> {
    if (isOpen) await handle.close();
    isOpen = false;
  }
  return buffered({
    write: (text) => writeTo(handle, text, file),
    finish: async () => {
      if (isPrivate && !isDevice) {
        await handle.sync().catch((error: unknown) => {
          throw writeFailed(file, error);
        });
      }
      await close();
      if (!isDevice) {
        await rename(written, file).catch((error: unknown) => {
          throw writeFailed(file, error);
        });
      }
    },
    discard: async () => {
      const isUnfinished = isOpen;
      await close();
      if (isUnfinished && !isDevice) await rm(written, { force: true });
    },
  });
}

interface Sink {
  write: (text: string) => Promise<void>;
  finish: () => Promise<void>;
  discard: () => Promise<void>;
}

function buffered(sink: Sink): ItemsFile {
  let waiting = '';
  async function flush(): Promise<void> {
    const text = waiting;
    waiting = '';
    if (text !== '') await sink.write(text);
  }
  return {
    line: (text) => {
      waiting += `${text}\n`;
      return waiting.length < BUFFER ? undefined : flush();
    },
    finish: async () => {
      await flush();
      await sink.finish();
    },
    discard: () => sink.discard(),
  };
}

async function writeTo(handle: FileHandle, text: string, file: string): Promise<void> {
  try {
    await handle.writeFile(text);
  } catch (error) {
    throw writeFailed(file, error);
  }
}
