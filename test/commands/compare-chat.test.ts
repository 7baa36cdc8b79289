import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { presentCompareChat } from '../../src/cli/views/compare-chat.js';
import { compareChat } from '../../src/commands/compare-chat/compare-chat.js';
import type {
  CompareChatOptions,
  CompareChatResult,
  ComparedItem,
} from '../../src/commands/compare-chat/types.js';
import type { JsonObject } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { CHAT_FORMS, writeChat, type ChatWriting, type PhoneMessage } from '../support/chat-export.js';
import { describeOnBackends } from '../support/databases.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { ANA, BRU, echo, edit, live, liveFrom, revoke, SECOND, T0, wamid } from '../support/webhooks.js';
import { zipOf } from '../support/zip.js';

const [ANDROID, IPHONE] = ['Android, Brazil', 'iPhone, Brazil'].map((name) =>
  CHAT_FORMS.find((form) => form.name === name),
);
const HELLO = 'Bom dia, ainda tem vaga para sexta?';
const ANSWER = 'Tem sim: as 10h ou as 15h, qual prefere?';
const CHANGED = 'Então prefiro às 15h, pode ser?';

/** What the log holds of a conversation: one message of it, `lost`, never came. */
const LOG: JsonObject[] = [
  liveFrom('Ana', 'hello', 0, { text: { body: HELLO } }),
  echo('answer', 60, { text: { body: ANSWER } }),
  live('ok', 120, { text: { body: 'ok' } }),
  live('photo', 180, { type: 'image', text: undefined, image: { id: '1', mime_type: 'image/jpeg' } }),
  live('secret', 240, { text: { body: 'segredo' } }),
  revoke('secret', 250),
  live('change', 300, { text: { body: 'às 10h' } }),
  edit('change', 'change-2', 320, { type: 'text', text: { body: CHANGED } }),
];

function said(at: number, text: string, sender = 'Ana', isEdited = false): PhoneMessage {
  return { at: (T0 + at) * 1000, sender, shows: { kind: 'text', text, isEdited } };
}

const CHAT: readonly PhoneMessage[] = [
  said(0, HELLO),
  said(60, ANSWER, 'Loja Centro'),
  said(120, 'ok'),
  said(125, 'ok'),
  { at: (T0 + 180) * 1000, sender: 'Ana', shows: { kind: 'file', file: 'image', caption: '' } },
  { at: (T0 + 240) * 1000, sender: 'Ana', shows: { kind: 'deleted' } },
  said(300, CHANGED, 'Ana', true),
  said(400, 'E o endereço, qual é?'),
];

async function chatFile(
  messages: readonly PhoneMessage[],
  name = 'chat.txt',
  writing: Partial<ChatWriting> = {},
): Promise<{ cwd: string; file: string }> {
  const cwd = await mkdtemp(join(tmpdir(), 'wa-reconcile-chat-'));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
  const form = writing.form ?? ANDROID;
  if (form === undefined) throw new Error('no form');
  const { text } = writeChat(messages, { timeZone: 'America/Sao_Paulo', withFiles: true, ...writing, form });
  const isZip = name.endsWith('.zip');
  const content = isZip
    ? zipOf([
        { name: form.isIos ? '_chat.txt' : name.replace('.zip', '.txt'), content: text },
        { name: 'IMG-20250916-WA0004.jpg', content: 'x' },
        { name: 'lista.txt', content: 'pão\nleite\n' },
      ])
    : text;
  await writeFile(join(cwd, name), content);
  return { cwd, file: name };
}

async function compare(
  store: Store,
  place: { cwd: string; file: string },
  options: Partial<CompareChatOptions> = {},
): Promise<CompareChatResult> {
  return compareChat(testContext(store), { contact: ANA, ...place, ...options });
}

describeOnBackends('a chat held against the database', (backend) => {
  test('names what was lost, and nothing else; reads edits, revokes and repetitions', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const items: ComparedItem[] = [];
    const result = await compare(store, await chatFile(CHAT), { onItem: (item) => void items.push(item) });
    expect(result).toMatchObject({
      contact: { phone: `+${ANA}` },
      connection: '+5511900000000',
      lines: 8,
      counts: { matched: 6, lost: 2, ambiguous: 0, onlyInDatabase: 0 },
      severity: 'loss',
      clock: { source: 'texts', offsets: ['-03:00'] },
      lost: [
        { line: 4, kind: 'text', orLines: [] },
        { line: 8, localTime: '2025-09-16T02:26' },
      ],
    });
    expect(result.lost.map(({ text }) => text)).toEqual([undefined, undefined]);
    expect(items.map(({ sign, line }) => `${sign}${line ?? ''}`)).toEqual([
      '=1',
      '=2',
      '=3',
      '+4',
      '=5',
      '=6',
      '=7',
      '+8',
    ]);
    expect(items[5]?.externalId).toBe(wamid('secret'));
    expect(JSON.stringify([items, result])).not.toContain('endereço');
  });

  test('a zip of an iPhone, without files, by the number in its name; a chat that is all there is clean', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const there = CHAT.filter((_, index) => index !== 3 && index !== 7);
    const place = await chatFile(there, 'Conversa do WhatsApp com +55 11 90000-0001.zip', {
      form: IPHONE,
      withFiles: false,
    });
    const result = await compare(store, place, { contact: undefined, bodies: true });
    expect(result).toMatchObject({
      platform: 'ios',
      counts: { matched: 6, lost: 0, ambiguous: 0 },
      severity: null,
      lost: [],
    });
  });

  test('what stands outside the chat is not missing from the phone, and what is older than the database is said', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const cut = await compare(store, await chatFile(CHAT.slice(1, 3)));
    expect(cut).toMatchObject({ counts: { lost: 0, matched: 2 }, outsideCoverage: 4, severity: null });
    const before = [said(-86_400, 'Oi, vocês abrem amanhã?'), ...CHAT.slice(0, 3)];
    const older = await compare(store, await chatFile(before));
    expect(older).toMatchObject({ counts: { lost: 1 }, lostBeforeFirstStored: 1 });
  });

  test('sides are found by --me, by the names, by the file, and at last by the words', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const named = (name: string) =>
      CHAT.map((message) => (message.sender === 'Ana' ? { ...message, sender: name } : message));
    const lost = async (place: { cwd: string; file: string }, options: Partial<CompareChatOptions> = {}) =>
      (await compare(store, place, options)).counts.lost;
    expect(await lost(await chatFile(named('Aninha')), { me: 'loja centro' })).toBe(2);
    expect(await lost(await chatFile(named('Aninha'), 'Conversa do WhatsApp com Aninha.txt'))).toBe(2);
    expect(await lost(await chatFile(named('+55 11 90000-0001')))).toBe(2);
    expect(await lost(await chatFile(named('Aninha')))).toBe(2);
    await expect(compare(store, await chatFile(named('Aninha')), { me: 'Loja' })).rejects.toMatchObject({
      code: 'unknown_sender',
      exitCode: 2,
    });
    await expect(
      compare(
        store,
        await chatFile(
          [said(0, 'um'), said(1, 'dois', 'Loja')].map((one) => ({ ...one, sender: `${one.sender}!` })),
        ),
      ),
    ).rejects.toMatchObject({ code: 'own_side_unknown' });
  });

  test('whatever cannot be told is asked for, and never guessed', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      ...LOG,
      live('elsewhere', 500, {}, SECOND),
      live('only', 600, { from: BRU, id: wamid('only', BRU), text: { body: 'oi' } }),
    ]);
    const place = await chatFile(CHAT);
    const refused = async (code: string, options: Partial<CompareChatOptions>, other = place) =>
      expect(compare(store, other, options), code).rejects.toMatchObject({ code, exitCode: 2 });
    await refused('connection_ambiguous', {});
    const first = { connection: '+5511900000000' };
    expect((await compare(store, place, first)).counts.lost).toBe(2);
    await refused('contact_missing', { ...first, contact: undefined });
    await refused('unknown_contact', { ...first, contact: '+5511955554444' });
    await refused('clock_unknown', { ...first, contact: BRU, me: 'Loja' }, await chatFile([said(600, 'oi')]));
    const group = [...CHAT, said(500, 'oi', 'Bia')];
    await refused('chat_of_group', first, await chatFile(group));
    const fifth = Date.UTC(2025, 4, 6) / 1000 - T0;
    const unclear = await chatFile([said(fifth, 'oi'), said(fifth + 86_400, 'oi')]);
    await refused('date_order_ambiguous', first, unclear);
    await refused('no_chat_export', first, { cwd: place.cwd, file: await logIn(place.cwd) });
    const given = await compare(store, unclear, {
      ...first,
      dateOrder: 'dmy',
      timeZone: 'America/Sao_Paulo',
    });
    expect(given).toMatchObject({ counts: { lost: 2 }, lostBeforeFirstStored: 2 });
  });

  test('a chat in which nothing is stored, or no text at its time, doubts the command and adopts nothing', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const other = await chatFile([
      said(0, 'Oi, aqui é o Rui da padaria'),
      said(60, 'Certo, Rui', 'Loja Centro'),
    ]);
    const options = { timeZone: 'America/Sao_Paulo', me: 'Loja Centro' };
    const strange = await compare(store, other, options);
    expect(strange.counts).toMatchObject({ matched: 0, lost: 2 });
    const words = (result: CompareChatResult): string =>
      presentCompareChat(result, ['compare', 'chat-export', 'chat.txt']).document.verdict?.text ?? '';
    expect(words(strange)).toContain(`0 of 2 lines found: is this the chat of +${ANA}?`);
    await expect(compare(store, other, { ...options, adopt: { dryRun: false } })).rejects.toMatchObject({
      code: 'another_chat',
    });
    const unzoned = { ...strange.clock, source: 'zone', anchors: 3, agreeing: 0 } as const;
    expect(words({ ...strange, clock: unzoned })).toContain(
      '0 of 3 unique texts agree with America/Sao_Paulo: is --tz right?',
    );
  });

  test('a zone that no text fits is not used, and that is said', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const notices: string[] = [];
    const ctx = testContext(store, {
      onEvent: (event) => event.event === 'notice' && notices.push(event.message),
    });
    const place = await chatFile(CHAT);
    const zoned = (timeZone: string) => compareChat(ctx, { contact: ANA, ...place, timeZone });
    expect((await zoned('Asia/Tokyo')).clock).toMatchObject({ source: 'texts', offsets: ['-03:00'] });
    expect(notices).toEqual([
      'The zone Asia/Tokyo is not used: by 3 of 3 unique texts of both sides the phone’s clock shows -03:00.',
    ]);
    expect((await zoned('America/Sao_Paulo')).clock.source).toBe('zone');
    expect(notices).toHaveLength(1);
  });

  test('a conversation of many pages is read whole', async () => {
    const store = await backend.open();
    const texts = Array.from({ length: 4500 }, (_, index) => `mensagem de número ${index} do dia`);
    await replayBodies(
      store,
      texts.map((body, index) => live(`m${index}`, index, { text: { body } })),
    );
    const chat = texts.map((text, index) => said(index, text));
    const result = await compare(store, await chatFile([...chat, said(2000, 'esta falta')]), { me: 'Loja' });
    expect(result.counts).toEqual({ matched: 4500, lost: 1, ambiguous: 0, onlyInDatabase: 0 });
  });
});

async function logIn(cwd: string): Promise<string> {
  await writeFile(join(cwd, 'log.ndjson'), JSON.stringify(LOG[0]));
  return 'log.ndjson';
}
