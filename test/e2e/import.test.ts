import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it, vi } from 'vitest';
import type { ImportResult } from '../../src/commands/import/types.js';
import { addConnection } from '../support/connections.js';
import { describeOnBackends, useBackend } from '../support/databases.js';
import { type FakePerson, lidOf, pnOf } from '../support/fake-whatsapp/account.js';
import {
  type ArchivedMessage,
  answerFromArchive,
  archived,
  conversation,
} from '../support/fake-whatsapp/archive.js';
import { until } from '../support/fake-whatsapp/session.js';
import { historyEvent } from '../support/history-pages.js';
import { linkedMachine, type LinkedMachine, type LinkedOptions } from '../support/linked-machine.js';
import { replayBodies } from '../support/replaying.js';
import { transcript } from '../support/shown.js';
import { ANA, echo, live, T0 } from '../support/webhooks.js';
import { readImport } from './import-json.js';
import { useMachines } from './installation.js';

vi.mock('../../src/whatsapp/assumptions.js', async (load) =>
  (await import('../support/short-pauses.js')).shorten(await load<object>()),
);

const PERSON: FakePerson = { phone: ANA, lid: '998877665544332', name: 'Ana' };
const PN = pnOf(PERSON);
const LID = lidOf(PERSON);
/** What Ana and the business wrote today, by webhook. */
const TODAY = [live('hello', 0), echo('answer', 60)];

/** Ana's chat on the phone under this address: 20 old messages, then today's. */
function chatOf(address = PN): proto.IWebMessageInfo[] {
  const old = Array.from({ length: 20 }, (_, index) =>
    archived({ chat: address, id: `A${index}`, at: T0 - 2000 + index * 10, fromMe: index % 2 === 1 }),
  );
  return [
    ...old,
    archived({ chat: address, id: 'hello', at: T0 }),
    archived({ chat: address, id: 'answer', at: T0 + 60, fromMe: true }),
  ];
}

const PHONE = { id: PN, lidJid: LID, name: 'Ana', messages: chatOf() };

const postgresql = useMachines(useBackend('postgresql'));

async function linked(options: LinkedOptions = {}): Promise<LinkedMachine> {
  return linkedMachine(await postgresql.install(), { before: TODAY, ...options });
}

const IMPORT = ['import', `+${ANA}`];

/** What a call of the command said and ended with, in this process or in one of its own. */
interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Imports in this process, and reads the JSON. */
async function imported(
  site: LinkedMachine,
  ...flags: string[]
): Promise<{ result: ImportResult; ended: Ended }> {
  return read(site, await site.call([...JSON_IMPORT, ...flags]));
}

/** The same, by the built command. */
async function importedByItself(
  site: LinkedMachine,
  ...flags: string[]
): Promise<{ result: ImportResult; ended: Ended }> {
  return read(site, await site.machine.run([...JSON_IMPORT, ...flags], { env: site.env }));
}

const JSON_IMPORT = [...IMPORT, '--json', '--page-pause', '10ms'];

/** The JSON; the witness is still online, on its first login. */
function read({ witness }: LinkedMachine, ended: Ended): { result: ImportResult; ended: Ended } {
  expect(ended.stdout, ended.stderr).toMatch(/^\{/);
  const result = readImport(ended.stdout);
  expect(witness.isOpen).toBe(true);
  expect(witness.device.logins).toBe(1);
  return { result, ended };
}

function bodies({ machine }: LinkedMachine): Promise<string[]> {
  return machine.look(transcript);
}

describeOnBackends('import, end to end', (backend) => {
  const machines = useMachines(backend);

  it('fetches a page before the oldest message, which came through the Cloud API, and ends at once', async () => {
    const site = await linkedMachine(await machines.install(), { before: TODAY });
    site.fake.onHistoryRequest(answerFromArchive([PHONE]));
    const startedAt = performance.now();
    const { result, ended } = await importedByItself(site, '--count', '5');
    expect(ended.code).toBe(0);
    // Timers of Baileys live for half a minute; the command does not wait for them.
    expect(performance.now() - startedAt).toBeLessThan(25_000);
    expect(result).toMatchObject({
      outcome: 'fetched',
      status: 'completed',
      connection: { name: 'loja', kind: 'coexistence' },
      messages: { seen: 5, created: 5 },
      fetch: { requests: 2, anchor: { id: 'hello', fromMe: false, address: PN } },
    });
    // The second one looks whether the page begins with the message directly before.
    expect(site.fake.historyRequests).toMatchObject([
      { chatJid: PN, oldestMessageId: 'hello', oldestMessageTimestamp: T0, count: 5 },
      { chatJid: PN, oldestMessageId: 'hello', oldestMessageTimestamp: T0, count: 1 },
    ]);
    expect((await bodies(site)).slice(0, 2)).toEqual(['< A15', '> A16']);
    expect(site.device.isOnline).toBe(false);
    expect(site.device.isRemoved).toBe(false);
  });

  it('two at once: the second is told who has the first, with exit 5', async () => {
    const site = await linkedMachine(await machines.install(), { before: TODAY });
    const { machine, env } = site;
    const first = await machine.start([...IMPORT, '--timeout', '20s'], { env });
    await until(() => site.fake.historyRequests.length > 0);
    const second = await machine.run(IMPORT, { env });
    expect(second.code).toBe(5);
    expect(second.stderr).toMatch(new RegExp(`in use by import .*\\b${first.process.pid ?? 0}\\b`));
    expect(site.device.logins).toBe(1);
    first.process.kill('SIGINT');
    expect((await first.ended).code).toBe(130);
  });
});

describe('import: pages', () => {
  it('page by page to the end, which only the raw event still says on the second page', async () => {
    const site = await linked();
    site.fake.onHistoryRequest(answerFromArchive([PHONE]));
    const { result, ended } = await imported(site, '--count', '15', '--pages', '5');
    expect(ended.code).toBe(0);
    expect(result).toMatchObject({
      outcome: 'end_of_history',
      messages: { created: 20 },
      // The last ones look whether the short page is whole, and whether its end is one.
      fetch: { requests: 4, pages: [{ endOfHistory: false }, { endOfHistory: true }] },
    });
    expect(await bodies(site)).toHaveLength(22);
  });

  it.each(['inline', 'blob'] as const)('goes back to --until, %s', async (as) => {
    const site = await linked();
    site.fake.onHistoryRequest(answerFromArchive([PHONE], { as }));
    const back = new Date((T0 - 1900) * 1000).toISOString();
    const { result } = await imported(site, '--count', '6', '--until', back);
    expect(result).toMatchObject({ outcome: 'fetched', messages: { created: 12 } });
    expect(site.fake.downloads).toHaveLength(as === 'blob' ? 3 : 0);
  });

  it('gives what the raw log has without any socket', async () => {
    const site = await linked({ before: [] });
    const event = await historyEvent({ conversations: [conversation(PN, chatOf().slice(0, 20))] });
    // Two connections, so that nobody could say whose the event is when it was replayed.
    await site.machine.look((store) => replayBodies(store, [event].map(utf8), { register: false }));
    const { result, ended } = await imported(site, '--connection', 'loja');
    expect(ended.code).toBe(0);
    expect(result).toMatchObject({ outcome: 'cache', messages: { created: 20 }, fetch: { requests: 0 } });
    expect(site.device.logins).toBe(0);
  });

  it('a dry run says what it would ask, and asks nobody', async () => {
    const site = await linked();
    const { result, ended } = await imported(site, '--dry-run');
    expect(ended.code).toBe(0);
    expect(result).toMatchObject({ outcome: 'would_fetch', runId: null, fetch: { anchor: { id: 'hello' } } });
    expect(site.device.logins).toBe(0);
  });

  it('M10: what overlaps with the rows of the Cloud API gives no doubles', async () => {
    const site = await linked();
    site.fake.onHistoryRequest(() => ({ conversations: [conversation(PN, chatOf().slice(18))] }));
    const { result } = await imported(site);
    expect(result.messages).toMatchObject({ seen: 4, created: 2 });
    expect(await bodies(site)).toEqual(['> A18', '< A19', '> hello', '< answer']);
  });
});

describe('import: addresses', () => {
  it('a chat by LID whose number is known only from the mapping', async () => {
    const site = await linked();
    const answer = answerFromArchive([{ id: PN, answersAs: LID, messages: chatOf(LID) }]);
    site.fake.onHistoryRequest(async (request) => {
      const answered = await answer(request);
      return answered === 'silence' || !('conversations' in answered)
        ? 'silence'
        : { ...answered, mappings: [{ pn: PN, lid: LID }] };
    });
    const { result } = await imported(site, '--count', '12', '--pages', '5');
    expect(result).toMatchObject({
      outcome: 'end_of_history',
      fetch: { requests: 4 },
      messages: { created: 20 },
    });
    expect(await leads(site)).toEqual([{ phone_number: `+${ANA}` }]);
  });

  it('a chat by LID that only the device knows, from a message that came before', async () => {
    const site = await linked();
    await site.fake.pushMessage(PERSON, { conversation: 'by the way' });
    site.fake.onHistoryRequest(answerFromArchive([{ id: PN, answersAs: LID, messages: chatOf(LID) }]));
    const { result } = await imported(site);
    expect(result).toMatchObject({ outcome: 'end_of_history', messages: { created: 20 } });
    expect(await leads(site)).toEqual([{ phone_number: `+${ANA}` }]);
  });

  it('a chat by LID of which nobody knows whose it is: not this contact’s, and not lost', async () => {
    const site = await linked();
    site.fake.onHistoryRequest(answerFromArchive([{ id: PN, answersAs: LID, messages: chatOf(LID) }]));
    const { result } = await imported(site);
    expect(result).toMatchObject({
      outcome: 'empty',
      messages: { created: 0, skipped: { other_contact: 20 } },
      fetch: { pages: [{ received: 20, ofOthers: 20 }] },
    });
  });

  it('a chat by LID without mapping: a lead without phone', async () => {
    const newest = await historyEvent({ conversations: [conversation(LID, chatOf(LID).slice(20))] });
    const site = await linked({ kind: 'baileys', before: [utf8(newest)] });
    site.fake.onHistoryRequest(answerFromArchive([{ id: LID, messages: chatOf(LID) }]));
    const { code, stdout } = await site.call(['import', LID, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: 'end_of_history',
      contact: { phone: null },
      messages: { created: 20 },
    });
    expect(site.fake.historyRequests.map(({ chatJid, count }) => [chatJid, count])).toEqual([
      [LID, 50],
      [LID, 1],
      [LID, 1],
    ]);
    expect(await leads(site)).toEqual([{ phone_number: null }]);
  });

  it('a phone that answers under the other address, without the id of the request', async () => {
    const site = await linked({ before: [...TODAY, utf8(await mapping())] });
    site.fake.onHistoryRequest(
      answerFromArchive([{ id: PN, answersAs: LID, pnJid: PN, messages: chatOf() }], {
        from: 'lid',
        sessionId: 'none',
      }),
    );
    const { result } = await imported(site);
    expect(result).toMatchObject({ outcome: 'end_of_history', messages: { created: 20 } });
    expect(await leads(site)).toHaveLength(1);
  });

  it('a phone that knows the chat by its LID only: silent about the number, then asked once more', async () => {
    const site = await linked({ before: [...TODAY, utf8(await mapping())] });
    site.fake.onHistoryRequest(answerFromArchive([{ id: LID, pnJid: PN, messages: chatOf(LID) }]));
    const { result } = await imported(site, '--timeout', '500ms');
    expect(result).toMatchObject({
      outcome: 'end_of_history',
      fetch: { requests: 4 },
      messages: { created: 20 },
    });
    expect(site.fake.historyRequests.map(({ chatJid }) => chatJid)).toEqual([PN, LID, LID, LID]);
  });
});

describe('import: a number that came through the Cloud API alone', () => {
  it('is asked for by the LID that WhatsApp lists, when the phone does not know the number', async () => {
    const site = await linked();
    site.fake.introduce(PERSON);
    site.fake.onHistoryRequest(answerFromArchive([{ id: LID, pnJid: PN, messages: chatOf(LID) }]));
    const { result } = await imported(site, '--timeout', '500ms');
    expect(result).toMatchObject({ outcome: 'end_of_history', messages: { created: 20 } });
    expect(site.fake.historyRequests.map(({ chatJid }) => chatJid)).toEqual([PN, LID, LID, LID]);
    expect(await leads(site)).toHaveLength(1);
  });
});

describe('import: what an answer holds', () => {
  it('leaves out groups, status, newsletters and other chats, and keeps them for a replay', async () => {
    const site = await linked();
    const group = '120363000000000000@g.us';
    const letter = '120363000000000001@newsletter';
    const stranger = '5521900000002@s.whatsapp.net';
    const noise: [string, ArchivedMessage][] = [
      [group, { chat: group, id: 'g', at: T0 - 9, participant: stranger }],
      ['status@broadcast', { chat: 'status@broadcast', id: 's', at: T0 - 9, participant: stranger }],
      [letter, { chat: letter, id: 'n', at: T0 - 9 }],
      [stranger, { chat: stranger, id: 'b', at: T0 - 9 }],
    ];
    site.fake.onHistoryRequest(() => ({
      conversations: [
        conversation(PN, chatOf().slice(17, 20)),
        ...noise.map(([id, message]) => conversation(id, [archived(message)])),
      ],
    }));
    const { result, ended } = await imported(site);
    expect(ended.code).toBe(0);
    expect(result.messages).toMatchObject({
      seen: 7,
      created: 3,
      skipped: { group: 1, status_broadcast: 1, newsletter: 1, other_contact: 1 },
    });
    expect(await leads(site)).toHaveLength(1);
    const { code } = await site.call(['replay']);
    expect(code).toBe(0);
    expect(await bodies(site)).toContain('> b');
  });

  it('edited, revoked, ephemeral, view-once, reactions and polls', async () => {
    const site = await linked();
    const { Type } = proto.Message.ProtocolMessage;
    const key = (id: string): proto.IMessageKey => ({ remoteJid: PN, id, fromMe: false });
    const kinds: [string, proto.IMessage][] = [
      ['first', { conversation: 'before the edit' }],
      [
        'edit',
        {
          editedMessage: {
            message: {
              protocolMessage: {
                type: Type.MESSAGE_EDIT,
                key: key('first'),
                editedMessage: { conversation: 'after the edit' },
                timestampMs: (T0 - 90) * 1000,
              },
            },
          },
        },
      ],
      ['gone', { conversation: 'regretted' }],
      ['revoke', { protocolMessage: { type: Type.REVOKE, key: key('gone') } }],
      ['ephemeral', { ephemeralMessage: { message: { conversation: 'for a week' } } }],
      [
        'once',
        { viewOnceMessageV2: { message: { imageMessage: { mimetype: 'image/jpeg', caption: 'look' } } } },
      ],
      [
        'reaction',
        { reactionMessage: { key: key('ephemeral'), text: '👍', senderTimestampMs: (T0 - 50) * 1000 } },
      ],
      [
        'poll',
        {
          pollCreationMessageV3: { name: 'when?', options: [{ optionName: 'now' }, { optionName: 'later' }] },
        },
      ],
      ['timer', { protocolMessage: { type: Type.EPHEMERAL_SETTING, ephemeralExpiration: 604_800 } }],
    ];
    const messages = kinds.map(([id, content], index) =>
      archived({ chat: PN, id, at: T0 - 100 + index, content }),
    );
    site.fake.onHistoryRequest(() => ({ conversations: [conversation(PN, messages)] }));
    const { result, ended } = await imported(site);
    expect(ended.code, JSON.stringify(result.problems)).toBe(0);
    expect(result.messages).toMatchObject({ seen: 6, created: 5, skipped: { protocol: 1 } });
    const rows = await site.machine.look(({ sql }) =>
      sql.query(
        `select external_id, type, body, deleted_at is not null as deleted,
           (select emoji from message_reactions r where r.target_external_id = m.external_id) as emoji
         from messages m where source = 'history' order by timestamp`,
      ),
    );
    expect(rows).toMatchObject([
      { external_id: 'first', body: 'after the edit' },
      { external_id: 'gone', deleted: true },
      { external_id: 'ephemeral', body: 'for a week', emoji: '👍' },
      { external_id: 'once', type: 'image', body: 'look' },
      { external_id: 'poll' },
    ]);
  });
});

describe('import: a list', () => {
  const CHATS = ['5511900000001', '5521900000002', '5531900000003'].map((phone) => {
    const chat = `${phone}@s.whatsapp.net`;
    return {
      phone,
      id: chat,
      messages: [
        archived({ chat, id: `old${phone}`, at: T0 - 100 }),
        archived({ chat, id: `new${phone}`, at: T0 }),
      ],
    };
  });

  it('over one socket, and after a kill from where it was', async () => {
    const site = await linked({ before: CHATS.map(({ phone }) => live(`new${phone}`, 0, { from: phone })) });
    const { machine, env } = site;
    const list = await machine.write(
      'contacts.txt',
      `# customers\n+55 11 90000-0001\n\ntomorrow\n5521900000002@s.whatsapp.net\n5531900000003\n`,
    );
    const answer = answerFromArchive(CHATS);
    site.fake.onHistoryRequest((request) =>
      request.chatJid.startsWith('5531') ? 'silence' : answer(request),
    );
    const argv = ['import', '--from-file', list, '--json', '--page-pause', '10ms'];
    const child = await machine.start(argv, { env });
    await until(() => site.fake.historyRequests.some(({ chatJid }) => chatJid.startsWith('5531')));
    child.process.kill('SIGKILL');
    await child.ended;
    expect(site.device.logins).toBe(1);

    site.fake.onHistoryRequest(answer);
    const { code, stdout, stderr } = await site.call(argv);
    // The line that is no contact was in the earlier part: the list as a whole went wrong in part.
    expect(code, stderr).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'partial',
      contacts: { listed: 4, done: 1, doneBefore: 3, left: 0 },
      imports: [{ line: 6, contact: '5531900000003', outcome: 'end_of_history', created: 1 }],
    });
    expect(await bodies(site)).toHaveLength(6);
    expect(site.witness.isOpen).toBe(true);
  });

  it('from standard input, with one summary that names the bad lines', async () => {
    const site = await linked({ before: CHATS.map(({ phone }) => live(`new${phone}`, 0, { from: phone })) });
    site.fake.onHistoryRequest(answerFromArchive(CHATS));
    const { code, stdout } = await site.call(['import', '--from-file', '-', '--page-pause', '10ms'], {
      stdin: 'tomorrow\n5511900000001\n5521900000002\n',
    });
    expect(code).toBe(4);
    expect(stdout).toContain('3 of 3 contacts done: 2 messages created');
    expect(stdout).toContain("line 1: 'tomorrow' is not a valid contact.");
    expect(site.device.logins).toBe(1);
  });
});

describe('import: when it goes wrong', () => {
  it('tells silence as silence', async () => {
    const site = await linked();
    const startedAt = performance.now();
    const { result, ended } = await imported(site, '--timeout', '700ms');
    expect(ended.code).toBe(1);
    expect(performance.now() - startedAt).toBeGreaterThan(700);
    expect(result).toMatchObject({ outcome: 'silent', fetch: { requests: 1 } });
    expect(result.durationMs).toBeLessThan(8_700);
    const { stdout, stderr } = await site.call([...IMPORT, '--force', '--timeout', '100ms']);
    expect(stdout).toContain('the phone did not answer within 100 ms');
    expect(stdout).toContain('It does not mean that there is no more history.');
    expect(stderr).toContain('asked the phone for page 1, waiting up to 100 ms');
  });

  it('an answer that comes after the timeout is not lost: the next import has it', async () => {
    const site = await linked();
    const { result } = await imported(site, '--timeout', '300ms');
    expect(result.outcome).toBe('silent');
    const [request] = site.fake.historyRequests;
    await site.fake.pushHistory(
      site.device,
      {
        syncType: proto.HistorySync.HistorySyncType.ON_DEMAND,
        conversations: [conversation(PN, chatOf().slice(0, 20))],
      },
      { sessionId: request?.id ?? '' },
    );
    const next = await imported(site, '--timeout', '2s', '--force');
    expect(next.result).toMatchObject({ messages: { created: 20 } });
    // It comes with the login: before the next question, which nobody answers then, or in the place of its answer.
    expect(['fetched', 'silent']).toContain(next.result.outcome);
  });

  it('a file that is announced while the import ends is waited for, and applied in it', async () => {
    const site = await linked();
    const whole = answerFromArchive([PHONE]);
    site.fake.onHistoryRequest(async (request) => {
      const answer = await whole(request);
      const [chat] = answer === 'silence' || !('conversations' in answer) ? [] : answer.conversations;
      if (request.count === 1 || chat === undefined) return answer;
      const messages = chat.messages ?? [];
      // The older half comes when nobody waits for the answer any more, and its file is slow.
      return [
        { conversations: [{ ...chat, messages: messages.slice(10) }] },
        {
          as: 'blob',
          afterMs: 1_400,
          downloadMs: 1_500,
          conversations: [{ ...chat, messages: messages.slice(0, 10) }],
        },
      ];
    });
    const { result } = await imported(site, '--count', '20', '--timeout', '5s');
    expect(result.messages.created + result.cache.created).toBeGreaterThanOrEqual(20);
    expect(await bodies(site)).toHaveLength(22);
  });

  it('asks again when the line was dropped', async () => {
    const site = await linked();
    const answer = answerFromArchive([PHONE]);
    let dropped = false;
    site.fake.onHistoryRequest((request) => {
      if (dropped) return answer(request);
      dropped = true;
      request.device.drop();
      return 'silence';
    });
    const { result, ended } = await imported(site);
    expect(ended.code).toBe(0);
    expect(result).toMatchObject({ outcome: 'end_of_history', fetch: { requests: 4 } });
    expect(site.device.logins).toBe(2);
  });

  it.each(['missing-blob', 'corrupt-blob'] as const)('a %s is a failed download', async (as) => {
    const site = await linked();
    site.fake.onHistoryRequest(answerFromArchive([PHONE], { as }));
    const { result, ended } = await imported(site);
    expect(ended.code).toBe(1);
    expect(result).toMatchObject({ outcome: 'download_failed', messages: { created: 0 } });
    expect(result.reason).not.toBeNull();
  });

  it('leaves on a conflict, and never comes back', async () => {
    const site = await linked();
    site.fake.onHistoryRequest(({ device }) => {
      device.replace();
      return 'silence';
    });
    const { result, ended } = await imported(site);
    expect(ended.code).toBe(1);
    expect(result.outcome).toBe('conflict');
    expect(site.device.logins).toBe(1);
  });

  it.each(['while it waits', 'before'])(
    'says that the device was unlinked on the phone, %s',
    async (when) => {
      const site = await linked();
      if (when === 'before') site.device.unlink();
      site.fake.onHistoryRequest(({ device }) => {
        device.unlink();
        return 'silence';
      });
      const { result, ended } = await imported(site);
      expect(ended.code).toBe(6);
      expect(result.outcome).toBe('logged_out');
    },
  );

  it('says that there is no line, and may be typed again at once', async () => {
    const site = await linked();
    site.fake.refuseConnections(405);
    const first = await imported(site);
    expect(first.ended.code).toBe(1);
    expect(first.result).toMatchObject({ outcome: 'offline', reason: 'outdated', nextAllowedAt: null });
    site.fake.refuseConnections(undefined);
    site.fake.onHistoryRequest(answerFromArchive([PHONE]));
    expect((await imported(site)).result.outcome).toBe('end_of_history');
  });

  it('a second import of the same contact within five minutes is refused, and says when', async () => {
    const site = await linked();
    site.fake.onHistoryRequest(answerFromArchive([PHONE]));
    await imported(site, '--count', '5');
    const { result, ended } = await imported(site);
    expect(ended.code).toBe(2);
    expect(result.outcome).toBe('throttled');
    const inMs = Date.parse(result.nextAllowedAt ?? '') - Date.now();
    expect(inMs).toBeGreaterThan(200_000);
    expect(inMs).toBeLessThan(300_000);
    expect(site.fake.historyRequests).toHaveLength(2);
    expect((await imported(site, '--force')).result.outcome).toBe('end_of_history');
  });

  it('kill -9 in the middle, then again: what came is kept, and the rest is asked for', async () => {
    const site = await linked();
    const answer = answerFromArchive([PHONE]);
    site.fake.onHistoryRequest((request) =>
      request.oldestMessageId === 'hello' ? answer(request) : 'silence',
    );
    const { machine, env } = site;
    const child = await machine.start([...IMPORT, '--pages', '9', '--count', '7', '--page-pause', '10ms'], {
      env,
    });
    await until(() => site.fake.historyRequests.length === 2);
    child.process.kill('SIGKILL');
    await child.ended;
    expect(await bodies(site)).toHaveLength(9);
    site.fake.onHistoryRequest(answer);
    const { result, ended } = await imported(site, '--pages', '9', '--count', '7');
    expect(ended.code).toBe(0);
    expect(result).toMatchObject({ outcome: 'end_of_history', messages: { created: 13 } });
    expect(await bodies(site)).toHaveLength(22);
  });

  it('an answer that a killed import never read is asked for again', async () => {
    const site = await linked();
    let killed: (() => void) | undefined;
    site.fake.onHistoryRequest((request) => {
      killed?.();
      return answerFromArchive([PHONE])(request);
    });
    const { machine, env } = site;
    const child = await machine.start(IMPORT, { env });
    killed = () => child.process.kill('SIGKILL');
    await child.ended;
    killed = undefined;
    const { result, ended } = await imported(site);
    expect(ended.code).toBe(0);
    expect(['end_of_history', 'cache']).toContain(result.outcome);
    expect(await bodies(site)).toHaveLength(22);
  });

  it('a wrong secret key changes nothing', async () => {
    const site = await linked();
    const { machine } = site;
    const stored = (): Promise<unknown> =>
      machine.look(({ sql }) =>
        sql.query(`select encode(credentials, 'hex') as c, updated_at from linked_devices`),
      );
    const before = await stored();
    const wrong = Buffer.alloc(32, 7).toString('base64');
    const { code, stdout, stderr } = await site.call(IMPORT, { env: { WA_RECONCILE_SECRET_KEY: wrong } });
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('it was encrypted with another key');
    expect(stderr).not.toContain(wrong);
    expect(await stored()).toEqual(before);
    expect(site.device.logins).toBe(0);
  });

  it('says what is possible where no device is linked', async () => {
    const machine = await postgresql.install();
    await machine.look(async (store) => {
      await addConnection(store, {
        kind: 'cloud_api',
        number: '+5511900000000',
        phoneNumberId: '800000000000001',
      });
      // An echo would show that the number is in an app as well.
      await replayBodies(store, TODAY.slice(0, 1), { register: false });
    });
    const cloud = await machine.call(IMPORT);
    expect(cloud.code).toBe(6);
    expect(cloud.stdout).toContain('there is no phone that could be asked');
    await machine.look(({ sql }) => sql.execute(`update connections set kind = 'coexistence'`));
    const coexistence = await machine.call(IMPORT);
    expect(coexistence.code).toBe(6);
    expect(coexistence.stdout).toContain('Meta offers no history of a single contact');
    expect(coexistence.stdout).toContain('wa-reconcile link --connection loja');
    const nobody = await machine.call(['import', 'tomorrow']);
    expect(nobody.code).toBe(2);
    expect(nobody.stderr).toContain("'tomorrow' is not a valid contact.");
  });

  it('waits 20 s when nobody says otherwise; ends on Ctrl-C with its socket closed, and keeps the device', async () => {
    const site = await linked();
    const { machine, env } = site;
    const child = await machine.start([...IMPORT, '--json'], { env });
    // That it waits as long as it says, no less and no more, the tests of --timeout show.
    await child.says('asked the phone for page 1, waiting up to 20 s', 'stderr');
    await until(() => site.fake.historyRequests.length > 0);
    expect(site.fake.historyRequests[0]?.count).toBe(50);
    child.process.kill('SIGINT');
    const { code, stdout } = await child.ended;
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'interrupted' });
    await until(() => !site.device.isOnline);
    expect(site.device.isRemoved).toBe(false);
    expect(site.witness.isOpen).toBe(true);
  });

  it('prints nothing of libsignal’s own, whatever the phone does to the session', async () => {
    const site = await linked();
    const answer = answerFromArchive([PHONE]);
    site.fake.onHistoryRequest((request) => {
      site.fake.renewSession(request.device);
      return answer(request);
    });
    const { result, ended } = await importedByItself(site, '--count', '8', '--pages', '3');
    expect(result.outcome).toBe('end_of_history');
    expect(`${ended.stdout}${ended.stderr}`).not.toMatch(/session|privKey|registrationId/i);
  });
});

function leads({ machine }: LinkedMachine): Promise<Record<string, unknown>[]> {
  return machine.look(({ sql }) => sql.query('select phone_number from leads order by 1'));
}

/** A live event that says which LID belongs to the number. */
function mapping(): Promise<Uint8Array> {
  return historyEvent({ conversations: [], mappings: [{ pn: PN, lid: LID }] });
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
