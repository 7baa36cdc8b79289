import { expect, it } from 'vitest';
import { findingsBeside } from '../support/checking.js';
import { describeOnServer } from '../support/databases.js';
import { night } from '../support/nights.js';
import { replayBodies } from '../support/replaying.js';
import { value } from '../support/shown.js';
import { echo, live, liveFrom, old, history } from '../support/webhooks.js';

const MARK = '\uFEFF';

describeOnServer('texts that begin with a byte order mark', (backend) => {
  it('M8: are the same in every database, and nothing is found about them', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      live('A1', 1, { text: { body: `${MARK}hello` } }),
      live('A2', 2, { text: { body: MARK } }),
      liveFrom(`${MARK}Ana`, 'A3', 3),
      echo('A4', 4, { text: { body: `${MARK}${MARK}our ${MARK} answer` } }),
      history([old('A5', -5, { text: { body: `${MARK}long ago` } })]),
    ]);
    const texts = `select json_agg(body order by timestamp) from messages where body is not null and body <> 'A3'`;
    const stored = ['long ago', 'hello', `our ${MARK} answer`];
    expect(await value(store, texts)).toEqual(stored);
    expect(await value(store, `select push_name from leads`)).toBe('Ana');
    expect(await findingsBeside(store, ['history_ledger'])).toEqual([]);
    // Of an older version.
    await store.sql.execute(`update messages set body = $1 where body = 'hello'`, [`${MARK}hello`]);
    await night(store, { full: true, apply: true });
    expect(await findingsBeside(store, ['history_ledger'])).toEqual([]);
  });
});
