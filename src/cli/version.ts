import { packageVersion } from '../commands/package-version.js';
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
