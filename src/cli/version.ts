import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { peek, readGlobalFlags } from './flags/global.js';
import { givenFlags } from './flags/table.js';
import type { Io } from './io.js';
import { buildProgram } from './program.js';

/** `wa-reconcile 0.1.0`, or under `--json` the versions of everything that a report of a bug needs. */
export async function describeVersion(argv: readonly string[], io: Io): Promise<string> {
  const version = packageVersion();
  if (!peek(argv).json) return `wa-reconcile ${version}\n`;
  const [{ newestMigration }, { chooseDatabase }, { readEnvironment }] = await Promise.all([
    import('../commands/database.js'),
    import('./choose-database.js'),
    import('./environment.js'),
  ]);
  const environment = readEnvironment(io);
  const program = buildProgram();
  program.parseOptions([...argv]);
  const settings = readGlobalFlags({ given: givenFlags(program), environment, io });
  const { config } = chooseDatabase(settings, environment, io);
  const report = {
    schemaVersion: 1,
    name: 'wa-reconcile',
    version,
    node: process.versions.node,
    schema: await newestMigration(),
    backend: config.kind,
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** From the package's own package.json: beside `src` in the sources, above `dist` when built. */
export function packageVersion(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  for (let directory = here; directory !== dirname(directory); directory = dirname(directory)) {
    const version = versionIn(join(directory, 'package.json'));
    if (version !== undefined) return version;
  }
  throw new Error('package.json is missing from the installed package');
}

function versionIn(path: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  if (!('name' in parsed) || parsed.name !== 'wa-reconcile') return undefined;
  return 'version' in parsed && typeof parsed.version === 'string' ? parsed.version : undefined;
}
