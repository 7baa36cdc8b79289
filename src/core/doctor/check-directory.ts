import { access, readdir } from 'node:fs/promises';
import type { DoctorCheck } from './result.js';

/**
 * What can be said of an embedded database without opening it, where that is all there is to say: opening would create it,
 * or make a half-made one anew. Null for a database that can be opened.
 */
export async function checkDirectory(directory: string): Promise<DoctorCheck | null> {
  const name = 'database' as const;
  const content = await readdir(directory).catch((error: unknown): string[] => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  if (await exists(`${directory}.new`)) {
    return {
      name,
      status: 'warn',
      message: `${directory} (embedded) was being made when the process was killed`,
      remedy: 'Nothing to do: it was still empty, and the first command that needs it makes it anew.',
    };
  }
  if (content.length === 0) {
    return {
      name,
      status: 'ok',
      message: `${directory} (embedded) does not exist yet; the first command that needs it creates it`,
    };
  }
  if (content.includes('PG_VERSION')) return null;
  return {
    name,
    status: 'fail',
    message: `${directory} is not an embedded database: it holds other files, such as ${content[0] ?? ''}`,
    remedy: 'Give an empty or a new directory with --home.',
  };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
