import type { Bug } from './expectation.js';
import type { Day, Entry, Item } from './day.js';

/** What reaches the part of a CRM that writes rows. */
export interface Delivery {
  item: Item;
  field: Entry['field'];
  /** Why the CRM sees it once more, if it does. */
  again: Bug | undefined;
}

/**
 * The items of the webhook bodies that a CRM reads. `firstOnly`: of the first entry alone; `message`: its first message,
 * `entry`: all of them, `message_per_entry`: its first message as many times as there are entries. Bodies that come again
 * are read again only where `repeats`.
 */
export function* deliveriesOf(
  day: Day,
  how: { firstOnly: 'message' | 'entry' | 'message_per_entry' | undefined; repeats: boolean },
): Generator<Delivery> {
  for (const post of day.posts) {
    if (post.repeated && !how.repeats) continue;
    const again = post.repeated ? 'doubled_redelivery' : undefined;
    const [first] = post.entries;
    if (first === undefined) continue;
    if (how.firstOnly === undefined || first.field === 'history') {
      for (const { field, items } of post.entries) for (const item of items) yield { item, field, again };
      continue;
    }
    const items = first.items.filter((item) => item.kind !== 'status');
    const read = how.firstOnly === 'entry' ? items : items.slice(0, 1);
    const times = how.firstOnly === 'message_per_entry' ? post.entries.length : 1;
    for (let time = 0; time < times; time += 1) {
      for (const item of read) {
        yield { item, field: first.field, again: time === 0 ? again : 'first_of_batch_only' };
      }
    }
  }
}
