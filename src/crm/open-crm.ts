import { ConfigError } from '../model/errors.js';
import type { ResolvedInput } from '../inputs/resolve-inputs.js';
import type { CrmName, Dialect } from './crm.js';
import { DIALECTS } from './dialects/dialects.js';
import { tableDialect } from './dialects/table.js';
import { openCrmDatabase } from './open-database.js';
import { openCrmFiles, type CrmFilesOptions } from './open-files.js';
import type { CrmSource } from './source.js';

/**
 * The location of a CRM's rows: its database, or exports of its tables. `table`: the view or table of a custom program.
 */
export type CrmPlace =
  | { kind: 'database'; url: string; table?: string | undefined }
  | ({ kind: 'files'; inputs: readonly ResolvedInput[] } & CrmFilesOptions);

/** Opens a CRM for reading. Throws UserError if it is unreachable, ConfigError if it is another program's. */
export async function openCrm(name: CrmName, place: CrmPlace): Promise<CrmSource> {
  switch (place.kind) {
    case 'database':
      return openCrmDatabase(place.url, dialectOf(name, place.table));
    case 'files':
      return openCrmFiles(place.inputs, dialectOf(name), place);
  }
}

function dialectOf(name: CrmName, table = 'messages'): Dialect {
  const dialect = name === 'table' ? tableDialect(table) : DIALECTS.get(name);
  if (dialect === undefined) {
    throw new ConfigError(`${name} cannot be compared yet.`, {
      code: 'crm_unknown',
      remedy: 'Name another CRM.',
    });
  }
  return dialect;
}
