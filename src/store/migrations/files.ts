import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One directory of prisma/migrations. */
export interface MigrationFile {
  /** The directory's name: what `_prisma_migrations.migration_name` holds, and the order to apply in. */
  name: string;
  script: string;
  /** SHA-256 of the file, in hex, as Prisma computes it. */
  checksum: string;
}

/** Every migration that this version of the tool knows, in the order to apply. */
export async function readMigrations(directory = findDirectory()): Promise<MigrationFile[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const bytes = await readFile(join(directory, name, 'migration.sql'));
      return { name, script: bytes.toString('utf8'), checksum: checksumOf(bytes) };
    }),
  );
}

/** SHA-256 in hex. */
export function checksumOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** `prisma/migrations` stands at the package's root: three levels up from the source, four from `dist/src`. */
function findDirectory(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  for (let parent = here; parent !== dirname(parent); parent = dirname(parent)) {
    const candidate = join(parent, 'prisma', 'migrations');
    if (existsSync(join(candidate, 'migration_lock.toml'))) return candidate;
  }
  throw new Error(`prisma/migrations is missing from the installed package (looked upwards from ${here})`);
}
