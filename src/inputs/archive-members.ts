import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DamagedInputError } from './decompress.js';
import type { ArchiveBytes } from './open-text.js';
import { readTar, type TarMember } from './tar-archive.js';
import { listZip, readZipMember, whyUnreadable } from './zip-archive.js';

/** A file of an archive, whatever its kind. */
export type ArchiveMember = TarMember;

/** An archive of compressed logs that is larger is none, but a bomb. */
const LARGEST_COPY = 1024 * 1024 * 1024;

/** The files of an archive, one after the other; each can be read until the next one is asked for. Throws DamagedInputError. */
export function membersOf(
  archive: ArchiveBytes,
  options: { chunkBytes: number; signal?: AbortSignal | undefined; onDisk?: string | undefined },
): AsyncGenerator<ArchiveMember, void, undefined> {
  return archive.kind === 'tar' ? readTar(archive.chunks) : membersOfZip(archive, options);
}

/**
 * The directory of a zip archive is at its end, so one that no file of its own holds is copied to the temporary directory while it
 * is read, where only this user may read it. `onDisk`: the file that it is.
 */
async function* membersOfZip(
  archive: ArchiveBytes,
  options: { chunkBytes: number; signal?: AbortSignal | undefined; onDisk?: string | undefined },
): AsyncGenerator<ArchiveMember, void, undefined> {
  const { chunkBytes, signal, onDisk } = options;
  const directory = onDisk === undefined ? await mkdtemp(path.join(tmpdir(), 'wa-reconcile-')) : undefined;
  const file = onDisk ?? path.join(directory ?? '', 'archive');
  try {
    if (onDisk === undefined) {
      const copy = createWriteStream(file, { mode: 0o600 });
      await pipeline(Readable.from(upTo(LARGEST_COPY, archive.chunks)), copy);
    } else {
      await archive.close();
    }
    for (const member of (await listZip(file)) ?? []) {
      const { name, bytes } = member;
      const unread = whyUnreadable(member);
      yield {
        name,
        bytes,
        kind: name.endsWith('/') ? 'directory' : 'file',
        content: readZipMember(file, member, { chunkBytes, signal, onRead: () => undefined }),
        ...(unread === undefined ? {} : { unread }),
      };
    }
  } finally {
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  }
}

async function* upTo(most: number, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > most)
      throw new DamagedInputError('the archive in it is too large to be unpacked here', false);
    yield chunk;
  }
}
