import { INCLUDABLE_CHATS, type IncludableChat } from '../model/enumerations.js';
import { arrayLiteral } from './array-literal.js';
import { textOf, textOrNull } from './row.js';
import type { Sql } from './sql.js';

/** What a run was told that decides how the entries that it stored are read. */
export interface RunChoice {
  include: ReadonlySet<IncludableChat>;
  /** Name or id of `--connection`. */
  connection: string | null;
}

/** The choices of these runs, by run id; a run that made none is left out. */
export async function readRunChoices(sql: Sql, runIds: readonly string[]): Promise<Map<string, RunChoice>> {
  if (runIds.length === 0) return new Map();
  const rows = await sql.query(
    `select id, options->'include' as include, options->>'connection' as connection from sync_runs
     where id = any($1::uuid[]) and (options->'include' is not null or options->'connection' is not null)`,
    [arrayLiteral(runIds)],
  );
  return new Map(
    rows.map((row) => {
      const named: unknown = row['include'];
      const include = INCLUDABLE_CHATS.filter((chat) => Array.isArray(named) && named.includes(chat));
      return [
        textOf(row, 'id'),
        { include: new Set(include), connection: textOrNull(row, 'connection') },
      ] as const;
    }),
  );
}
