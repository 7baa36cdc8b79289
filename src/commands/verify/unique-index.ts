import { readKeyStates, type KeyState, type UniqueKey } from '../../store/checks/unique-keys.js';
import { amount } from '../../model/amount.js';
import type { Check } from './check.js';
import { Recorder } from './recorder.js';
import { ENFORCE_REMEDY } from './words.js';

/** Every unique index and primary key is there, valid, and of its columns: what keeps doubles out, whoever writes. */
export const uniqueIndexCheck: Check = {
  name: 'unique_index',
  title: 'unique indexes prevent duplicates',
  async run(view) {
    const recorder = new Recorder(view, 'unique_index');
    const states = await readKeyStates(view.sql);
    recorder.checked = states.size;
    for (const [key, state] of states) {
      const item = { connectionId: null, subject: key.index, detail: detailOf(key, state) };
      if (state.state === 'sound') await recorder.good(item);
      else await recorder.finding('*', item);
    }
    return recorder.found === 0
      ? recorder.result(`${amount(states.size, 'unique index', 'unique indexes')} present and valid`, null)
      : recorder.result(
          `${amount(recorder.found, 'unique index is', 'unique indexes are')} missing or invalid`,
          ENFORCE_REMEDY,
        );
  },
};

function detailOf(key: UniqueKey, state: KeyState): string {
  const place = `${key.table} (${key.columns.join(', ')})`;
  switch (state.state) {
    case 'sound':
      return state.by === key.index ? place : `${place}, by ${state.by}`;
    case 'missing':
      return `is missing on ${place}`;
    case 'wrong':
      return `${state.why}; wanted on ${place}`;
    case 'table_missing':
      return `the table ${key.table} is missing`;
  }
}
