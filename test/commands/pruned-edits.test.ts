import { describe, expect, it } from 'vitest';
import { verify } from '../../src/commands/verify/verify.js';
import type { JsonObject } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { night } from '../support/nights.js';
import { EVERYTHING, pruned } from '../support/pruning.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { value } from '../support/shown.js';
import { edit, history, live, old, revoke, T0, wamid } from '../support/webhooks.js';

const DAY = 86_400;
const MESSAGE = live('A', 0);
const FIRST = edit('A', 'E1', 60, { type: 'text', text: { body: 'm first' } });
const SECOND = edit('A', 'E2', 3 * DAY, { type: 'text', text: { body: 'm second' } });
const PICTURE = live('A', 0, {
  text: undefined,
  type: 'image',
  image: { id: 'M1', mime_type: 'image/jpeg', sha256: 'c2hh', caption: 'one' },
});
const CAPTION = edit('A', 'E1', 60, { type: 'image', image: { caption: 'm first' } });

/** The log, with the bodies of all entries emptied but for those that hold one of these words. `seen`: when the emptied ones came. */
async function openPruned(
  store: Store,
  log: readonly JsonObject[],
  kept: readonly string[],
  seen: number | null = null,
): Promise<void> {
  await replayBodies(store, log);
  if (seen !== null)
    await store.sql.execute(`update webhook_log set received_at = to_timestamp(${T0 + seen})`);
  for (const word of kept)
    await store.sql.execute(
      `update webhook_log set received_at = '2100-01-01' where convert_from(raw_body, 'UTF8') like '%${word}%'`,
    );
  const { entries } = await pruned(store, EVERYTHING);
  expect(entries).toMatchObject({ pruned: log.length - kept.length, kept: 0 });
}

async function findings(store: Store): Promise<number> {
  const found = await verify(testContext(store), { checks: new Set(['raw_log']), enforce: false });
  return found.findings;
}

/** All that a row and its earlier versions say, with its evidence. */
function rows(store: Store): Promise<unknown> {
  return value(
    store,
    `select json_build_array(
       (select json_agg(to_jsonb(m) - 'run_id' order by id) from messages m),
       (select json_agg(to_jsonb(r) - 'created_at' order by version) from message_revisions r))`,
  );
}

/** Nothing is found, and no run changes anything. */
async function expectSilence(store: Store): Promise<void> {
  const before = await rows(store);
  expect(await findings(store)).toBe(0);
  for (const full of [true, false])
    expect((await night(store, { full, apply: true })).figures).toMatchObject({ missing: 0, restored: 0 });
  await replayLog(store, { which: 'all' });
  expect(await rows(store)).toEqual(before);
}

const DAMAGES: Record<string, string> = {
  'a greater text': `body = 'z'`,
  'a smaller text': `body = 'a'`,
  'no text': 'body = null',
  'another type': `type = 'sticker'`,
  'a file': `media = '{"id": "forged"}'`,
};

describeOnServer('an edited message whose own entry was pruned', (backend) => {
  const LOGS: [string, JsonObject[], string[]][] = [
    ['a text', [MESSAGE, FIRST], ['m first']],
    ['a picture with another caption', [PICTURE, CAPTION], ['m first']],
    ['a text edited twice', [MESSAGE, FIRST, SECOND], ['m first', 'm second']],
  ];
  describe.each(LOGS)('%s', (_, log, kept) => {
    it('is compared with the edit that is left, and gets its content back', async () => {
      const store = await backend.open();
      await openPruned(store, log, kept);
      const before = await rows(store);
      await expectSilence(store);
      for (const [damaged, damage] of Object.entries(DAMAGES)) {
        await store.sql.execute(`update messages set ${damage}`);
        expect(await findings(store), damaged).toBe(1);
        await night(store, { full: true, apply: true });
        expect(await rows(store), damaged).toEqual(before);
        expect(await findings(store), damaged).toBe(0);
      }
      await expectSilence(store);
    });
  });

  it('is a loss for every command, which retention leaves alone and a replay mends', async () => {
    const store = await backend.open();
    await openPruned(store, [MESSAGE, FIRST], ['m first']);
    const before = await rows(store);
    await store.sql.execute(`update messages set body = 'z'`);
    const told = await ask(store, wamid('A'));
    expect(told.verdict).toContain('Different from the raw log (body)');
    expect(told.remedies).not.toEqual([]);
    expect((await ask(store, '+5511900000001')).findings).not.toEqual([]);
    const { entries } = await pruned(store, { ...EVERYTHING, olderThan: -4e12 });
    expect(entries).toMatchObject({ pruned: 0, kept: 1 });
    const planned = await night(store, { full: true, apply: true, dryRun: true });
    expect(planned.report?.severity).toBe('loss');
    await replayLog(store, { which: 'all' }, { register: false });
    expect(await rows(store)).toEqual(before);
    await expectSilence(store);
  });

  it('is compared with a later edit, where the pruned ones came before it was made', async () => {
    const store = await backend.open();
    await openPruned(store, [MESSAGE, FIRST, SECOND], ['m second'], 90);
    const before = await rows(store);
    await store.sql.execute(`update messages set body = 'z'`);
    expect(await findings(store)).toBe(1);
    await night(store, { full: true, apply: true });
    expect(await rows(store)).toEqual(before);
    await expectSilence(store);
  });

  it('keeps its revoke, and gets back what the edit had said before it', async () => {
    const store = await backend.open();
    await openPruned(store, [MESSAGE, FIRST, revoke('A', 90)], ['m first']);
    const before = await rows(store);
    await store.sql.execute(`update message_revisions set body = 'z' where body = 'm first'`);
    expect(await findings(store)).toBe(1);
    await night(store, { full: true, apply: true });
    expect(await rows(store)).toEqual(before);
    await expectSilence(store);
  });

  const TWICE = [MESSAGE, FIRST, edit('A', 'E1', 60, { type: 'text', text: { body: 'p longer' } })];
  const UNDECIDED: Record<string, [JsonObject[], string[], number | null]> = {
    'another copy of the edit is pruned, and said more': [TWICE, ['m first'], 61],
    'another copy of the edit is pruned, and came late': [TWICE, ['m first'], 60 - DAY + 1],
    'another copy of the edit is pruned, and nobody knows when it came': [TWICE, ['m first'], null],
    'a later edit is pruned': [[MESSAGE, FIRST, SECOND], ['m first'], 3 * DAY],
    'its edit is pruned as well, and a copy of the message came later': [
      [MESSAGE, FIRST, history([old('A', 0)], { progress: 100 })],
      ['history_context'],
      90,
    ],
  };
  it.each(Object.entries(UNDECIDED))('is left alone where %s', async (_, [log, kept, seen]) => {
    const store = await backend.open();
    await openPruned(store, log, kept, seen);
    await expectSilence(store);
    await store.sql.execute(`update messages set body = 'z'`);
    await expectSilence(store);
  });

  it('is left alone where another program edited it since', async () => {
    const store = await backend.open();
    await openPruned(store, [MESSAGE, FIRST], ['m first']);
    await store.sql.execute(
      `insert into message_revisions (message_id, version, type, body, at)
       select id, edit_external_id, type, body, edited_at from messages`,
    );
    await store.sql.execute(
      `update messages set body = 'theirs', edit_external_id = 'theirs', edited_at = edited_at + interval '1 hour'`,
    );
    await expectSilence(store);
  });
});
