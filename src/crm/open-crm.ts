import { ConfigError } from '../model/errors.js';
import type { ResolvedInput } from '../inputs/resolve-inputs.js';
import type { CrmName, Dialect } from './crm.js';
import { DIALECTS } from './dialects/dialects.js';
import { openCrmDatabase } from './open-database.js';
import { openCrmFiles, type CrmFilesOptions } from './open-files.js';
import type { CrmSource } from './source.js';

/** Where a CRM's rows are: its database, or exports of its tables. */
export type CrmPlace =
  { kind: 'database'; url: string } | ({ kind: 'files'; inputs: readonly ResolvedInput[] } & CrmFilesOptions);

/** Opens a CRM for reading. Throws UserError where it cannot be reached, ConfigError where it is another program's. */
export async function openCrm(name: CrmName, place: CrmPlace): Promise<CrmSource> {
  const dialect = dialectOf(name);
  return place.kind === 'database'
    ? openCrmDatabase(place.url, dialect)
    : openCrmFiles(place.inputs, dialect, place);
}

function dialectOf(name: CrmName): Dialect {
  const dialect = DIALECTS.get(name);
  if (dialect === undefined) {
    throw new ConfigError(`${name} cannot be compared yet.`, {
      code: 'crm_unknown',
      remedy: 'Name another CRM.',
    });
  }
  return dialect;
}
