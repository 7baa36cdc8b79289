import { proto } from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import { exitCodeOfImport } from '../../src/cli/commands/import.js';
import { presentImport } from '../../src/cli/views/import.js';
import { presentReport } from '../../src/cli/views/report.js';
import { deviceStatus } from '../../src/commands/devices/status.js';
import { report } from '../../src/commands/report/report.js';
import { minuteOf } from '../../src/model/time.js';
import type { PageRequest } from '../../src/commands/import/phone.js';
import type { Store } from '../../src/store/store.js';
import { runCheck } from '../support/checking.js';
import { addConnection } from '../support/connections.js';
import { describeOnBackends, describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { archived, conversation } from '../support/fake-whatsapp/archive.js';
import type { HistoryAnswer } from '../support/fake-whatsapp/history-requests.js';
import { fakePhones, historyPage, historyPages, phoneWith } from '../support/history-pages.js';
import { importOf, linkDevice } from '../support/importing.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { select, transcript } from '../support/shown.js';
import { ANA, live, T0 } from '../support/webhooks.js';

const PN = `${ANA}@s.whatsapp.net`;
const OLD = Array.from({ length: 30 }, (_, n) =>
  archived({ chat: PN, id: `A${n}`, at: T0 - 3000 + n * 100 }),
);
const CHAT = [...OLD, archived({ chat: PN, id: 'hello', at: T0 })];
const PHONE = phoneWith({ id: PN, messages: CHAT });

/** A customer who wrote once by webhook, and whose phone has thirty messages more. */
async function shop(store: Store): Promise<void> {
  await addConnection(store, { number: '+5511900000000', phoneNumberId: '800000000000001' });
  await linkDevice(store);
  await replayBodies(store, [live('hello', 0)], { register: false });
}

/** Without the requests of which more may still come. */
function gapsIn(store: Store): Promise<unknown[]> {
  return select(
    store,
    `select chat_jid, anchor_id, behind_id, reason, attempts from history_gaps where reason <> 'asked'`,
  );
}

describeOnBackends('import: an answer that leaves a part out', (backend) => {
  test('is noticed by the next message that the phone has, and asked for again', async () => {
    const store = await backend.open();
    await shop(store);
    let asked = 0;
    // The first answer lacks its newest five messages.
    const phones = fakePhones((request) => {
      asked += 1;
      return asked === 1 ? { conversations: [conversation(PN, OLD.slice(20, 25))] } : PHONE(request);
    });
    const result = await importOf(store, phones, { count: 10 });
    expect(phones.requests.map(({ anchor, count }) => [anchor.id, count])).toEqual([
      ['hello', 10],
      ['hello', 1],
      ['hello', 10],
    ]);
    // The files of what only completes an answer have no time of their own.
    expect(phones.requests.map(({ isFurther }) => isFurther)).toEqual([undefined, true, true]);
    expect(result).toMatchObject({
      outcome: 'fetched',
      status: 'completed',
      messages: { created: 10 },
      fetch: { gaps: [{ reason: 'short', before: new Date(T0 * 1000).toISOString(), filled: true }] },
    });
    expect(await transcript(store)).toHaveLength(11);
    expect(await gapsIn(store)).toEqual([]);
  });

  const END = {
    endOfHistoryTransferType:
      proto.Conversation.EndOfHistoryTransferType.COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY,
  };
  /** The whole chat in chunks of ten, the newest first; every one says that there is nothing older. */
  const CHUNKS = [20, 10, 0].map((at) => ({
    conversations: [conversation(PN, OLD.slice(at, at + 10), END)],
  }));

  const chunks = [
    { lost: 'newest', at: 0 },
    { lost: 'middle', at: 1 },
    { lost: 'oldest', at: 2 },
  ];
  test.each(backend.onServer(chunks))(
    'is noticed when the $lost of its chunks never comes, whatever it says of the end',
    async ({ at }) => {
      const store = await backend.open();
      await shop(store);
      let asked = 0;
      const phones = fakePhones((request) => {
        asked += 1;
        return asked === 1 ? historyPages(CHUNKS.toSpliced(at, 1)) : PHONE(request);
      });
      const result = await importOf(store, phones, { count: 50, pages: 5 });
      expect(result).toMatchObject({ outcome: 'end_of_history', status: 'completed' });
      expect(await transcript(store)).toHaveLength(31);
      expect(await gapsIn(store)).toEqual([]);
    },
  );

  /** One chunk of the chat, which says that there is nothing older, and then not a word more. */
  function quietAfter(...chunks: typeof CHUNKS) {
    let asked = 0;
    return fakePhones((request) => {
      asked += 1;
      if (asked === 1) return historyPages(chunks);
      return request.anchor.id === (chunks.length === 1 ? 'A20' : 'A10') ? 'silence' : PHONE(request);
    });
  }

  backend.once('whose oldest chunk is lost claims no end, and is on record where several came', async () => {
    const store = await backend.open();
    await shop(store);
    const result = await importOf(store, quietAfter(...CHUNKS.slice(0, 2)), { count: 50, pages: 5 });
    const oldest = new Date((T0 - 3000 + 10 * 100) * 1000).toISOString();
    expect(result).toMatchObject({
      outcome: 'fetched',
      status: 'partial',
      fetch: {
        unconfirmedEnd: oldest,
        gaps: [{ reason: 'short', after: null, before: oldest, filled: false }],
      },
    });
    const { document } = presentImport(result, { argv: ['import', ANA], timeoutMs: 1000 });
    const words = JSON.stringify(document);
    expect(words).toContain(`Messages may be missing before ${oldest}`);
    expect(words).not.toContain('nothing older.');
    expect(words).not.toContain('end_of_history');
    // A phone that stays silent leaves it on record; one that answers brings it in.
    const again = { count: 50, phase: 'fetch', force: true } as const;
    expect(
      await importOf(
        store,
        fakePhones(() => 'silence'),
        again,
      ),
    ).toMatchObject({ outcome: 'silent', fetch: { gaps: [{ after: null, filled: false }] } });
    expect(await gapsIn(store)).toMatchObject([{ anchor_id: 'A10', behind_id: '' }]);
    expect(await importOf(store, fakePhones(PHONE), again)).toMatchObject({
      outcome: 'end_of_history',
      status: 'completed',
      fetch: { gaps: [] },
    });
    expect(await transcript(store)).toHaveLength(31);
    expect(await gapsIn(store)).toEqual([]);
  });

  backend.once('that is one chunk alone claims no end that the phone does not confirm', async () => {
    const store = await backend.open();
    await shop(store);
    const result = await importOf(store, quietAfter(...CHUNKS.slice(0, 1)), { count: 50, pages: 5 });
    const oldest = new Date((T0 - 3000 + 20 * 100) * 1000).toISOString();
    expect(result).toMatchObject({
      outcome: 'fetched',
      status: 'completed',
      fetch: { unconfirmedEnd: oldest, gaps: [] },
    });
    const { document } = presentImport(result, { argv: ['import', ANA], timeoutMs: 1000 });
    expect(JSON.stringify(document)).toContain(`Messages before ${oldest} may be missing`);
  });

  test('is named by link status, report, verify and explain, with the command that requests it', async () => {
    const store = await backend.open();
    await shop(store);
    await importOf(
      store,
      fakePhones(({ count }) =>
        count === 1 ? 'silence' : { conversations: [conversation(PN, OLD.slice(20, 25))] },
      ),
      { count: 10 },
    );
    await store.sql.execute(`delete from linked_devices`);
    await linkDevice(store);
    const ctx = testContext(store);
    const command = {
      command: 'import',
      args: [`+${ANA}`, '--connection', 'loja', '--phase', 'fetch', '--force'],
    };
    const from = new Date((T0 - 3000 + 24 * 100) * 1000);
    const to = new Date(T0 * 1000);
    const status = await deviceStatus(ctx, {
      database: { kind: 'pglite', directory: '' },
      lockWaitMs: 0,
      secretKey: null,
      check: false,
    });
    expect(status.devices).toMatchObject([
      {
        owed: {
          gaps: 1,
          parts: [
            {
              contact: `+${ANA}`,
              from: from.toISOString(),
              to: to.toISOString(),
              proven: false,
              reason: 'short',
              remedy: command,
            },
          ],
        },
      },
    ]);
    const words = `essages of +${ANA} between ${minuteOf(from.getTime())} and ${minuteOf(to.getTime())} may be missing`;
    const { alerts } = await report(ctx, reportOptions());
    expect(alerts.filter(({ kind }) => kind === 'history_owed')).toMatchObject([
      { kind: 'history_owed', message: `M${words}.`, remedy: command },
    ]);
    const check = await runCheck(store, 'history_ledger');
    expect(check.result.remedy).toContain(`wa-reconcile import ${command.args.join(' ')}`);
    expect(JSON.stringify(check)).toContain(words);
    expect(check.result.summary).not.toContain('1 history complete');
    const explained = await ask(store, `+${ANA}`);
    expect(explained.notices.join()).toContain(words);
    expect(explained.remedies).toContainEqual({ do: 'import', contact: `+${ANA}`, connection: 'loja' });
  });

  backend.once('is noticed when it is full without a chunk of its middle', async () => {
    const store = await backend.open();
    await shop(store);
    let asked = 0;
    const phones = fakePhones((request) => {
      asked += 1;
      return asked === 1 ? historyPages(CHUNKS.toSpliced(1, 1)) : PHONE(request);
    });
    expect(await importOf(store, phones, { count: 20, pages: 5 })).toMatchObject({ status: 'completed' });
    expect(await transcript(store)).toHaveLength(31);
  });

  test('that cannot be had now is on record, and the next import asks for it first', async () => {
    const store = await backend.open();
    await shop(store);
    let asked = 0;
    const broken = fakePhones((request) => {
      asked += 1;
      if (asked === 1) return { conversations: [conversation(PN, OLD.slice(20, 25))] };
      return asked === 2 ? PHONE(request) : 'silence';
    });
    const first = await importOf(store, broken, { count: 10 });
    expect(first).toMatchObject({
      outcome: 'fetched',
      status: 'partial',
      fetch: { gaps: [{ reason: 'short', filled: false }] },
    });
    expect(await gapsIn(store)).toEqual([
      { chat_jid: PN, anchor_id: 'hello', behind_id: 'A24', reason: 'short', attempts: 0 },
    ]);
    const phones = fakePhones(PHONE);
    const second = await importOf(store, phones, { count: 10, phase: 'fetch', force: true });
    expect(phones.requests.map(({ anchor }) => anchor.id)).toEqual(['hello', 'hello', 'A20', 'A20']);
    expect(second).toMatchObject({ status: 'completed', fetch: { gaps: [{ filled: true }] } });
    // A29, which the look had brought, and the rest.
    expect(await transcript(store)).toHaveLength(21);
    expect(await gapsIn(store)).toEqual([]);
  });

  backend.once('a file of the answer that cannot be had is such a part', async () => {
    const store = await backend.open();
    await shop(store);
    let asked = 0;
    const phones = fakePhones(async (request) => {
      asked += 1;
      if (asked > 1) return 'silence';
      expect(request.count).toBe(10);
      return {
        ...(await historyPage({ conversations: [conversation(PN, OLD.slice(20, 25))] })),
        missing: 'file',
      };
    });
    expect(await importOf(store, phones, { count: 10 })).toMatchObject({
      status: 'partial',
      fetch: { requests: 2, gaps: [{ reason: 'file', filled: false }] },
    });
    expect(await gapsIn(store)).toMatchObject([{ reason: 'file' }]);
  });

  test('a gap of several pages is closed piece by piece, and a kill in between costs nothing', async () => {
    const store = await backend.open();
    await shop(store);
    let asked = 0;
    const first = fakePhones((request) => {
      asked += 1;
      if (asked === 1) return { conversations: [conversation(PN, OLD.slice(0, 2))] };
      return asked < 4 ? PHONE(request) : 'silence';
    });
    expect(await importOf(store, first, { count: 5 })).toMatchObject({
      fetch: { gaps: [{ filled: false }] },
    });
    expect(await gapsIn(store)).toMatchObject([{ anchor_id: 'A25', behind_id: 'A1' }]);
    for (let n = 0; n < 2; n += 1)
      await importOf(store, fakePhones(PHONE), { count: 5, phase: 'fetch', force: true });
    expect(await gapsIn(store)).toEqual([]);
    expect(await transcript(store)).toHaveLength(31);
  });

  backend.once('that the phone does not confirm to be whole is on record, too', async () => {
    const store = await backend.open();
    await shop(store);
    // The first answer lacks its newest five messages, and the phone says nothing to the look.
    const quiet = fakePhones(({ count }) =>
      count === 1 ? 'silence' : { conversations: [conversation(PN, OLD.slice(20, 25))] },
    );
    expect(await importOf(store, quiet, { count: 10 })).toMatchObject({
      outcome: 'fetched',
      status: 'partial',
      fetch: { gaps: [{ reason: 'short', filled: false }] },
    });
    expect(await gapsIn(store)).toMatchObject([{ anchor_id: 'hello', behind_id: 'A24', reason: 'short' }]);
    const second = await importOf(store, fakePhones(PHONE), { count: 10, phase: 'fetch', force: true });
    expect(second).toMatchObject({ status: 'completed', fetch: { gaps: [{ filled: true }] } });
    expect((await transcript(store)).join()).toContain('A29');
    expect(await gapsIn(store)).toEqual([]);
  });

  const { COMPLETE_ON_DEMAND_SYNC_BUT_MORE_MSG_REMAIN_ON_PRIMARY: MORE } =
    proto.Conversation.EndOfHistoryTransferType;
  const NOTHING_BUT_MORE = { conversations: [conversation(PN, [], { endOfHistoryTransferType: MORE })] };
  const NOTHING = { conversations: [conversation(PN, [])] };

  const looks = [
    { look: 'says that more remains', empty: NOTHING_BUT_MORE },
    { look: 'says nothing', empty: NOTHING },
    { look: 'claims the end', empty: { conversations: [conversation(PN, [], END)] } },
  ];
  test.each(backend.onServer(looks))(
    'is on record where the look in front of it comes back empty and $look',
    async ({ empty }) => {
      const store = await backend.open();
      await shop(store);
      // Every answer from the second page on lacks its newest five messages, and so does the look.
      const lacking = fakePhones((request) => {
        const answer = PHONE(request);
        if (answer === 'silence' || request.anchor.id === 'hello') return answer;
        if (request.count === 1) return empty;
        const [chat] = answer.conversations;
        return { conversations: [{ ...chat, id: PN, messages: (chat?.messages ?? []).slice(5) }] };
      });
      const result = await importOf(store, lacking, { count: 10, pages: 2 });
      expect(lacking.requests.map(({ anchor, count }) => [anchor.id, count])).toEqual([
        ['hello', 10],
        ['hello', 1],
        ['A21', 11],
        ['A20', 1],
      ]);
      expect(result).toMatchObject({
        outcome: 'fetched',
        status: 'partial',
        messages: { created: 16 },
        fetch: { gaps: [{ reason: 'short', filled: false }] },
      });
      expect(exitCodeOfImport(result)).toBe(4);
      expect(result.remedies[0]).toMatchObject({ command: 'import' });
      expect(await gapsIn(store)).toEqual([
        { chat_jid: PN, anchor_id: 'A20', behind_id: 'A15', reason: 'short', attempts: 0 },
      ]);
      // The same phone again: still open. An honest one: filled.
      const again = { count: 10, phase: 'fetch', force: true } as const;
      expect(await importOf(store, lacking, again)).toMatchObject({ status: 'partial' });
      expect(await importOf(store, fakePhones(PHONE), again)).toMatchObject({ status: 'completed' });
      expect(await gapsIn(store)).toEqual([]);
      expect((await transcript(store)).filter((line) => /A1\d$/.test(line))).toHaveLength(10);
    },
  );

  const pages = [
    { where: 'the first', full: 'hello', from: 10, gap: { anchor_id: 'hello', newest: 'A19' } },
    { where: 'the second', full: 'A21', from: 4, gap: { anchor_id: 'A20', newest: 'A14' } },
  ];
  test.each(backend.onServer(pages))(
    'is noticed in front of $where page though it is full, and filled',
    async ({ full, from }) => {
      const store = await backend.open();
      await shop(store);
      let asked = 0;
      // As many as were asked for in one chunk, but not those directly before the message.
      const phones = fakePhones((request) => {
        const { anchor, count } = request;
        if (anchor.id !== full || count === 1 || ++asked > 1) return PHONE(request);
        return { conversations: [conversation(PN, OLD.slice(from, from + count))] };
      });
      const result = await importOf(store, phones, { count: 10, pages: 4 });
      expect(result).toMatchObject({
        status: 'completed',
        fetch: { gaps: [{ reason: 'short', filled: true }] },
      });
      expect((await transcript(store)).filter((line) => /A\d+$/.test(line))).toHaveLength(30);
      expect(await gapsIn(store)).toEqual([]);
    },
  );

  backend.once('is not filled by a full page that lacks the message which the phone has shown', async () => {
    const store = await backend.open();
    await shop(store);
    // Asked for one, the phone shows A29; asked for ten, it sends the ten before A25.
    const skipping = fakePhones(({ count }) =>
      count === 1
        ? { conversations: [conversation(PN, OLD.slice(29))] }
        : {
            conversations: [
              conversation(PN, skipping.requests.length > 2 ? OLD.slice(15, 25) : OLD.slice(20, 25)),
            ],
          },
    );
    const result = await importOf(store, skipping, { count: 10 });
    expect(skipping.requests.map(({ count }) => count)).toEqual([10, 1, 10]);
    expect(result).toMatchObject({
      status: 'partial',
      fetch: { gaps: [{ reason: 'short', filled: false }] },
    });
    expect(await gapsIn(store)).toMatchObject([{ anchor_id: 'hello', behind_id: 'A24' }]);
  });

  test('and that is empty, though more remains, is no success and is on record until something comes', async () => {
    const store = await backend.open();
    await shop(store);
    const again = { count: 10, phase: 'fetch', force: true } as const;
    for (let n = 0; n < 2; n += 1) {
      const result = await importOf(
        store,
        fakePhones(() => NOTHING_BUT_MORE),
        again,
      );
      const before = new Date(T0 * 1000).toISOString();
      expect(result).toMatchObject({
        outcome: 'empty',
        status: 'partial',
        fetch: { requests: 1, gaps: [{ reason: 'short', after: null, before, filled: false }] },
      });
      expect(exitCodeOfImport(result)).toBe(4);
      const { document } = presentImport(result, { argv: ['import', ANA], timeoutMs: 1000 });
      expect(document.verdict?.mark).toBe('warn');
      expect(JSON.stringify(document)).toContain('it has older messages, but sent none of them');
      expect(await gapsIn(store)).toMatchObject([{ anchor_id: 'hello', behind_id: '' }]);
    }
    // Empty without a word about the rest: it stays open.
    const silent = await importOf(
      store,
      fakePhones(() => NOTHING),
      again,
    );
    expect(silent).toMatchObject({ outcome: 'empty', status: 'partial' });
    expect(await gapsIn(store)).toHaveLength(1);
    expect(await importOf(store, fakePhones(PHONE), again)).toMatchObject({
      outcome: 'fetched',
      status: 'completed',
    });
    expect(await gapsIn(store)).toEqual([]);
  });

  backend.once(
    'and says that it was the end is not believed where the look says that more remains',
    async () => {
      const store = await backend.open();
      await shop(store);
      const phone = ({ count, anchor }: PageRequest): HistoryAnswer =>
        anchor.id !== 'hello'
          ? NOTHING_BUT_MORE
          : { conversations: [conversation(PN, count === 1 ? OLD.slice(29) : OLD.slice(25), END)] };
      const result = await importOf(store, fakePhones(phone), { count: 5, pages: 3 });
      // As many as were asked for in one chunk: nothing is missing behind it, and it is taken at its word.
      expect(result).toMatchObject({ outcome: 'end_of_history', status: 'completed' });
      const other = await backend.open();
      await shop(other);
      const denied = await importOf(other, fakePhones(phone), { count: 10, pages: 3 });
      expect(denied).toMatchObject({
        outcome: 'fetched',
        status: 'partial',
        fetch: { gaps: [{ after: null, filled: false }] },
      });
    },
  );

  test('a short answer without anything missing is no gap, and is counted once', async () => {
    const store = await backend.open();
    await shop(store);
    const phones = fakePhones(() => ({ conversations: [conversation(PN, OLD.slice(25))] }));
    expect(await importOf(store, phones, { count: 10 })).toMatchObject({
      outcome: 'fetched',
      status: 'completed',
      messages: { seen: 5, created: 5, unchanged: 0 },
      fetch: { requests: 2, gaps: [] },
    });
    expect(await select(store, `select status from webhook_log where status <> 'processed'`)).toEqual([]);
  });
});

describeOnServer('import: a device that is lost on a look', (backend) => {
  test.each(['logged_out', 'conflict'] as const)('is the outcome, whatever came before: %s', async (kind) => {
    const store = await backend.open();
    await shop(store);
    const lost = fakePhones(({ count }) =>
      count === 1 ? { kind } : { conversations: [conversation(PN, OLD.slice(20, 25))] },
    );
    const result = await importOf(store, lost, { count: 10 });
    expect(result).toMatchObject({
      outcome: kind,
      status: 'partial',
      messages: { created: 5 },
      fetch: { gaps: [{ reason: 'short', filled: false }] },
    });
    expect(exitCodeOfImport(result)).toBe(4);
    const again = { command: 'import', args: [ANA, '--phase', 'fetch', '--force'] };
    const link = { command: 'link', args: ['--connection', 'loja'] };
    expect(result.remedies).toMatchObject(kind === 'logged_out' ? [link, again] : [again]);
  });

  test('is unlinked in link status until another one is linked, or an import gets through', async () => {
    const store = await backend.open();
    await shop(store);
    const options = {
      database: { kind: 'pglite', directory: '' },
      lockWaitMs: 0,
      secretKey: null,
      check: false,
    } as const;
    const known = async (): Promise<string | undefined> =>
      (await deviceStatus(testContext(store), options)).devices[0]?.whatsapp;
    const fetch = { phase: 'fetch', force: true } as const;
    const gone = fakePhones(() => ({ kind: 'logged_out' }));
    expect(await known()).toBe('unchecked');
    await importOf(store, gone, fetch);
    expect(await known()).toBe('logged_out');
    // What asks no phone says nothing about it.
    await importOf(store, gone, { phase: 'cache' });
    expect(await known()).toBe('logged_out');
    await importOf(store, fakePhones(PHONE), fetch);
    expect(await known()).toBe('unchecked');
    await importOf(store, gone, fetch);
    expect(await known()).toBe('logged_out');
    await store.sql.execute(`delete from linked_devices`);
    await linkDevice(store);
    await store.sql.execute(`update linked_devices set created_at = now() + interval '1 second'`);
    expect(await known()).toBe('unchecked');
  });
});

describeOnServer('a file of the history that did not arrive', (backend) => {
  test('makes the history incomplete, and is a possible reason wherever a contact is asked about', async () => {
    const store = await backend.open();
    await shop(store);
    for (const state of ['whole', 'owed'] as const) {
      if (state === 'owed')
        await store.sql.execute(
          `insert into owed_files (connection_id, file_id, notification, announced_at, error)
           select id, 'f1', '\\x00'::bytea, now(), 'HTTP 404' from connections`,
        );
      await store.sql.execute(`update connections set history_sync_status = 'completed'`);
      const result = await report(testContext(store), reportOptions());
      const { document } = presentReport(result, { blocks: true });
      const check = await runCheck(store, 'history_ledger');
      const explained = await ask(store, `+${ANA}`);
      const nobody = await ask(store, '+5511912340000');
      const imported = await importOf(store, fakePhones(PHONE), { phase: 'cache' });
      const link = { do: 'link', connection: 'loja' };
      const said = JSON.stringify(
        presentImport(imported, { argv: ['import', ANA], timeoutMs: 1000 }).document,
      );
      if (state === 'whole') {
        expect(check.result.summary).toBe('1 history complete');
        expect(JSON.stringify([explained.notices, nobody.notices, said])).not.toContain('did not arrive');
        expect(JSON.stringify(document)).toContain('completed');
        continue;
      }
      expect(result.connections).toMatchObject([{ historySync: { status: 'completed', missingFiles: 1 } }]);
      expect(JSON.stringify(document)).toContain('incomplete, 1 file missing');
      expect(check.result.summary).toBe('1 history with parts that did not arrive');
      expect(check.result.remedy).toContain('wa-reconcile link --connection loja');
      for (const { notices, remedies } of [explained, nobody]) {
        expect(notices).toEqual([
          'loja: 1 file of its history did not arrive; messages of this contact may be in it',
        ]);
        expect(remedies).toContainEqual(link);
      }
      expect(said).toContain("1 file of the history of 'loja' did not arrive");
      expect(imported.remedies).toContainEqual(
        expect.objectContaining({ command: 'link', args: ['--connection', 'loja'] }),
      );
    }
  });
});
