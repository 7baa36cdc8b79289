import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ChatTextReader,
  looksLikeChatText,
  parseChatText,
  type ChatItem,
  type ChatText,
} from '../../../src/inputs/exports/chat-text.js';
import { allPhrases } from '../../../src/inputs/exports/chat-words.js';
import { anyCharacter } from '../../support/any-text.js';
import { tries } from '../../support/seed.js';

function sample(name: string): ChatText {
  const text = readFileSync(new URL(`../../samples/exports/${name}`, import.meta.url), 'utf8');
  expect(looksLikeChatText(text)).toBe(true);
  const chat = parseChatText(text);
  if (chat === undefined) throw new Error(`${name} is no chat`);
  return chat;
}

function chatOf(...lines: string[]): ChatText {
  const chat = parseChatText(lines.join('\n'));
  if (chat === undefined) throw new Error('no chat');
  return chat;
}

/** Time, sender and what was said, on one line each. */
function told(chat: ChatText): string[] {
  return chat.items.map(({ localTime, sender, kind, text, media, isEdited }) =>
    [
      localTime === null ? '?' : new Date(localTime).toISOString().slice(0, 19),
      sender ?? '-',
      kind,
      ...(media === null ? [] : [`${media.kind} ${media.fileName ?? '(omitted)'}`]),
      ...(text === '' ? [] : [text]),
      ...(isEdited ? ['(edited)'] : []),
    ].join(' | '),
  );
}

test('an iPhone’s chat in Finnish: an attached and an omitted file, a deleted and an edited message', () => {
  const chat = chatOf(
    '\u200e[9.9.2026 klo 08.13.20] Lia: \u200eViestit ja puhelut ovat täysin salattuja.',
    '[9.9.2026 klo 08.13.20] Lia: Huomenta',
    '\u200e[15.9.2026 klo 16.55.20] Lia: \u200e<liite: 00000003-PHOTO-2026-09-15-16-55-02.jpg>',
    '\u200e[15.9.2026 klo 16.55.21] Lia: \u200ekuva jätetty pois',
    '\u200e[16.9.2026 klo 11.02.20] Shop: \u200eTämä viesti poistettiin.',
    '[17.9.2026 klo 16.09.20] Lia: kello kymmenen \u200e<Tätä viestiä muokattiin>',
  );
  expect(told(chat)).toEqual([
    '2026-09-09T08:13:20 | Lia | system | Viestit ja puhelut ovat täysin salattuja.',
    '2026-09-09T08:13:20 | Lia | text | Huomenta',
    '2026-09-15T16:55:20 | Lia | media | image 00000003-PHOTO-2026-09-15-16-55-02.jpg',
    '2026-09-15T16:55:21 | Lia | media | image (omitted)',
    '2026-09-16T11:02:20 | Shop | deleted',
    '2026-09-17T16:09:20 | Lia | text | kello kymmenen | (edited)',
  ]);
  expect(chat).toMatchObject({ platform: 'ios', languages: ['fi'], problems: [] });
});

test('an Android chat in Portuguese: captions, omitted files, deleted and edited messages', () => {
  const chat = sample('chat-android-pt-BR.txt');
  expect(told(chat)).toEqual([
    '2026-09-21T08:13:00 | - | system | As mensagens e as ligações são protegidas com a criptografia de ponta a ponta. Toque para saber mais.',
    '2026-09-21T08:13:00 | Lia Campos | text | Bom dia, ainda tem vaga?',
    '2026-09-21T08:13:00 | Loja Centro | text | Tem sim!\nAs 10h ou as 15h: qual prefere?',
    '2026-09-21T08:14:00 | Lia Campos | media | image IMG-20260921-WA0003.jpg | Comprovante',
    '2026-09-21T08:15:00 | Lia Campos | media | unknown (omitted)',
    '2026-09-21T08:16:00 | Lia Campos | deleted',
    '2026-09-21T08:17:00 | Loja Centro | text | Combinado às 10 | (edited)',
  ]);
  expect(chat).toMatchObject({
    platform: 'android',
    clock: '24h',
    hasSeconds: false,
    languages: ['pt'],
    problems: [],
  });
  expect(chat.dates).toEqual({ kind: 'certain', order: 'dmy', because: 'above_12', line: 1 });
  expect(chat.senders.map(({ name, items }) => `${name} ${items}`)).toEqual([
    'Lia Campos 4',
    'Loja Centro 2',
  ]);
});

test('an Android chat in American English: a narrow space before AM and PM', () => {
  const chat = sample('chat-android-en-US-12h.txt');
  expect(told(chat)).toEqual([
    '2026-09-21T08:13:00 | - | system | Messages and calls are end-to-end encrypted. Only people in this chat can read, listen to, or share them. Learn more.',
    '2026-09-21T08:13:00 | Lia Campos | text | Good morning',
    '2026-09-21T13:05:00 | Lia Campos | media | unknown (omitted)',
    '2026-09-21T13:06:00 | Lia Campos | media | audio PTT-20260921-WA0004.opus',
    '2026-09-21T13:07:00 | Lia Campos | deleted',
    '2026-09-21T13:08:00 | Shop | text | see you at 10 | (edited)',
  ]);
  expect(chat).toMatchObject({ platform: 'android', clock: '12h', languages: ['en'] });
  expect(chat.dates).toMatchObject({ kind: 'certain', order: 'mdy' });
});

test('an iPhone chat in Portuguese: a byte order mark, direction marks, a caption before its file, an unsaved name', () => {
  const chat = sample('chat-ios-pt-BR.txt');
  expect(told(chat)).toEqual([
    '2026-09-21T08:13:20 | Lia Campos | system | As mensagens e as ligações são protegidas com a criptografia de ponta a ponta.',
    '2026-09-21T08:13:20 | Lia Campos | text | Bom dia, ainda tem vaga?',
    '2026-09-21T08:14:02 | Lia Campos | media | image 00000003-PHOTO-2026-09-21-08-14-02.jpg',
    '2026-09-21T08:14:40 | Lia Campos | media | document 00000004-comprovante.pdf | Comprovante',
    '2026-09-21T08:15:00 | Lia Campos | media | image (omitted)',
    '2026-09-21T08:16:00 | Lia Campos | deleted',
    '2026-09-21T08:17:00 | Loja Centro | text | Combinado às 10 | (edited)',
    '2026-09-21T08:18:00 | Davi | text | sou contato não salvo',
  ]);
  expect(chat).toMatchObject({ platform: 'ios', clock: '24h', hasSeconds: true, languages: ['pt'] });
  expect(chat.senders.at(-1)).toMatchObject({ name: 'Davi', isUnsaved: true });
});

test('an iPhone chat in American English', () => {
  expect(told(sample('chat-ios-en-12h.txt'))).toEqual([
    '2026-09-21T08:13:20 | Lia Campos | system | Messages and calls are end-to-end encrypted.',
    '2026-09-21T08:13:20 | Lia Campos | text | Good morning',
    '2026-09-21T08:14:02 | Lia Campos | media | image 00000003-PHOTO-2026-09-21-08-14-02.jpg',
    '2026-09-21T08:15:00 | Lia Campos | media | image (omitted)',
  ]);
});

test.each([
  ['Spanish, 12 hours', '21/9/2026, 9:29 p. m. - Lía: Hola', '2026-09-21T21:29:00'],
  ['Spanish, spaces that do not break', '21/9/2026, 9:29\u202fp.\u00a0m. - Lía: Hola', '2026-09-21T21:29:00'],
  ['Canadian English', '2023-12-20, 5:46\u202fp.m. - Lía: Hola', '2023-12-20T17:46:00'],
  ['South African English', '2023/12/20, 5:46 pm - Lía: Hola', '2023-12-20T17:46:00'],
  ['Chinese', '2026/9/21 08:13 - Lía: Hola', '2026-09-21T08:13:00'],
  ['Chinese, 12 hours', '2026/9/21 下午8:13 - Lía: Hola', '2026-09-21T20:13:00'],
  ['German', '10.12.2024, 14:30 - Lía: Hola', '2024-12-10T14:30:00'],
  ['German, two-digit year', '21.09.26, 08:13 - Lía: Hola', '2026-09-21T08:13:00'],
  ['Dutch', '30-12-2024, 14:30 - Lía: Hola', '2024-12-30T14:30:00'],
  ['French, older', '21/09/2026 à 08:13 - Lía: Hola', '2026-09-21T08:13:00'],
  ['midnight', '9/21/26, 12:05\u202fAM - Lía: Hola', '2026-09-21T00:05:00'],
  ['noon', '9/21/26, 12:05\u202fPM - Lía: Hola', '2026-09-21T12:05:00'],
  ['iPhone, German', '[21.09.26, 08:13:20] Lía: Hola', '2026-09-21T08:13:20'],
  ['iPhone, Spanish', '[21/9/26, 8:13:20] Lía: Hola', '2026-09-21T08:13:20'],
  ['iPhone, Spanish, 12 hours', '[21/9/26, 8:13:20\u202fp.\u00a0m.] Lía: Hola', '2026-09-21T20:13:20'],
  ['iPhone, Finnish', '[12.3.2022 klo 14.08.18] Lía: Hola', '2022-03-12T14:08:18'],
  ['iPhone, older, no comma', '[31/12/2022 11:40:26] Lía: Hola', '2022-12-31T11:40:26'],
  [
    'iPhone, Arabic marks and digits',
    '[\u200f٢١\u200f/٩\u200f/٢٠٢٦، ٨:١٣:٢٠ ص] Lía: Hola',
    '2026-09-21T08:13:20',
  ],
  ['a byte order mark, and Windows line ends', '\ufeff21/09/2026 08:13 - Lía: Hola\r', '2026-09-21T08:13:00'],
])('%s', (_, line, time) => {
  const chat = chatOf(line, line);
  expect(chat.problems).toEqual([]);
  expect(told(chat)).toEqual([`${time} | Lía | text | Hola`, `${time} | Lía | text | Hola`]);
  expect(looksLikeChatText(line)).toBe(true);
});

test('day and month that cannot be told apart are said to be so, with the line that shows it', () => {
  const lines = ['03/04/2026 08:13 - Ana: a', '04/04/2026 08:13 - Ana: b', '05/04/2026 09:00 - Ana: c'];
  const chat = chatOf(...lines);
  expect(chat.dates).toEqual({ kind: 'ambiguous', candidates: ['dmy', 'mdy'], line: 1, written: '3/4/2026' });
  expect(chat.items.map(({ localTime }) => localTime)).toEqual([null, null, null]);
  const given = parseChatText(lines.join('\n'), { order: 'mdy' });
  expect(given?.dates).toEqual({ kind: 'certain', order: 'mdy', because: 'given', line: 1 });
  expect(told(given ?? chat)[0]).toBe('2026-03-04T08:13:00 | Ana | text | a');
});

test.each([
  ['a number above 12', ['1/2/26, 08:13 - Ana: a', '1/13/26, 08:13 - Ana: a'], 'mdy', 'above_12', 2],
  [
    'the sequence',
    ['1/2/26, 08:13 - Ana: a', '2/1/26, 08:13 - Ana: a', '3/1/26, 08:13 - Ana: a'],
    'mdy',
    'sequence',
    2,
  ],
  [
    'the sequence',
    ['10/1/26, 08:13 - Ana: a', '1/2/26, 08:13 - Ana: a', '2/2/26, 08:13 - Ana: a'],
    'dmy',
    'sequence',
    2,
  ],
  ['dots', ['1.2.26, 08:13 - Ana: a'], 'dmy', 'dots', 1],
  ['the year in front', ['2026-01-02, 08:13 - Ana: a'], 'ymd', 'year_first', 1],
  [
    'the name of a file',
    ['1/2/26, 08:13 - Ana: a', '3/2/26, 08:13 - Ana: IMG-20260302-WA0001.jpg (file attached)'],
    'mdy',
    'file_name',
    2,
  ],
  ['equal numbers', ['2/2/26, 08:13 - Ana: a', '3/3/26, 08:13 - Ana: a'], 'dmy', 'equal', 1],
])('the order of day and month by %s', (_, lines, order, because, line) => {
  const { dates } = chatOf(...lines);
  expect(dates).toEqual({ kind: 'certain', order, because, line });
});

test('two chats glued together, or a wrong order given, contradict themselves and say where', () => {
  const lines = ['21/09/2026 08:13 - Ana: a', '09/22/2026 08:13 - Ana: b'];
  expect(chatOf(...lines).dates).toEqual({
    kind: 'contradictory',
    refuted: [
      { order: 'dmy', line: 2, written: '9/22/2026' },
      { order: 'mdy', line: 1, written: '21/9/2026' },
    ],
  });
  expect(chatOf(...lines).problems).toEqual([
    { line: 1, reason: 'impossible_date' },
    { line: 2, reason: 'impossible_date' },
  ]);
  expect(parseChatText('21/09/2026 08:13 - Ana: a', { order: 'mdy' })?.dates.kind).toBe('contradictory');
});

test('a line in another form than the chat is a part of the message in which somebody pasted it', () => {
  const chat = chatOf(
    '21/09/2026 08:13 - Ana: olha isto:',
    '[21/09/2026, 08:13:20] Lia: oi',
    '9/21/26, 8:13 AM - Lia: hi',
    '21/09/2026 08:14 - Bia: ok',
  );
  expect(chat.items.map(({ text }) => text)).toEqual([
    'olha isto:\n[21/09/2026, 08:13:20] Lia: oi\n9/21/26, 8:13 AM - Lia: hi',
    'ok',
  ]);
});

test('a line that begins like a message and has no readable time is said', () => {
  const chat = chatOf(
    '21/09/2026 08:13 - Ana: a',
    '21/09/2026 25:13 - Ana: b',
    '21/09/2026 08:13 zzz - Ana: c',
  );
  expect(chat.problems).toEqual([
    { line: 2, reason: 'unreadable_time' },
    { line: 3, reason: 'unreadable_time' },
  ]);
  expect(chatOf('Chat with Ana', '21/09/2026 08:13 - Ana: a').problems).toEqual([
    { line: 1, reason: 'no_message' },
  ]);
});

test('system lines, subjects with colons, phones as senders', () => {
  const chat = chatOf(
    '21/09/2026 08:13 - Ana mudou o nome do grupo de "Obra: fase 1" para "Obra: fase 2"',
    '21/09/2026 08:13 - Ana criou o grupo "Obra: fase 1"',
    '21/09/2026 08:14 - \u202a+55\u00a021\u00a097777-0002\u202c: oi: tudo bem?',
    '21/09/2026 08:15 - Ana:',
    'texto na linha seguinte',
  );
  expect(chat.items.map(({ kind, sender, text }) => [kind, sender, text])).toEqual([
    ['system', null, 'Ana mudou o nome do grupo de "Obra: fase 1" para "Obra: fase 2"'],
    ['system', null, 'Ana criou o grupo "Obra: fase 1"'],
    ['text', '+55 21 97777-0002', 'oi: tudo bem?'],
    ['text', 'Ana', '\ntexto na linha seguinte'],
  ]);
  expect(chat.senders[0]).toEqual({
    name: '+55 21 97777-0002',
    phone: '+5521977770002',
    isUnsaved: false,
    items: 1,
  });
});

test('documents and locations of an iPhone, and what only looks like a file', () => {
  const chat = chatOf(
    '\u200e[21/09/2026, 08:14:40] Ana: contrato.pdf • \u200e3 páginas \u200edocumento omitido',
    '[21/09/2026, 08:14:41] Ana: \u200eLocalização: https://maps.google.com/?q=-23.5,-46.6',
    '[21/09/2026, 08:14:42] Ana: use <nome: valor> no arquivo',
    '[21/09/2026, 08:14:43] Ana: olha <anexado: foto.jpg>',
    '\u200e[21/09/2026, 08:14:44] Ana: \u200eChamada de voz perdida. \u200eToque para ligar de volta.',
    '\u200e[21/09/2026, 08:14:45] Ana: \u200e<pièce jointe\u00a0: 00000005-AUDIO-2026-09-21-08-14-45.opus>',
  );
  expect(told(chat).map((line) => line.slice(22))).toEqual([
    'Ana | media | document contrato.pdf',
    'Ana | location | Localização: https://maps.google.com/?q=-23.5,-46.6',
    'Ana | text | use <nome: valor> no arquivo',
    'Ana | media | image foto.jpg | olha',
    'Ana | system | Chamada de voz perdida. \u200eToque para ligar de volta.',
    'Ana | media | audio 00000005-AUDIO-2026-09-21-08-14-45.opus',
  ]);
});

test.each([
  [
    'ru',
    '21.09.2026, 08:13 - Ана: <Без медиафайлов>',
    '[21.09.2026, 08:13:20] Ана: \u200e<прикреплено: 00000003-PHOTO-2026-09-21-08-13-20.jpg>',
    '\u200e[21.09.2026, 08:13:20] Ана: \u200eаудиофайл отсутствует',
  ],
  [
    'zh',
    '2026/9/21 下午1:54 - 安娜: <省略影音内容>',
    '[2026/9/21 下午1:54:20] 安娜: \u200e<附件：00000003-PHOTO-2026-09-21-13-54-20.jpg>',
    '\u200e[2026/9/21 下午1:54:20] 安娜: \u200e音频已忽略',
  ],
  [
    'tr',
    '21.09.2026 08:13 - Ayşe: <Medya dahil edilmedi>',
    '[21.09.2026 08:13:20] Ayşe: \u200e<eklendi: 00000003-PHOTO-2026-09-21-08-13-20.jpg>',
    '\u200e[21.09.2026 08:13:20] Ayşe: \u200eses dahil edilmedi',
  ],
  [
    'pl',
    '21.09.2026, 08:13 - Ania: <Pominięto multimedia>',
    '[21.09.2026, 08:13:20] Ania: \u200e<załączono: 00000003-PHOTO-2026-09-21-08-13-20.jpg>',
    '\u200e[21.09.2026, 08:13:20] Ania: \u200eaudio pominięte',
  ],
  [
    'id',
    '21/09/26 08.13 - Ani: <Media tidak disertakan>',
    '[21/09/26 08.13.20] Ani: \u200e<terlampir: 00000003-PHOTO-2026-09-21-08-13-20.jpg>',
    '\u200e[21/09/26 08.13.20] Ani: \u200eaudio tidak disertakan',
  ],
])('%s: lines of files are files, on Android and on an iPhone', (language, omitted, attached, audio) => {
  expect(chatOf(omitted)).toMatchObject({
    platform: 'android',
    languages: [language],
    items: [{ kind: 'media', media: { kind: 'unknown', fileName: null } }],
  });
  expect(chatOf(attached)).toMatchObject({
    platform: 'ios',
    languages: [language],
    items: [{ kind: 'media', text: '', media: { kind: 'image' } }],
  });
  expect(chatOf(audio)).toMatchObject({
    languages: [language],
    items: [{ kind: 'media', media: { kind: 'audio', fileName: null } }],
  });
});

test.each([...allPhrases()])('the phrase %s is understood where phones write it', (text, phrase) => {
  const said = {
    deleted: [`21/09/2026 08:13 - Ana: ${text}`, `[21/09/2026, 08:13:20] Ana: \u200e${text}.`],
    edited: [`21/09/2026 08:13 - Ana: oi <${text}>`, `[21/09/2026, 08:13:20] Ana: oi \u200e<${text}>`],
    attached: [
      `21/09/2026 08:13 - Ana: a b.pdf (${text})`,
      `\u200e[21/09/2026, 08:13:20] Ana: \u200e<${text}: a b.pdf>`,
    ],
    omitted: [`21/09/2026 08:13 - Ana: ${text}`, `\u200e[21/09/2026, 08:13:20] Ana: \u200e${text}`],
  }[phrase.kind];
  const isAndroids = phrase.kind === 'omitted' && phrase.media === 'unknown';
  const isIphones = phrase.kind === 'omitted' && phrase.media !== 'unknown';
  for (const line of said.filter((_, i) => (i === 0 ? !isIphones : !isAndroids))) {
    const [item] = chatOf(line).items;
    if (phrase.kind === 'edited') expect(item).toMatchObject({ kind: 'text', text: 'oi', isEdited: true });
    else if (phrase.kind === 'deleted') expect(item).toMatchObject({ kind: 'deleted', text: '' });
    else
      expect(item).toMatchObject({
        kind: 'media',
        media: phrase.kind === 'omitted' ? { kind: phrase.media } : { fileName: 'a b.pdf' },
      });
    expect(chatOf(line).languages).toEqual(phrase.languages);
  }
});

test.each([
  '[2025-09-16 05:00:00] production.INFO: webhook {"object":"whatsapp_business_account"}',
  '2025-09-16T05:00:00Z INFO webhook: {"a":1}',
  '2025-09-16 05:00:00,123 INFO - started',
  '[pm2] started',
  '127.0.0.1 - - [16/Sep/2025:05:00:00 +0000] "GET / HTTP/1.1" 200',
  '{"object":"whatsapp_business_account"}',
  'id,payload,created_at',
  '',
  '16/09/2025 05:00 - gateway: {"object":"whatsapp_business_account","entry":[]}',
])('a log is no chat: %s', (line) => {
  expect(looksLikeChatText(line)).toBe(false);
});

/** One way in which a phone writes a chat. */
interface Form {
  ios: boolean;
  order: 'dmy' | 'mdy' | 'ymd';
  date: (day: number, month: number, year: number) => string;
  time: (hour: number, minute: number, second: number) => string;
  between: string;
  attached: string;
  omitted: string;
  deleted: string;
  edited: string;
}

const two = (value: number): string => String(value).padStart(2, '0');
const am = (hour: number, words: readonly [string, string]): string => (hour < 12 ? words[0] : words[1]);
const hour12 = (hour: number): number => hour % 12 || 12;
const PT = {
  attached: 'arquivo anexado',
  omitted: '<Mídia oculta>',
  deleted: 'Mensagem apagada',
  edited: 'Mensagem editada',
};
const EN = {
  attached: 'file attached',
  omitted: '<Media omitted>',
  deleted: 'This message was deleted',
  edited: 'This message was edited',
};
const ES = {
  attached: 'archivo adjunto',
  omitted: '<Multimedia omitido>',
  deleted: 'Eliminaste este mensaje',
  edited: 'Se editó este mensaje',
};
const DE = {
  attached: 'Datei angehängt',
  omitted: '<Medien ausgelassen>',
  deleted: 'Diese Nachricht wurde gelöscht',
  edited: 'Diese Nachricht wurde bearbeitet',
};
const FR = {
  attached: 'fichier joint',
  omitted: '<Médias omis>',
  deleted: 'Ce message a été supprimé',
  edited: 'Ce message a été modifié',
};

const FORMS: Record<string, Form> = {
  'Android pt-BR': {
    ios: false,
    order: 'dmy',
    date: (d, m, y) => `${two(d)}/${two(m)}/${y}`,
    between: ' ',
    time: (h, m) => `${two(h)}:${two(m)}`,
    ...PT,
  },
  'Android en-US': {
    ios: false,
    order: 'mdy',
    date: (d, m, y) => `${m}/${d}/${y % 100}`,
    between: ', ',
    time: (h, m) => `${hour12(h)}:${two(m)}\u202f${am(h, ['AM', 'PM'])}`,
    ...EN,
  },
  'Android en-GB': {
    ios: false,
    order: 'dmy',
    date: (d, m, y) => `${two(d)}/${two(m)}/${y}`,
    between: ', ',
    time: (h, m) => `${two(h)}:${two(m)}`,
    ...EN,
  },
  'Android es': {
    ios: false,
    order: 'dmy',
    date: (d, m, y) => `${d}/${m}/${y}`,
    between: ', ',
    time: (h, m) => `${hour12(h)}:${two(m)}\u202f${am(h, ['a.\u00a0m.', 'p.\u00a0m.'])}`,
    ...ES,
  },
  'Android de': {
    ios: false,
    order: 'dmy',
    date: (d, m, y) => `${two(d)}.${two(m)}.${two(y % 100)}`,
    between: ', ',
    time: (h, m) => `${two(h)}:${two(m)}`,
    ...DE,
  },
  'Android fr': {
    ios: false,
    order: 'dmy',
    date: (d, m, y) => `${two(d)}/${two(m)}/${y}`,
    between: ', ',
    time: (h, m) => `${two(h)}:${two(m)}`,
    ...FR,
  },
  'Android en-CA': {
    ios: false,
    order: 'ymd',
    date: (d, m, y) => `${y}-${two(m)}-${two(d)}`,
    between: ', ',
    time: (h, m) => `${hour12(h)}:${two(m)}\u202f${am(h, ['a.m.', 'p.m.'])}`,
    ...EN,
  },
  'iPhone pt-BR': {
    ios: true,
    order: 'dmy',
    date: (d, m, y) => `${two(d)}/${two(m)}/${y}`,
    between: ', ',
    time: (h, m, s) => `${two(h)}:${two(m)}:${two(s)}`,
    ...PT,
    attached: 'anexado',
    omitted: 'imagem ocultada',
  },
  'iPhone en-US': {
    ios: true,
    order: 'mdy',
    date: (d, m, y) => `${m}/${d}/${y % 100}`,
    between: ', ',
    time: (h, m, s) => `${hour12(h)}:${two(m)}:${two(s)}\u202f${am(h, ['AM', 'PM'])}`,
    ...EN,
    attached: 'attached',
    omitted: 'image omitted',
  },
  'iPhone es': {
    ios: true,
    order: 'dmy',
    date: (d, m, y) => `${d}/${m}/${y % 100}`,
    between: ', ',
    time: (h, m, s) => `${h}:${two(m)}:${two(s)}`,
    ...ES,
    attached: 'adjunto',
    omitted: 'imagen omitida',
  },
  'iPhone de': {
    ios: true,
    order: 'dmy',
    date: (d, m, y) => `${two(d)}.${two(m)}.${two(y % 100)}`,
    between: ', ',
    time: (h, m, s) => `${two(h)}:${two(m)}:${two(s)}`,
    ...DE,
    attached: 'Anhang',
    omitted: 'Bild weggelassen',
  },
  'iPhone fr': {
    ios: true,
    order: 'dmy',
    date: (d, m, y) => `${two(d)}/${two(m)}/${y}`,
    between: ' ',
    time: (h, m, s) => `${two(h)}:${two(m)}:${two(s)}`,
    ...FR,
    attached: 'pièce jointe\u00a0',
    omitted: 'image absente',
  },
};

type Said = Pick<ChatItem, 'kind' | 'sender' | 'text' | 'isEdited'> & { file: string | null };

const MARKS = /[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
/** No line of it may look like the beginning of a message: such a text cannot be told from one. */
const line = fc
  .oneof(
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.string({ unit: anyCharacter, maxLength: 20 }),
    fc.constantFrom('às 10h: ok', '<b>', 'مرحبا', '- a: b', '[ok]', 'https://maps.example/?q=1'),
  )
  .map((text) => text.replace(MARKS, '').replace(/[\n\r]/g, ' '))
  .filter((text) => !/^\W*[\d\u0660-\u0669\u06f0-\u06f9]/u.test(text));
const text = fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => lines.join('\n'));
const sender = fc
  .oneof(
    fc.constantFrom('Ana', 'Loja Centro', '+55 21 97777-0002', 'José 🚀', 'مريم'),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
  )
  .map((name) => name.replace(MARKS, '').replace(/[:"“”„«»~\s\u00a0]/gu, '') || 'Ana');
const file = fc.constantFrom(
  'IMG-20260921-WA0003.jpg',
  'nota fiscal (1).pdf',
  '00000003-PHOTO-2026-09-21-08-14-02.jpg',
  'a.vcf',
);
const said: fc.Arbitrary<Said> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('text' as const),
      sender,
      text,
      isEdited: fc.boolean(),
      file: fc.constant(null),
    }),
  },
  fc.record({
    kind: fc.constant('media' as const),
    sender,
    text: fc.oneof(
      fc.constant(''),
      line.map((one) => one.trim()),
    ),
    isEdited: fc.constant(false),
    file: fc.oneof(file, fc.constant(null)),
  }),
  fc.record({
    kind: fc.constant('deleted' as const),
    sender,
    text: fc.constant(''),
    isEdited: fc.constant(false),
    file: fc.constant(null),
  }),
);

const START = Date.UTC(2024, 0, 1);
const MINUTE = 60_000;
/** Times that run forward, by up to 20 days at a step. */
const steps = fc.array(fc.integer({ min: 0, max: 20 * 24 * 60 }), { minLength: 1, maxLength: 8 });

function render(form: Form, at: number, one: Said): string {
  const time = new Date(at);
  const stamp = `${form.date(time.getUTCDate(), time.getUTCMonth() + 1, time.getUTCFullYear())}${form.between}${form.time(time.getUTCHours(), time.getUTCMinutes(), time.getUTCSeconds())}`;
  const content = contentOf(form, one);
  const marked = form.ios && content.includes('\u200e') ? '\u200e' : '';
  return form.ios
    ? `${marked}[${stamp}] ${one.sender ?? ''}: ${content}`
    : `${stamp} - ${one.sender ?? ''}: ${content}`;
}

function contentOf(form: Form, { kind, text: words, isEdited, file: name }: Said): string {
  const mark = form.ios ? '\u200e' : '';
  const edited = isEdited ? ` ${mark}<${form.edited}>` : '';
  if (kind === 'deleted') return `${mark}${form.deleted}`;
  if (kind === 'text') return words + edited;
  if (form.ios)
    return `${words === '' ? '' : `${words} `}${mark}${name === null ? form.omitted : `<${form.attached}: ${name}>`}`;
  return `${name === null ? form.omitted : `${name} (${form.attached})`}${words === '' ? '' : `\n${words}`}`;
}

test.each(Object.entries(FORMS))(
  '%s: what the phone writes is read back, however it is cut into chunks',
  (_, form) => {
    fc.assert(
      fc.property(
        fc.array(said, { minLength: 1, maxLength: 8 }),
        steps,
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        (all, walk, chunk, crlf) => {
          let at = START;
          const items = all.map((one, i) => {
            at += (walk[i % walk.length] ?? 0) * MINUTE + (form.ios ? 1000 : 0);
            return { at, one };
          });
          const written = items.map((item) => render(form, item.at, item.one)).join('\n');
          const whole = `${form.ios ? '\ufeff' : ''}${crlf ? written.replaceAll('\n', '\r\n') : written}\n`;
          const reader = new ChatTextReader({ order: form.order });
          for (let from = 0; from < whole.length; from += chunk) reader.push(whole.slice(from, from + chunk));
          const chat = reader.end();
          expect(parseChatText(whole, { order: form.order })).toEqual(chat);
          expect(chat?.problems).toEqual([]);
          expect(chat?.platform).toBe(form.ios ? 'ios' : 'android');
          expect(
            chat?.items.map(({ localTime, kind, sender: name, text: words, media, isEdited }) => ({
              at: localTime,
              one: { kind, sender: name, text: words, isEdited, file: media?.fileName ?? null },
            })),
          ).toEqual(items);
          // Without being told the order: never a wrong one.
          const alone = parseChatText(whole);
          for (const [i, { localTime }] of (alone?.items ?? []).entries()) {
            if (localTime !== null) expect(localTime).toBe(items[i]?.at);
          }
        },
      ),
      { numRuns: tries(150) },
    );
  },
);

test('no text, however broken, makes the reader throw, hang or depend on chunks', () => {
  const pieces = [
    '21/09/2026 08:13 - ',
    '[21/09/2026, 08:13:20] ',
    '\u200e',
    'Ana: ',
    '<',
    '>',
    '\n',
    '\r',
    'a',
    ':',
    ' ',
    '(file attached)',
    '<attached: ',
    '.jpg',
    '12',
    '/',
    'AM',
    '\u202f',
  ];
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...pieces), { maxLength: 60 }),
      fc.integer({ min: 1, max: 9 }),
      (parts, chunk) => {
        const whole = parts.join('');
        const reader = new ChatTextReader();
        for (let from = 0; from < whole.length; from += chunk) reader.push(whole.slice(from, from + chunk));
        expect(reader.end()).toEqual(parseChatText(whole));
      },
    ),
    { numRuns: tries(2000) },
  );
  const started = performance.now();
  for (const piece of ['<', '\u200e', '1/', ' <', '21/09/2026 08:13 - a: <a:', '[', '\u200e<a: '])
    parseChatText(`21/09/2026 08:13 - Ana: ${piece.repeat(100_000)}`);
  expect(performance.now() - started).toBeLessThan(5000);
});
