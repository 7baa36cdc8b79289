import { expect, test } from 'vitest';
import { saidIn } from '../../src/commands/compare-chat/chat-lines.js';
import { parseChatText } from '../../src/inputs/exports/chat-text.js';
import { alignChat, type ChatAlignment } from '../../src/rules/align-chat.js';
import { MINUTES, SECONDS } from '../../src/rules/chat-clock.js';
import { textKey, type StoredMessage } from '../../src/rules/chat-content.js';

const LONG = 'Bom dia, ainda tem vaga para sexta-feira?';

/** `ok` sent by the contact at 11:13:20 UTC, which is 08:13 in São Paulo. */
function stored(time: string, text: string | null, more: Partial<StoredMessage> = {}): StoredMessage {
  const at = Date.parse(time.includes('-') ? time : `2026-09-21T${time}Z`);
  return {
    id: `${time} ${text ?? ''}`,
    at,
    direction: 'INBOUND',
    type: 'text',
    texts: text === null ? [] : [textKey(text)],
    fileName: null,
    isEdited: false,
    isRevoked: false,
    ...more,
  };
}

function align(
  lines: readonly string[],
  messages: readonly StoredMessage[],
  timeZone?: string,
): ChatAlignment {
  const chat = parseChatText(lines.join('\n'), { order: 'dmy' });
  if (chat === undefined) throw new Error('no chat');
  const { lines: said } = saidIn(chat, (sender) => (sender === 'Loja' ? 'OUTBOUND' : 'INBOUND'));
  return alignChat(said, messages, { precision: chat.hasSeconds ? SECONDS : MINUTES, timeZone });
}

const BRAZIL = 'America/Sao_Paulo';
const android = (time: string, words: string, sender = 'Ana'): string =>
  `21/09/2026 ${time} - ${sender}: ${words}`;

/** Lines by what became of them; a line that may stand in its place behind `or`. */
function told({ matched, lost, ambiguous, notices, onlyInDatabase, outside }: ChatAlignment) {
  return {
    matched: matched.map(({ line, message }) => `${line.line} = ${message.id}`),
    lost: lost.map(({ line, or }) => [line.line, ...or.map((other) => `or ${other.line}`)].join(' ')),
    ambiguous: ambiguous.map(({ line, doubt, candidates }) =>
      [line.line, doubt, ...candidates.map(({ id }) => id)].join(' '),
    ),
    notices: notices.map(({ line }) => line),
    onlyInDatabase: onlyInDatabase.map(({ id }) => id),
    outside,
  };
}

const NOTHING = { matched: [], lost: [], ambiguous: [], notices: [], onlyInDatabase: [], outside: 0 };

test('equal texts pair in order; one too many is lost, whichever it is', () => {
  const lines = [android('08:13', 'ok'), android('08:13', 'ok'), android('08:13', 'ok')];
  const result = align(lines, [stored('11:13:40', 'ok'), stored('11:13:05', 'ok')], BRAZIL);
  expect(told(result)).toEqual({ ...NOTHING, matched: ['1 = 11:13:05 ok', '2 = 11:13:40 ok'], lost: ['3'] });
  expect(result.lost[0]?.at).toBe(Date.parse('2026-09-21T11:13:00Z'));
});

test('an equal text in the minute beside it may be the lost one: the one of another minute is named first, the other one, too', () => {
  const result = align([android('08:13', 'ok'), android('08:14', 'ok')], [stored('11:14:10', 'ok')], BRAZIL);
  expect(told(result)).toEqual({ ...NOTHING, matched: ['2 = 11:14:10 ok'], lost: ['1 or 2'] });
  // Two minutes apart they cannot be mistaken.
  const apart = align([android('08:13', 'ok'), android('08:15', 'ok')], [stored('11:15:10', 'ok')], BRAZIL);
  expect(told(apart).lost).toEqual(['1']);
});

test('a partner is passed on to the line that has no other', () => {
  // The line at 08:14 could take either message; the line at 08:12 only the one that stands in its own minute or beside it.
  const lines = [android('08:14', 'ok'), android('08:15', 'ok'), android('08:13', 'ok')];
  const result = align(
    lines,
    [stored('11:12:10', 'ok'), stored('11:13:10', 'ok'), stored('11:14:10', 'ok')],
    BRAZIL,
  );
  expect(result.matched).toHaveLength(3);
});

test('texts are compared as a reader sees them, and by who sent them', () => {
  const lines = [android('08:13', '\u200eCafe\u0301  com\u00a0leite '), android('08:14', 'sim')];
  const messages = [
    stored('11:13:00', 'Café com leite'),
    stored('11:14:00', 'sim', { direction: 'OUTBOUND' }),
  ];
  expect(told(align(lines, messages, BRAZIL))).toEqual({
    ...NOTHING,
    matched: ['1 = 11:13:00 Café com leite'],
    ambiguous: ['2 other_direction 11:14:00 sim'],
  });
});

test('files pair by their kind, their order and their caption', () => {
  const lines = [
    android('08:13', 'IMG-20260921-WA0001.jpg (arquivo anexado)'),
    android('08:13', 'IMG-20260921-WA0002.jpg (arquivo anexado)\nComprovante'),
    android('08:13', 'PTT-20260921-WA0003.opus (arquivo anexado)'),
    android('08:13', 'orçamento (1).pdf (arquivo anexado)'),
    android('08:14', '<Mídia oculta>'),
  ];
  const image = (time: string, caption: string | null) => stored(time, caption, { type: 'image' });
  const messages = [
    image('11:13:09', 'Comprovante'),
    stored('11:13:10', null, { type: 'audio' }),
    stored('11:13:11', null, { type: 'document', fileName: 'orçamento.pdf' }),
    stored('11:14:09', 'com legenda', { type: 'video' }),
  ];
  expect(told(align(lines, messages, BRAZIL))).toMatchObject({
    matched: ['2 = 11:13:09 Comprovante', '4 = 11:13:10 ', '5 = 11:13:11 ', '6 = 11:14:09 com legenda'],
    lost: ['1'],
    ambiguous: [],
  });
});

test('a file of a burst is lost by count, and the ones that look like it are named', () => {
  const burst = ['08:13', '08:13', '08:14', '08:14'].map((time, index) =>
    android(time, `IMG-20260921-WA000${index}.jpg (arquivo anexado)`),
  );
  const messages = ['11:13:01', '11:14:01', '11:14:02'].map((time) => stored(time, null, { type: 'image' }));
  expect(told(align(burst, messages, BRAZIL)).lost).toEqual(['2 or 3 or 4']);
});

test('a file of which the database only knows another content is doubtful, not lost', () => {
  const lines = [android('08:13', '<Mídia oculta>'), android('08:20', 'Qual o valor?')];
  const messages = [
    stored('11:13:10', 'Unsupported message', { type: 'unsupported' }),
    stored('11:20:10', 'Template order_update', { type: 'template' }),
  ];
  expect(told(align(lines, messages, BRAZIL)).ambiguous).toEqual([
    '1 stored_otherwise 11:13:10 Unsupported message',
    '2 stored_otherwise 11:20:10 Template order_update',
  ]);
});

test('deleted lines pair with revoked messages; without one nobody can say what they were', () => {
  const lines = [android('08:13', 'Mensagem apagada'), android('08:30', 'Mensagem apagada')];
  const messages = [stored('11:13:10', 'segredo', { isRevoked: true })];
  expect(told(align(lines, messages, BRAZIL))).toEqual({
    ...NOTHING,
    matched: ['1 = 11:13:10 segredo'],
    ambiguous: ['2 revoked'],
  });
});

test('a chat that was exported before an edit or a revoke shows the earlier words', () => {
  const lines = [
    android('08:13', 'as 10h'),
    android('08:14', 'segredo'),
    android('08:15', 'as 11h <Mensagem editada>'),
  ];
  const messages = [
    stored('11:13:10', 'as 12h', { isEdited: true, texts: [textKey('as 12h'), textKey('as 10h')] }),
    stored('11:14:10', 'segredo', { isRevoked: true }),
    stored('11:15:10', 'as 9h'),
  ];
  expect(told(align(lines, messages, BRAZIL))).toEqual({
    ...NOTHING,
    matched: ['1 = 11:13:10 as 12h', '2 = 11:14:10 segredo'],
    ambiguous: ['3 edited 11:15:10 as 9h'],
  });
});

test('a text that was cut, and one that is stored with another time, are doubtful', () => {
  const lines = [android('08:13', `${LONG} ${'x'.repeat(900)}`), android('09:00', `${LONG} Obrigada!`)];
  const messages = [
    stored('11:13:10', `${LONG} ${'x'.repeat(200)}`),
    stored('2026-09-21T20:00:00Z', `${LONG} Obrigada!`),
  ];
  const { ambiguous, lost } = told(align(lines, messages, BRAZIL));
  expect(lost).toEqual([]);
  expect(ambiguous.map((one) => one.split(' ').slice(0, 2).join(' '))).toEqual([
    '1 stored_otherwise',
    '2 other_time',
  ]);
});

test('what the chat does not reach is not missing from the phone', () => {
  const lines = [android('08:13', 'a'), android('09:13', 'b')];
  const messages = [stored('10:00:00', 'before'), stored('11:30:00', 'between'), stored('13:00:00', 'after')];
  expect(told(align(lines, messages, BRAZIL))).toMatchObject({
    onlyInDatabase: ['11:30:00 between'],
    outside: 2,
  });
});

test('a notice that WhatsApp writes under a name is no message', () => {
  const lines = [
    '[21/09/2026, 08:13:20] Ana: \u200eChamada de voz perdida.',
    '[21/09/2026, 08:14:20] Ana: oi',
  ];
  expect(told(align(lines, [stored('11:14:21', 'oi')], BRAZIL))).toMatchObject({
    matched: ['2 = 11:14:21 oi'],
    lost: [],
    notices: [1],
  });
});

test('iPhones write seconds: two of them are tolerated', () => {
  const lines = ['[21/09/2026, 08:13:20] Ana: a', '[21/09/2026, 08:13:30] Ana: b'];
  const result = align(lines, [stored('11:13:22', 'a'), stored('11:13:33', 'b')], BRAZIL);
  expect(told(result)).toMatchObject({ matched: ['1 = 11:13:22 a'], lost: ['2'] });
});

test('the clock is found by a text that both sides have once, in steps of 15 minutes', () => {
  const { clock } = align([android('17:03', LONG)], [stored('11:18:10', LONG)]);
  expect(clock).toMatchObject({
    source: 'texts',
    anchors: 1,
    agreeing: 1,
    spans: [{ offset: 345 * 60_000 }],
  });
});

test('clocks that were changed within the chat are found, and between the two texts both are tried', () => {
  const day = (date: string, time: string, words: string) => `${date}/10/2026 ${time} - Ana: ${words}`;
  const lines = [
    day('23', '10:00', `${LONG} 1`),
    day('24', '10:00', 'ok'),
    day('26', '10:00', 'oi'),
    day('27', '10:00', `${LONG} 2`),
  ];
  const messages = [
    stored('2026-10-23T08:00:01Z', `${LONG} 1`),
    stored('2026-10-24T08:00:01Z', 'ok'),
    stored('2026-10-26T09:00:01Z', 'oi'),
    stored('2026-10-27T09:00:01Z', `${LONG} 2`),
  ];
  for (const zone of [undefined, 'Europe/Berlin']) {
    const result = align(lines, messages, zone);
    expect(result.matched).toHaveLength(4);
    expect(result.clock.spans.map(({ offset }) => offset / 3_600_000)).toEqual([2, 1]);
  }
});

test('a zone that the texts contradict is not believed; one text alone does not contradict it', () => {
  const lines = [android('08:13', `${LONG} 1`), android('08:14', `${LONG} 2`)];
  const messages = [stored('11:13:10', `${LONG} 1`), stored('11:14:10', `${LONG} 2`)];
  expect(align(lines, messages, 'Asia/Tokyo').clock.source).toBe('texts');
  expect(align(lines, messages, 'America/Sao_Paulo').clock.source).toBe('zone');
  expect(align(lines.slice(0, 1), messages, 'Asia/Tokyo').clock.source).toBe('zone');
});

test('some short texts do not make a clock', () => {
  const { clock, lost } = align(
    [android('08:13', 'ok'), android('08:14', 'sim')],
    [stored('11:13:10', 'ok')],
  );
  expect(clock.source).toBe('none');
  expect(lost.map(({ at }) => at)).toEqual([null, null]);
  const many = ['a', 'b', 'c', 'd'];
  const found = align(
    many.map((text, index) => android(`08:${10 + index * index}`, text)),
    many.map((text, index) => stored(`11:${10 + index * index}:10`, text)),
  );
  expect(found.clock.spans[0]?.offset).toBe(-3 * 3_600_000);
});

test('a line that may have swallowed an unreadable one is doubtful', () => {
  const lines = [android('08:13', LONG), '21/09/2026 25:14 - Ana: b', android('08:15', 'c')];
  expect(told(align(lines, [stored('11:15:10', 'c')], BRAZIL)).ambiguous).toEqual(['1 unreadable']);
});

test('a message known to the minute is a line of that minute with seconds, and of no other', () => {
  const ios = (time: string, words: string): string => `[21/09/2026, ${time}] Ana: ${words}`;
  const known = stored('11:13:00', 'ok', { isToTheMinute: true });
  expect(told(align([ios('08:13:41', 'ok')], [known], BRAZIL))).toMatchObject({
    matched: ['1 = 11:13:00 ok'],
    lost: [],
  });
  expect(told(align([ios('08:14:20', 'ok')], [known], BRAZIL)).matched).toEqual([]);
  expect(told(align([ios('08:13:41', 'ok')], [stored('11:13:00', 'ok')], BRAZIL)).matched).toEqual([]);
});
