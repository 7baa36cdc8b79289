import type { CrmName, Dialect } from '../crm.js';
import { CHATWOOT } from './chatwoot.js';
import { EVOLUTION } from './evolution.js';
import { TICKETZ, WHATICKET } from './whaticket.js';
import { WHATRACK } from './whatrack.js';

/** Every CRM that `compare` reads, by the name that is typed. */
export const DIALECTS: ReadonlyMap<CrmName, Dialect> = new Map(
  [CHATWOOT, EVOLUTION, TICKETZ, WHATICKET, WHATRACK].map((dialect) => [dialect.name, dialect]),
);
