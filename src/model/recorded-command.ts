import type { JsonObject, JsonValue } from './json.js';
import { remedy, type Remedy } from './remedy.js';

/** Options that a run records even when they were not typed: the defaults. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  batchSize: 1000,
  tickets: 'auto',
  maxEntrySize: 16 * 1024 * 1024,
  historyAfter: 60 * 60_000,
  phase: 'auto',
  count: 50,
  timeout: 20_000,
  pagePause: 1_000,
  listBatch: 10,
  listPause: 30_000,
  failOn: 'degraded',
};

/** Options that are recorded in milliseconds and typed as `60m`. */
const DURATIONS = new Set([
  'historyAfter',
  'silentAfter',
  'timeout',
  'pagePause',
  'listPause',
  'olderThan',
  'pruneOlderThan',
]);

/** What a run records about itself; these are not flags. */
const NOTES = new Set(['paths', 'directory', 'content', 'run', 'undoes', 'within', 'connectionId', 'leadId']);

/** Marks the options of a run that is a step of another command: `{ within: 'reconcile' }`. */
export const WITHIN = 'within';

/**
 * The command that repeats a recorded run, from its recorded options. A step of a reconcile is
 * no command of its own: the reconcile is.
 */
export function commandOfRun(command: string, options: JsonObject, why: string): Remedy {
  const outer = outerCommand(command, options);
  const operands = operandsOf(outer, options);
  const flags = Object.entries(options)
    .filter(([key]) => !(outer === 'media fetch' && key === 'connection'))
    .map(([key, value]) => [key, key === 'fromFile' ? fileFrom(options.directory, value) : value] as const)
    .flatMap(([key, value]) => flagWords(key, value));
  const isFlagLike = operands.some((word) => word.startsWith('-') && word !== '-');
  return remedy(outer, isFlagLike ? [...flags, '--', ...operands] : [...operands, ...flags], why);
}

function outerCommand(command: string, options: JsonObject): string {
  const within = options[WITHIN];
  if (typeof within === 'string') return within;
  // Steps that were recorded before they were marked carry an option that only a reconcile has.
  return command !== 'reconcile' && 'historyAfter' in options ? 'reconcile' : command;
}

/** What stands on the line without a flag. A contact is private: only the id of its lead is recorded. */
function operandsOf(command: string, options: JsonObject): readonly string[] {
  return OPERANDS.get(command)?.(options) ?? [];
}

const OPERANDS: ReadonlyMap<string, (options: JsonObject) => readonly string[]> = new Map(
  Object.entries({
    replay: ({ paths, directory }: JsonObject) =>
      Array.isArray(paths)
        ? paths.filter((path) => typeof path === 'string').map((path) => pathFrom(directory, path))
        : [],
    // Whom it was about is on record nowhere.
    erase: () => ['CONTACT'],
    undo: ({ run }: JsonObject) => (typeof run === 'string' ? [run] : ['RUN']),
    import: ({ leadId }: JsonObject) => (typeof leadId === 'string' ? [leadId] : []),
    'media fetch': ({ connection }: JsonObject) => (typeof connection === 'string' ? [connection] : []),
  }),
);

/** Whether a path leads to the same file from everywhere; `-` is none. */
export function isAbsolutePath(path: string): boolean {
  return /^(?:[/\\\\]|[a-z]:[/\\\\])/i.test(path);
}

/** A path as it leads there from everywhere. Runs that were recorded without their directory keep what was typed. */
export function pathFrom(directory: JsonValue | undefined, path: string): string {
  if (typeof directory !== 'string' || path === '-' || isAbsolutePath(path)) return path;
  return `${directory.replace(/[/\\\\]$/, '')}/${path.replace(/^(?:\.\/)+/, '')}`;
}

function fileFrom(directory: JsonValue | undefined, file: JsonValue): JsonValue {
  return typeof file === 'string' ? pathFrom(directory, file) : file;
}

function flagWords(key: string, value: JsonValue): string[] {
  if (NOTES.has(key) || value === false || value === null || DEFAULTS[key] === value) return [];
  const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  if (value === true) return [flag];
  if (Array.isArray(value)) return value.length === 0 ? [] : [flag, value.map(String).join(',')];
  if (typeof value === 'object') return [];
  // Whom it was about is not on record (F2).
  if (key === 'contact' && String(value).includes('[erased]')) return [flag, 'CONTACT'];
  const text = DURATIONS.has(key) && typeof value === 'number' ? durationText(value) : String(value);
  return text.startsWith('-') ? [`${flag}=${text}`] : [flag, text];
}

/** `60m`, `90s`, `1500ms`: a duration as it can be typed. */
function durationText(ms: number): string {
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
