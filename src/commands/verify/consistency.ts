import { readConstraintStates } from '../../store/checks/constraints.js';
import { countMessages } from '../../store/checks/messages.js';
import { streamBrokenRelations } from '../../store/checks/relations.js';
import {
  readDoubledKeys,
  MESSAGE_KEY,
  readKeyStates,
  type UniqueKey,
} from '../../store/checks/unique-keys.js';
import { amount } from '../../model/amount.js';
import type { Check, VerifyView } from './check.js';
import { Recorder } from './recorder.js';
import { scopeOf } from './scope-of.js';
import { DEDUPE_REMEDY } from './words.js';

const SAMPLES = 5;

/** Doubles of these are what other checks look for. */
const CHECKED_ELSEWHERE = new Set([
  MESSAGE_KEY.index,
  'conversations_lead_id_connection_id_key',
  'tickets_one_open_per_conversation',
]);

/** foreign references are consistent, and the constraints that see to it are there. */
export const consistencyCheck: Check = {
  name: 'consistency',
  title: 'messages, conversations, leads, connections and organizations fit each other',
  async run(view) {
    const recorder = new Recorder(view, 'consistency');
    const scope = scopeOf(view);
    recorder.checked = await countMessages(view.sql, scope);
    for await (const page of streamBrokenRelations(view.sql, scope)) {
      if (view.signal.aborted) break;
      for (const broken of page) await recorder.finding('*', broken);
    }
    const misfits = recorder.found;
    const doubled = await findDoubledKeys(view, recorder);
    const constraints = await findLooseConstraints(view, recorder);
    if (recorder.found === 0) {
      return recorder.result('foreign references are consistent', null);
    }
    const parts = [
      ...(misfits > 0
        ? [amount(misfits, 'row does not fit what it names', 'rows do not fit what they name')]
        : []),
      ...(doubled.rows > 0
        ? [amount(doubled.rows, 'row repeats another one’s key', 'rows repeat another one’s key')]
        : []),
      // No command makes a constraint again: what stands against it has to be looked at first.
      ...(constraints > 0
        ? [
            `${amount(constraints, 'constraint')} missing or not validated, to be added by hand as prisma/migrations has it`,
          ]
        : []),
    ];
    return recorder.result(parts.join('; '), doubled.leads ? DEDUPE_REMEDY : null);
  },
};

/** Rows with the same key, where no index has kept them out; of the others, the index itself is the proof. */
async function findDoubledKeys(
  view: VerifyView,
  recorder: Recorder,
): Promise<{ rows: number; leads: boolean }> {
  const found = { rows: 0, leads: false };
  for (const [key, { state }] of await readKeyStates(view.sql)) {
    if (view.signal.aborted) break;
    if (state === 'sound' || state === 'table_missing' || CHECKED_ELSEWHERE.has(key.index)) continue;
    const doubled = await readDoubledKeys(view.sql, key, SAMPLES);
    if (doubled.rows === 0) continue;
    found.rows += doubled.rows;
    if (key.table === 'leads') found.leads = true;
    await recorder.finding('*', subjectOf(key, doubled.samples, doubled.groups), doubled.rows);
  }
  return found;
}

function subjectOf(
  key: UniqueKey,
  samples: readonly string[],
  groups: number,
): { connectionId: null; subject: string; detail: string } {
  const more = groups > samples.length ? '; …' : '';
  return {
    connectionId: null,
    subject: key.table,
    detail: `${amount(groups, 'group of rows shares', 'groups of rows share')} ${key.columns.join(', ')}: ${samples.join('; ')}${more}`,
  };
}

async function findLooseConstraints(view: VerifyView, recorder: Recorder): Promise<number> {
  let loose = 0;
  for (const { what, fault } of await readConstraintStates(view.sql)) {
    if (fault === null) continue;
    loose += 1;
    await recorder.finding('*', { connectionId: null, subject: what, detail: `is ${fault}` });
  }
  return loose;
}
