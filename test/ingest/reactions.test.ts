import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { expectOneDatabase } from '../support/orders.js';
import { replayBodies } from '../support/replaying.js';
import { offset, select, tickets, transcript, value } from '../support/shown.js';
import { echo, live, reaction, wamid } from '../support/webhooks.js';

describeOnServer('reactions', (backend) => {
  const reactions = (store: Store): Promise<Record<string, unknown>[]> =>
    select(store, `select reactor, emoji, ${offset('at')} as at from message_reactions order by reactor`);

  it('M5: a reaction annotates its target and is no message', async () => {
    const store = await expectOneDatabase(backend, [echo('B1', 0), reaction('B1', 20, '👍')]);
    expect(await transcript(store)).toEqual(['< B1']);
    expect(await reactions(store)).toEqual([{ reactor: 'customer', emoji: '👍', at: 20 }]);
    expect(await tickets(store)).toEqual([]);
  });

  it('M5: of several reactions the newest counts', async () => {
    const store = await expectOneDatabase(backend, [
      echo('B1', 0),
      reaction('B1', 20, '👍'),
      reaction('B1', 40, '❤️'),
    ]);
    expect(await reactions(store)).toEqual([{ reactor: 'customer', emoji: '❤️', at: 40 }]);
  });

  it('M5: a removal that comes before what it removes still removes it', async () => {
    const store = await expectOneDatabase(backend, [
      echo('B1', 0),
      reaction('B1', 20, '👍'),
      reaction('B1', 40),
    ]);
    expect(await reactions(store)).toEqual([{ reactor: 'customer', emoji: null, at: 40 }]);
  });

  it('M5: a text that is far too long for an emoji waits for its message like any reaction', async () => {
    const store = await backend.open();
    const result = await replayBodies(store, [reaction('B1', 20, randomBytes(9000).toString('hex'))]);
    expect(result).toMatchObject({ status: 'completed', reactions: { seen: 1, pending: 1 } });
    await replayBodies(store, [echo('B1', 0)]);
    expect(await reactions(store)).toMatchObject([{ reactor: 'customer', at: 20 }]);
  });

  it('M5: customer and business each have their own reaction', async () => {
    const store = await expectOneDatabase(backend, [
      live('A1', 0),
      reaction('A1', 20, '👍'),
      echo('X1', 30, {
        type: 'reaction',
        text: undefined,
        reaction: { message_id: wamid('A1'), emoji: '🙏' },
      }),
    ]);
    expect(await reactions(store)).toEqual([
      { reactor: 'business', emoji: '🙏', at: 30 },
      { reactor: 'customer', emoji: '👍', at: 20 },
    ]);
  });

  it('M5: a reaction to a message that is not here yet waits for it', async () => {
    const store = await backend.open();
    const result = await replayBodies(store, [reaction('B1', 20, '👍')]);
    expect(result.reactions).toMatchObject({ seen: 1, pending: 1 });
    await replayBodies(store, [echo('B1', 0)]);
    expect(await reactions(store)).toEqual([{ reactor: 'customer', emoji: '👍', at: 20 }]);
    expect(await value(store, 'select count(*)::int from pending_facts')).toBe(0);
  });
});
