import fc from 'fast-check';
import { expect, test } from 'vitest';
import { saidIn } from '../../src/commands/compare-chat/chat-lines.js';
import { parseChatText, type ChatText } from '../../src/inputs/exports/chat-text.js';
import { alignChat, type ChatAlignment } from '../../src/rules/align-chat.js';
import { MINUTES, SECONDS } from '../../src/rules/chat-clock.js';
import { textKey, type ChatLine, type StoredMessage } from '../../src/rules/chat-content.js';
import { CHAT_FORMS, writeChat, type PhoneFile, type PhoneMessage } from '../support/chat-export.js';
import { tries } from '../support/seed.js';

const ME = 'Loja Centro';
const ANA = 'Ana Souza';

/** What was really sent: what the phone shows of it, and what a database keeps of it. */
interface Sent {
  phone: PhoneMessage;
  stored: StoredMessage;
}

const SHORT = ['ok', 'Ok', 'sim', '👍', 'oi', 'a\nb', '.'] as const;
const ZONES = [
  'America/Sao_Paulo',
  'America/New_York',
  'Europe/Berlin',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Auckland',
  'UTC',
] as const;
/** Days before clocks are changed in one of the zones, and one of no such kind. */
const STARTS = ['2026-03-06', '2026-03-27', '2026-10-23', '2026-10-30', '2026-04-03', '2026-07-01'] as const;

const content = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...SHORT).map((text) => ({ kind: 'short', text }) as const) },
  { weight: 4, arbitrary: fc.nat(1_000_000).map((number) => ({ kind: 'long', number }) as const) },
  {
    weight: 4,
    arbitrary: fc
      .record({
        file: fc.constantFrom<PhoneFile>('image', 'video', 'audio', 'sticker', 'document'),
        caption: fc.constantFrom('', '', 'Comprovante', 'Comprovante do pedido de ontem'),
      })
      .map((file) => ({ kind: 'file', ...file }) as const),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'deleted' } as const) },
);

/** Seconds to the next message: bursts, minutes, hours, days. */
const pause = fc.oneof(
  { weight: 4, arbitrary: fc.nat(20) },
  { weight: 3, arbitrary: fc.nat(180) },
  { weight: 2, arbitrary: fc.nat(9000) },
  { weight: 1, arbitrary: fc.nat(90_000) },
);

const world = fc
  .record({
    start: fc.constantFrom(...STARTS),
    /** How far the phone's clock is behind for what it sends itself, as a share of what is tolerated. */
    behind: fc.constantFrom(0, 0, 0.4, 0.9),
    form: fc.constantFrom(...CHAT_FORMS),
    timeZone: fc.constantFrom(...ZONES),
    withFiles: fc.boolean(),
    messages: fc.array(
      fc.record({
        pause,
        content,
        isOwn: fc.boolean(),
        isLost: fc.nat(5).map((one) => one === 0),
        isEdited: fc.nat(6).map((one) => one === 0),
      }),
      { minLength: 1, maxLength: 60 },
    ),
  })
  .map(({ start, behind, messages, ...writing }) => {
    // The third of the month and later: which number is the day is another rule's question.
    let at = Date.parse(`${start}T12:00:00Z`);
    const sent = messages.map(({ pause: seconds, content: said, isOwn, isEdited }, index): Sent => {
      at += seconds * 1000;
      const tolerance = writing.form.isIos ? 1999 : 59_000;
      const shown = isOwn ? at - Math.floor(behind * tolerance) : at;
      return sentAt(at, shown, said, isOwn, isEdited, index);
    });
    return { ...writing, sent, lost: messages.map(({ isLost }) => isLost) };
  });

function sentAt(
  at: number,
  shown: number,
  said: typeof content extends fc.Arbitrary<infer Content> ? Content : never,
  isOwn: boolean,
  edited: boolean,
  index: number,
): Sent {
  const common = { id: `m${index}`, at, direction: isOwn ? 'OUTBOUND' : 'INBOUND', fileName: null } as const;
  const phone = { at: shown, sender: isOwn ? ME : ANA };
  const flags = { isEdited: false, isRevoked: false };
  switch (said.kind) {
    case 'short':
    case 'long': {
      const text = said.kind === 'short' ? said.text : `O pedido ${said.number} sai amanhã às 10h, tudo bem?`;
      return {
        phone: { ...phone, shows: { kind: 'text', text, isEdited: edited } },
        stored: {
          ...common,
          type: 'text',
          ...flags,
          isEdited: edited,
          texts: [textKey(text), ...(edited ? [textKey(`${text} (antes)`)] : [])],
        },
      };
    }
    case 'file': {
      const caption = ['audio', 'sticker'].includes(said.file) ? '' : said.caption;
      return {
        phone: { ...phone, shows: { kind: 'file', file: said.file, caption } },
        stored: { ...common, type: said.file, ...flags, texts: caption === '' ? [] : [textKey(caption)] },
      };
    }
    case 'deleted':
      return {
        phone: { ...phone, shows: { kind: 'deleted' } },
        stored: { ...common, type: 'text', ...flags, isRevoked: true, texts: [] },
      };
  }
}

function readBack(text: string, order: 'dmy' | 'mdy' | 'ymd'): ChatText {
  const chat = parseChatText(text, { order });
  if (chat === undefined) throw new Error('no chat');
  expect(chat.problems).toEqual([]);
  return chat;
}

interface Compared {
  lines: readonly ChatLine[];
  lineOf: readonly number[];
  result: ChatAlignment;
}

type World = typeof world extends fc.Arbitrary<infer Value> ? Value : never;

function compare(given: World, timeZone: string | undefined, stored: readonly StoredMessage[]): Compared {
  const { text, lineOf } = writeChat(
    given.sent.map(({ phone }) => phone),
    given,
  );
  const order = given.form.name.includes('United States')
    ? 'mdy'
    : given.form.name.includes('Canada')
      ? 'ymd'
      : 'dmy';
  const { lines } = saidIn(readBack(text, order), (sender) => (sender === ME ? 'OUTBOUND' : 'INBOUND'));
  expect(lines).toHaveLength(given.sent.length);
  const precision = given.form.isIos ? SECONDS : MINUTES;
  return { lines, lineOf, result: alignChat(lines, stored, { precision, timeZone }) };
}

function expectExact(given: World, { lines, lineOf, result }: Compared): void {
  const { lost, ambiguous, matched, notices } = result;
  expect(matched.length + lost.length + ambiguous.length + notices.length).toBe(lines.length);
  const missing = new Set(lineOf.filter((_, index) => given.lost[index]));
  const deleted = given.sent.filter(
    ({ phone }, index) => given.lost[index] && phone.shows.kind === 'deleted',
  );
  // As many as were taken away: what was deleted on the phone has no words, and is never counted.
  expect(ambiguous).toHaveLength(deleted.length);
  expect(lost).toHaveLength(missing.size - deleted.length);
  const looks = (line: ChatLine): string => JSON.stringify([line.at, line.direction, line.content]);
  const named = lost.map(({ line, or }) => new Set([line, ...or].map(looks)));
  // Nobody is named for a loss without one that was taken away among those it may be, and none that was is left out.
  const lostLooks = lines.filter(({ line }) => missing.has(line)).map(looks);
  for (const one of named) expect(lostLooks.some((look) => one.has(look))).toBe(true);
  for (const { line, content: said, ...rest } of lines.filter(({ line: one }) => missing.has(one))) {
    if (said.kind === 'deleted') continue;
    expect(named.some((one) => one.has(looks({ line, content: said, ...rest })))).toBe(true);
  }
}

test('whatever is taken out of a database is found by the chat, in every form and zone, and nothing else is', () => {
  fc.assert(
    fc.property(world, (given) => {
      const stored = given.sent.filter((_, index) => !given.lost[index]).map((one) => one.stored);
      expectExact(given, compare(given, given.timeZone, stored));
    }),
    { numRuns: tries(1500) },
  );
});

test('without a zone the clock is found by the texts, or is said to be unknown', () => {
  let found = 0;
  fc.assert(
    fc.property(world, (given) => {
      const stored = given.sent.filter((_, index) => !given.lost[index]).map((one) => one.stored);
      const compared = compare(given, undefined, stored);
      if (compared.result.clock.source === 'none') return;
      found++;
      const { lost, ambiguous } = compared.result;
      // A text that is alone may not show that the clocks were changed; then lines are doubtful, and still none is accused wrongly.
      const missing = new Set(compared.lineOf.filter((_, index) => given.lost[index]));
      const looks = (line: ChatLine): string => JSON.stringify([line.at, line.direction, line.content]);
      const lostLooks = new Set(compared.lines.filter(({ line }) => missing.has(line)).map(looks));
      for (const { line, or } of lost)
        expect([line, ...or].some((one) => lostLooks.has(looks(one)))).toBe(true);
      expect(lost.length + ambiguous.length).toBeGreaterThanOrEqual(missing.size);
    }),
    { numRuns: tries(1500) },
  );
  expect(found).toBeGreaterThan(tries(1500) * 0.47);
});

test('40,000 lines of one word, a third of them lost, are aligned at once', () => {
  const lines = Array.from({ length: 40_000 }, (_, index) => ({
    line: index + 1,
    at: Date.UTC(2026, 0, 1) + Math.floor(index / 5) * 60_000,
    direction: 'INBOUND' as const,
    content: { kind: 'text' as const, key: 'ok', isEdited: false },
  }));
  const messages = lines
    .filter((_, index) => index % 3 !== 0)
    .map(({ line, at }) => ({
      id: String(line),
      at,
      direction: 'INBOUND' as const,
      type: 'text',
      texts: [textKey('ok')],
      fileName: null,
      isEdited: false,
      isRevoked: false,
    }));
  const began = performance.now();
  const { lost, matched } = alignChat(lines, messages, { precision: MINUTES, timeZone: 'UTC' });
  expect([lost.length, matched.length]).toEqual([13_334, 26_666]);
  expect(performance.now() - began).toBeLessThan(20_000);
});
