import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Tests that need neither a database nor a child process: the fast loop, `npm run test:unit`. */
export const UNIT = [
  'test/layers.test.ts',
  'test/{decode,identity,model,rules}/**/*.test.ts',
  'test/crm/{chatwoot,repair-contents,table,whaticket,whatrack}.test.ts',
  // Not large-entries: it measures the memory of its own process.
  'test/inputs/exports/*.test.ts',
  'test/inputs/{any-chunking,archives-properties,chunking-properties,console-log,containers,csv,cut-arrays,cut-bodies,cut-lines,decorated-lines,decorated-values,escaped-values,file-source,file-to-bodies,fixtures,foreign-notations,framed-lines,input-identity,json-values,large-values,ndjson,printed-bodies,printed-bytes,printed-values,request-dumps,resolve-inputs,split-entries,sql-dumps,tar-archives,zip-archives}.test.ts',
  'test/cli/{delivery-failures,document,exit,inspect,logger,openmetrics,progress,reference,remedies,run-summary,sanitize,usage,values}.test.ts',
  'test/commands/{dedupe-decisions,explain-names,report-traffic,secret-key,verdict}.test.ts',
  'test/store/{database-url,split-statements,uuid}.test.ts',
];

/**
 * Of those, what tries thousands of inputs, random ones or every cut of one, or very large ones, or opens archives and databases of
 * others: the longest of them, `npm run test:properties`.
 */
export const PROPERTIES = [
  'test/decode/{baileys-robustness,forms-fuzz,forms-properties,large-texts,printed-texts,properties,readable-contents,vendors-properties}.test.ts',
  'test/inputs/{any-chunking,archives-properties,chunking-properties,containers,csv,cut-bodies,cut-lines,decorated-lines,foreign-notations,framed-lines,large-values,printed-bodies,request-dumps,sql-dumps}.test.ts',
  'test/cli/remedies.test.ts',
  'test/inputs/exports/{chat-exporter,chat-text,database-states,databases}.test.ts',
  'test/rules/{align-chat-properties,chat-witness,merge-content,message-errors}.test.ts',
];

/**
 * Tests of rules on rows, of commands, of the command line in this process, and of statements: they keep no state in a module, so
 * files share a process, its modules and its databases. Not what mocks modules, measures its process or is about locks of it.
 */
export const SHARED = [
  'test/{ingest,commands,cli}/**/*.test.ts',
  'test/library/{dates,library}.test.ts',
  'test/store/{array-literal,database-errors,expected-keys,fresh-database-plans,journal,migrations,normalized,open-store,schema-agreement,stored-entries,transaction}.test.ts',
];

/**
 * Nothing in these keeps state in a module, so files share one process and its compiled sources. A process per worker, not a thread:
 * some measure the time and the memory of their process.
 */
const PURE = {
  pool: 'forks',
  isolate: false,
  globalSetup: 'test/support/files-in-memory.ts',
} as const;

/**
 * One more than cores: a part of their time the tests of the command wait, for moments to kill at and for the pauses that the
 * product makes. At most so many that their embedded databases fit into the memory of a laptop.
 *
 * The same for all projects: then they are one queue, in the order of their names, and no core waits for the last file of a project
 * while the next could begin. The unit tests, whose files are the shortest, come last and end together. Alone they never wait, and
 * one worker more would only load and compile the sources once more.
 */
const NEVER_WAIT = process.argv.some((word) => /^(?:--project=)?(?:unit|properties)$/.test(word));
const WORKERS = Math.min(availableParallelism() + (NEVER_WAIT ? 0 : 1), 6);

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Compiled sources stay on disk, so that only what changed is compiled in the next run.
    experimental: { fsModuleCache: true },
    maxWorkers: WORKERS,
    // Every command that any test makes the tool advise is parsed by the tool itself.
    setupFiles: ['test/support/check-remedies.ts', 'test/support/seed.ts'],
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: UNIT, exclude: PROPERTIES, ...PURE },
      },
      {
        extends: true,
        test: { name: 'properties', include: PROPERTIES, ...PURE },
      },
      {
        extends: true,
        test: {
          name: 'db',
          include: ['test/**/*.test.ts'],
          exclude: ['test/bench/**', ...UNIT, ...PROPERTIES, ...SHARED],
          globalSetup: ['test/support/global-setup.ts'],
          // A process per file: PGlite is WebAssembly, and its memory goes back to the system only with its process.
          pool: 'forks',
          // Without V8's optimizing compiler of WebAssembly: most of these end before it pays. It computes the same either way.
          execArgv: ['--liftoff-only'],
        },
      },
      {
        extends: true,
        test: {
          name: 'db-shared',
          include: SHARED,
          exclude: [...UNIT, ...PROPERTIES],
          globalSetup: ['test/support/global-setup.ts'],
          pool: 'forks',
          isolate: false,
        },
      },
    ],
  },
});
