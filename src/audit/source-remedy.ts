import type { JsonObject } from '../model/json.js';
import { fileOfOrigin } from '../model/raw-entry.js';
import { commandOfRun, pathFrom } from '../model/recorded-command.js';
import { remedy, type Remedy } from '../model/remedy.js';
import { minuteOf } from '../model/time.js';
import { kindOfEntryId } from '../store/entry-id.js';
import type { Sql } from '../store/sql.js';
import { readLeadOfEntry, readStoringRun, type StoringRun } from '../store/queries/storing-run.js';

/** The options that decide how a file is read and applied. Not `--register`: its connections already exist. */
const CHOICES = ['connection', 'tickets', 'include', 'maxEntrySize', 'appSecretFile'] as const;

/** Of so many files that one run has read, one may be the one. */
const MOST_FILES = 20;

export const STORE_AGAIN = 'stores the lost entries again and links their messages to them';

const LINK_AGAIN =
  'links the rows to the raw entries that hold them: no entry ever had the id that they name';

/** The entry to obtain again: its name, and its location, if known. */
export interface LostEntry {
  id: string;
  runId: string | null;
  origin: string | null;
}

/**
 * How to restore a missing or altered raw entry: the command that stored it, with every option of that run that decides
 * how its file is read, and an absolute path.
 */
export async function sourceRemedy(sql: Sql, { id, runId, origin }: LostEntry, why: string): Promise<Remedy> {
  // No file brings back what was never stored; the entry that the row is of is in the log under its own id.
  if (runId === null && kindOfEntryId(id) === 'none') return remedy('replay', ['--all'], LINK_AGAIN);
  const run = await readStoringRun(sql, { runId, entryId: id });
  if (run !== null && run.command !== 'replay')
    return deviceRemedy(run.connection, await readLeadOfEntry(sql, id));
  return remedyOf(run, fileOfOrigin(origin), why);
}

/** The phone has it once more; of an entry without messages nobody knows whose it was. */
function deviceRemedy(connection: string | null, leadId: string | null): Remedy {
  if (leadId === null) return remedy('import', ['--help'], 'shows how to ask the phone for messages again');
  const of = connection === null ? [] : ['--connection', connection];
  return remedy('import', [leadId, ...of], 'asks the phone for these messages again');
}

function remedyOf(run: StoringRun | null, file: string | null, why: string): Remedy {
  if (run === null) return commandOfRun('replay', { paths: [file ?? 'FILE'] }, why);
  const { options, connection, startedAt } = run;
  const choices = choicesOf(options, connection);
  const paths = file === null ? pathsIn(options) : [withoutMember(file)];
  const { directory = null } = options;
  if (paths.length === 1 && paths[0] === '-') {
    const piped = `with the log piped in that the replay of ${minuteOf(startedAt)} read, ${why}`;
    return commandOfRun('replay', { ...choices, paths }, piped);
  }
  const isNamed = paths.length > 0 && paths.length <= MOST_FILES && !paths.includes('-');
  return commandOfRun('replay', { ...choices, directory, paths: isNamed ? paths : ['FILE'] }, why);
}

function choicesOf(options: JsonObject, connection: string | null): JsonObject {
  const choices: JsonObject = {};
  for (const key of CHOICES) {
    const value = options[key];
    if (value !== undefined) choices[key] = value;
  }
  if (connection !== null) choices['connection'] = connection;
  const { appSecretFile } = options;
  if (typeof appSecretFile === 'string')
    choices['appSecretFile'] = pathFrom(options['directory'], appSecretFile);
  return choices;
}

function pathsIn({ paths }: JsonObject): string[] {
  return Array.isArray(paths) ? paths.filter((path) => typeof path === 'string') : [];
}

/** `archive.zip/day.log` is in `archive.zip`, which is what can be read. */
function withoutMember(file: string): string {
  return file.replace(/(\.(?:zip|tar|tgz|tzst)(?:\.(?:gz|zst))*)\/.*$/i, '$1');
}
