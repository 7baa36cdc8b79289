import { expect, test } from 'vitest';
import { presentImportList } from '../../src/cli/views/import-list.js';
import { importList } from '../../src/commands/import/import-list.js';
import type { ImportListOptions, ImportListResult } from '../../src/commands/import/types.js';
import type { Store } from '../../src/store/store.js';
import { addConnection } from '../support/connections.js';
import { describeOnServer } from '../support/databases.js';
import { archived } from '../support/fake-whatsapp/archive.js';
import { type FakePhones, fakePhones, phoneWith } from '../support/history-pages.js';
import { linkDevice, USUAL } from '../support/importing.js';
import { replayBodies, testContext, type TestOptions } from '../support/replaying.js';
import { select, value } from '../support/shown.js';
import { ANA, BRU, CAR, live, T0 } from '../support/webhooks.js';

const PEOPLE = [ANA, BRU, CAR];

/** Three customers who wrote once by webhook, and whose phones have one message more. */
async function shop(store: Store): Promise<void> {
  await addConnection(store, { number: '+5511900000000', phoneNumberId: '800000000000001' });
  await linkDevice(store);
  await replayBodies(
    store,
    PEOPLE.map((from) => live(`hello${from}`, 0, { from })),
    { register: false },
  );
}

const CHATS = PEOPLE.map((person) => {
  const chat = `${person}@s.whatsapp.net`;
  return {
    id: chat,
    messages: [
      archived({ chat, id: `old${person}`, at: T0 - 100 }),
      archived({ chat, id: `hello${person}`, at: T0 }),
    ],
  };
});

function importOf(
  store: Store,
  phones: FakePhones,
  contacts: readonly string[],
  options: Partial<ImportListOptions> & Pick<TestOptions, 'signal' | 'onEvent'> = {},
): Promise<ImportListResult> {
  const { signal, onEvent, ...asked } = options;
  return importList(
    testContext(store, {
      ...(signal === undefined ? {} : { signal }),
      ...(onEvent === undefined ? {} : { onEvent }),
    }),
    {
      ...USUAL,
      contacts: contacts.map((contact, index) => ({ line: index + 1, contact })),
      listBatch: 10,
      listPauseMs: 0,
      resume: true,
      ...asked,
    },
    phones,
  );
}

describeOnServer('import of a list', (backend) => {
  test('one contact after the other, over one socket, with one summary', async () => {
    const store = await backend.open();
    await shop(store);
    const phones = fakePhones(phoneWith(...CHATS));
    const result = await importOf(store, phones, PEOPLE);
    expect(result).toMatchObject({
      status: 'completed',
      contacts: { listed: 3, done: 3, doneBefore: 0, left: 0 },
      outcomes: { end_of_history: 3 },
      messages: { created: 3 },
      stopped: null,
    });
    expect(result.imports).toMatchObject(
      PEOPLE.map((contact, index) => ({ line: index + 1, contact, outcome: 'end_of_history', created: 1 })),
    );
    expect(phones.opened).toBe(1);
    expect(phones.isOpen).toBe(false);
    expect(await select(store, `select command, status from sync_runs where command = 'import'`)).toEqual([
      { command: 'import', status: 'completed' },
    ]);
    expect(
      await value(store, `select count(*)::int from sync_logs where sync_type = 'manual_recovery'`),
    ).toBe(3);
  });

  test('a bad line is told by its number and costs no other', async () => {
    const store = await backend.open();
    await shop(store);
    const result = await importOf(store, fakePhones(phoneWith(...CHATS)), [ANA, 'tomorrow', BRU]);
    expect(result).toMatchObject({
      status: 'partial',
      contacts: { listed: 3, done: 3, left: 0 },
      outcomes: { end_of_history: 2, invalid_contact: 1 },
      imports: [
        {},
        { line: 2, outcome: 'invalid_contact', reason: "'tomorrow' is not a valid contact." },
        {},
      ],
    });
  });

  test('what is wrong with the line ends the run, and the same list goes on from there', async () => {
    const store = await backend.open();
    await shop(store);
    const phone = phoneWith(...CHATS);
    const broken = fakePhones((request) =>
      request.chatJid.startsWith(BRU) ? { kind: 'conflict' } : phone(request),
    );
    const first = await importOf(store, broken, PEOPLE);
    expect(first).toMatchObject({
      status: 'failed',
      stopped: 'conflict',
      contacts: { done: 1, left: 2 },
      outcomes: { end_of_history: 1, conflict: 1 },
    });
    const phones = fakePhones(phone);
    const second = await importOf(store, phones, PEOPLE);
    expect(second).toMatchObject({
      status: 'completed',
      contacts: { done: 2, doneBefore: 1, left: 0 },
      resumedFrom: { runId: first.runId },
    });
    const pages = phones.requests.filter(({ count }) => count > 1);
    expect(pages.map(({ anchor }) => anchor.id)).toEqual([`hello${BRU}`, `hello${CAR}`]);
    // Once it is through, the list begins anew.
    expect(await importOf(store, phones, PEOPLE)).toMatchObject({
      contacts: { done: 3, doneBefore: 0 },
      outcomes: { throttled: 3 },
    });
  });

  test('a device that was unlinked ends the run, and to link the phone is the first thing to do', async () => {
    const store = await backend.open();
    await shop(store);
    const phone = phoneWith(...CHATS);
    // Bru's page came, and the look behind it finds the device gone: nobody knows what is missing.
    const result = await importOf(
      store,
      fakePhones((request) =>
        request.chatJid.startsWith(BRU) && request.count === 1 ? { kind: 'logged_out' } : phone(request),
      ),
      PEOPLE,
    );
    expect(result).toMatchObject({ status: 'failed', stopped: 'logged_out', contacts: { done: 1, left: 2 } });
    const { document } = presentImportList(result, ['import', '--from-file', 'FILE']);
    expect(document.next).toMatchObject([
      { command: 'link', args: ['--connection', 'loja'] },
      { command: 'import', args: ['--from-file', 'FILE'] },
    ]);
  });

  test('a resumed list names what went wrong in its earlier part, with the remedy', async () => {
    const store = await backend.open();
    await shop(store);
    const phone = phoneWith(...CHATS);
    const list = [ANA, 'tomorrow', BRU, CAR];
    const first = fakePhones((request) => {
      if (request.chatJid.startsWith(ANA)) return 'silence';
      return request.chatJid.startsWith(BRU) ? { kind: 'conflict' } : phone(request);
    });
    const silent = { line: 1, contact: ANA, outcome: 'silent', connection: 'loja' };
    const again = { command: 'import', args: [ANA, '--connection', 'loja', '--phase', 'fetch', '--force'] };
    const wrong = { line: 2, outcome: 'invalid_contact', remedy: null };
    expect(await importOf(store, first, list)).toMatchObject({
      failures: [
        { ...silent, earlier: false, remedy: again },
        { ...wrong, earlier: false },
      ],
    });
    const second = await importOf(store, fakePhones(phone), list);
    expect(second).toMatchObject({
      status: 'partial',
      contacts: { doneBefore: 2, failedBefore: 2 },
      failures: [
        { ...silent, earlier: true, remedy: again },
        { ...wrong, earlier: true },
      ],
    });
    const { document } = presentImportList(second, ['import', '--from-file', 'contacts.txt']);
    const words = JSON.stringify(document);
    expect(words).toContain(`line 1: ${ANA}: silent (in an earlier run)`);
    expect(words).toContain("line 2: 'tomorrow' is not a valid contact. (in an earlier run)");
    expect(document.next).toMatchObject([again]);
  });

  test('another list, or other wishes, do not take it up', async () => {
    const store = await backend.open();
    await shop(store);
    await importOf(
      store,
      fakePhones(() => ({ kind: 'offline', reason: '503' })),
      PEOPLE,
    );
    const phones = fakePhones(phoneWith(...CHATS));
    expect(await importOf(store, phones, [BRU, CAR])).toMatchObject({ contacts: { doneBefore: 0, done: 2 } });
  });

  test('pauses after every few that were asked about, and Ctrl-C ends the pause', async () => {
    const store = await backend.open();
    await shop(store);
    const stop = new AbortController();
    const phones = fakePhones(phoneWith(...CHATS));
    const pauses: (number | undefined)[] = [];
    const result = await importOf(store, phones, PEOPLE, {
      listBatch: 2,
      listPauseMs: 60_000,
      signal: stop.signal,
      onEvent: (event) => {
        if (event.event !== 'import' || event.step !== 'pausing') return;
        pauses.push(event.waitMs);
        // In the long pause itself, which begins once this has been told.
        if (event.waitMs === 60_000)
          setImmediate(() => {
            stop.abort();
          });
      },
    });
    expect(pauses.at(-1)).toBe(60_000);
    expect(result).toMatchObject({ status: 'interrupted', contacts: { done: 2, left: 1 } });
    expect(phones.isOpen).toBe(false);
  });
});
