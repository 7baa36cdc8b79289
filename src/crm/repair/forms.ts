import { ConfigError } from '../../model/errors.js';
import type { CrmName } from '../crm.js';
import { CHATWOOT_PRUNE, CHATWOOT_REPAIR } from './chatwoot.js';
import { EVOLUTION_PRUNE, EVOLUTION_REPAIR } from './evolution.js';
import type { PruneForm, RepairForm, ScriptForm } from './repair.js';
import { TICKETZ_REPAIR } from './ticketz.js';
import { WHATRACK_REPAIR } from './whatrack.js';

const FORMS: ReadonlyMap<CrmName, RepairForm> = new Map(
  [CHATWOOT_REPAIR, EVOLUTION_REPAIR, TICKETZ_REPAIR, WHATRACK_REPAIR].map((form) => [form.crm, form]),
);

/** Where the CRM's rows were read from. */
export type ReadFrom = 'database' | 'files';

/** Whether a CRM, read from there, can be repaired by SQL. */
export function takesSql(crm: CrmName, from: ReadFrom): boolean {
  const form = FORMS.get(crm);
  return form !== undefined && (form.needsDatabase === undefined || from === 'database');
}

/** How a CRM is repaired by SQL. Throws ConfigError, with the reason, for one that cannot be. */
export function repairFormOf(crm: CrmName, from: ReadFrom): RepairForm {
  const form = FORMS.get(crm);
  if (form !== undefined) {
    rejectFiles(
      form,
      from,
      'Give its database (--crm-url-file FILE), or write the lost messages as data: --repair FILE.ndjson.',
    );
    return form;
  }
  throw new ConfigError(
    `There is no safe SQL to repair ${crm}: ${WHY_NOT[crm] ?? 'its tables are its own'}.`,
    {
      code: 'crm_repair_unsupported',
      remedy: [
        ...(crm === 'whaticket'
          ? [
              'If its table "Messages" has the columns "dataJson" and "companyId", it is ticketz or a fork of it: compare ticketz.',
            ]
          : []),
        'Write the lost messages as data instead: --repair FILE.ndjson.',
      ],
    },
  );
}

const PRUNES: ReadonlyMap<CrmName, PruneForm> = new Map(
  [CHATWOOT_PRUNE, EVOLUTION_PRUNE].map((form) => [form.crm, form]),
);

/** How a CRM's duplicates are removed by SQL. Throws ConfigError for one whose keys leave no duplicates, or that has no safe SQL. */
export function pruneFormOf(crm: CrmName, from: ReadFrom): PruneForm {
  const form = PRUNES.get(crm);
  if (form !== undefined) {
    rejectFiles(form, from, 'Give its database (--crm-url-file FILE), or list them with --items FILE.');
    return form;
  }
  throw new ConfigError(`There is no safe SQL to remove duplicates from ${crm}.`, {
    code: 'crm_repair_unsupported',
    remedy: 'List them with --items FILE, and remove them in the CRM.',
  });
}

function rejectFiles({ crm, needsDatabase }: ScriptForm, from: ReadFrom, remedy: string): void {
  if (needsDatabase === undefined || from === 'database') return;
  throw new ConfigError(`There is no SQL for ${crm} from files: ${needsDatabase}.`, {
    code: 'crm_repair_unsupported',
    remedy,
  });
}

const WHY_NOT: Partial<Record<CrmName, string>> = {
  whaticket: 'its messages have the time of their insertion, so old ones would appear as new',
  table: 'only its owner knows what else its rows need',
};
