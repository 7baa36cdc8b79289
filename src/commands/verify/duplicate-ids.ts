import { countMessages } from '../../store/checks/messages.js';
import { MESSAGE_KEY, readKeyStates } from '../../store/checks/unique-keys.js';
import { amount } from '../../model/amount.js';
import type { Merge } from '../dedupe/merge-candidates.js';
import type { Check, VerifyView } from './check.js';
import { streamDecisions } from './message-doubles.js';
import { Recorder } from './recorder.js';
import { scopeOf } from './scope-of.js';
import { DEDUPE_REMEDY, listRows } from './words.js';

/** No message is stored twice: neither under one id (M1) nor under both of its names (M10). Finds rows too many. */
export const duplicateIdsCheck: Check = {
  name: 'duplicate_ids',
  title: 'every message is there once',
  async run(view) {
    const recorder = new Recorder(view, 'duplicate_ids');
    recorder.checked = await countMessages(view.sql, scopeOf(view));
    if (!(await isKeySound(view))) {
      for await (const { alike, merges } of streamDecisions(view, 'same_id')) {
        for (const { connectionId, key, ids } of alike) {
          await add(recorder, connectionId, key[1], ids, ['same type, text and media']);
        }
        // That they have one id needs no saying.
        for (const merge of merges) await addMerge(recorder, merge, merge.evidence().slice(1));
      }
    }
    for await (const { merges } of streamDecisions(view, 'same_message')) {
      for (const merge of merges) await addMerge(recorder, merge, merge.evidence());
    }
    return recorder.found === 0
      ? recorder.result(`${amount(recorder.checked, 'message')}, each there once`, null)
      : recorder.result(`${amount(recorder.found, 'row')} too many`, DEDUPE_REMEDY);
  },
};

/** Unlike a constraint, which a restored dump can get around, a valid unique index has no exceptions: it is the proof. */
export async function isKeySound(view: VerifyView): Promise<boolean> {
  return (await readKeyStates(view.sql)).get(MESSAGE_KEY)?.state === 'sound';
}

function addMerge(
  recorder: Recorder,
  { kept, lost, state }: Merge,
  evidence: readonly string[],
): Promise<void> {
  const ids = [kept, ...lost].map(({ row }) => row.id);
  return add(recorder, kept.row.connectionId, state.externalId, ids, evidence);
}

async function add(
  recorder: Recorder,
  connectionId: string,
  subject: string,
  ids: readonly string[],
  evidence: readonly string[],
): Promise<void> {
  const copies = ids.length - 1;
  const said = [`${amount(copies, 'copy', 'copies')} too many`, ...evidence].join(', ');
  await recorder.finding('*', { connectionId, subject, detail: `${said}: ${listRows(ids)}` }, copies);
}
