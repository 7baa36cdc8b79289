/**
 * Where the time of a dedupe goes: `node dist-bench/test/bench/profile-dedupe.js URL [apply] [damage]`. Prints what each
 * statement took; `damage` first drops the unique index and stores a tenth of the messages twice.
 */
import { hostname } from 'node:os';
import { pino } from 'pino';
import { dedupe } from '../../src/commands/dedupe/dedupe.js';
import { DUPLICATE_CLASSES } from '../../src/commands/dedupe/result.js';
import { openStore, type DatabaseConfig } from '../../src/store/open-store.js';
import { insertDoubles } from './doubles.js';
import { timeStatements } from './statement-times.js';

const [target = '', ...words] = process.argv.slice(2);
const config: DatabaseConfig = target.startsWith('postgres')
  ? { kind: 'postgresql', url: target }
  : { kind: 'pglite', directory: target };
const store = await openStore(config, { command: 'profile', host: hostname(), pid: process.pid });
if (words.includes('damage')) process.stdout.write(`${await insertDoubles(store)} copies\n`);
const timed = timeStatements(store);
const result = await dedupe(
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
    classes: new Set(DUPLICATE_CLASSES),
    apply: words.includes('apply'),
    batchSize: 1000,
    force: true,
    recordedOptions: {},
  },
);
const rows = result.classes.map(({ class: name, rows: gone }) => `${name} ${gone}`);
const peak = process.resourceUsage().maxRSS / 1024;
process.stdout.write(`${result.durationMs} ms, ${rows.join(', ')}, ${peak.toFixed(0)} MB\n`);
for (const { statement, calls, milliseconds } of timed.times()) {
  process.stdout.write(
    `${milliseconds.toFixed(0).padStart(8)} ms ${String(calls).padStart(6)}  ${statement}\n`,
  );
}
await store.close();
