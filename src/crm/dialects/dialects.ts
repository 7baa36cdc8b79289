import type { CrmName, Dialect } from '../crm.js';
import { EVOLUTION } from './evolution.js';
import { TICKETZ, WHATICKET } from './whaticket.js';

/** Every CRM that `compare` reads, by the name that is typed. */
export const DIALECTS: ReadonlyMap<CrmName, Dialect> = new Map(
  [EVOLUTION, TICKETZ, WHATICKET].map((dialect) => [dialect.name, dialect]),
);
