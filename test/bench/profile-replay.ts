/**
 * Where the time of a replay goes: `node dist-bench/test/bench/profile-replay.js LOG TARGET [--dry-run]`. Prints what each
 * statement took. With node's `--cpu-prof`, `summarize-profile.js` tells the rest. The target is migrated if need be;
 * anything but a postgresql:// URL is a directory of the embedded database.
 */
import { hostname } from 'node:os';
import { Readable } from 'node:stream';
import { pino } from 'pino';
import { replay } from '../../src/commands/replay/replay.js';
import { resolveInputs } from '../../src/inputs/resolve-inputs.js';
import { openStore, type DatabaseConfig } from '../../src/store/open-store.js';
import { migrate } from '../../src/store/migrations/migrate.js';
import { timeStatements } from './statement-times.js';

const [log = '', target = '', mode = ''] = process.argv.slice(2);
const config: DatabaseConfig = target.startsWith('postgres')
  ? { kind: 'postgresql', url: target }
  : { kind: 'pglite', directory: target };
const store = await openStore(config, { command: 'profile', host: hostname(), pid: process.pid });
await migrate(store);
const timed = timeStatements(store);
const started = performance.now();
const result = await replay(
  {
    store: timed.store,
    log: pino({ level: 'silent' }),
    clock: Date.now,
    signal: new AbortController().signal,
    emit: () => undefined,
    host: hostname(),
    pid: process.pid,
    user: 'bench',
  },
  {
    input: {
      kind: 'paths',
      inputs: await resolveInputs([log], { cwd: process.cwd() }),
      stdin: Readable.from([]),
      maxEntryBytes: 16 * 1024 * 1024,
    },
    register: true,
    tickets: 'auto',
    include: new Set(),
    dryRun: mode === '--dry-run',
    strict: false,
    batchSize: 1000,
    resume: true,
    recordedOptions: {},
  },
);
const milliseconds = performance.now() - started;
process.stdout.write(
  `${JSON.stringify(result.messages)} ${JSON.stringify(result.entries)} ${milliseconds.toFixed(0)} ms\n`,
);
for (const { statement, calls, milliseconds: ms } of timed.times()) {
  process.stdout.write(`${ms.toFixed(0).padStart(8)} ms ${String(calls).padStart(6)}  ${statement}\n`);
}
await store.close();
