import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pformat } from '../support/pformat.js';
import { LOG_FRAMES, PREFIXED_LINES, type LogFrame } from '../support/log-frames.js';
import { bodyWith, PASTED_BODY, PLACES_OF_TEXTS, TEXTS_WITH_WEBHOOKS } from '../support/pasted-webhooks.js';
import {
  ABRIDGED_PRINTS,
  NODE_PRINTS,
  PYTHON_PRINTS,
  RUBY_PRINTS,
  type ProgramPrint,
} from '../support/program-prints.js';
import { outcomes, outcomesOf, UNREAD } from './outcomes.js';
import { after, readText } from './support.js';
import { inTurn, tries } from '../support/seed.js';

/** Bodies as programs print them over several lines. A webhook in a customer's text is never an entry of its own (rule E1). */

/** A line of words in a file of JSON is not understood, which says nothing about prints. */
function withoutWords(all: readonly string[]): string[] {
  return all.filter((each) => each !== `${UNREAD}no_json`);
}

function fileOf(lines: readonly string[], frame: LogFrame): string {
  return `${lines.flatMap((line) => frame(line, 0)).join('\n')}\n`;
}

/** Frames that say of which stream a line is. */
const INTERLEAVES: ReadonlySet<LogFrame> = new Set(
  Object.values(LOG_FRAMES).filter((frame) => frame !== LOG_FRAMES.none),
);

/** The lines of two streams by turns; in other files one after the other. */
function interleaved(first: readonly string[], second: readonly string[], frame: LogFrame): string {
  if (!INTERLEAVES.has(frame)) return fileOf([...first, ...second], frame);
  const lines: string[] = [];
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    for (const [stream, all] of [first, second].entries()) {
      const line = all[i];
      if (line !== undefined) lines.push(...frame(line, stream));
    }
  }
  return `${lines.join('\n')}\n`;
}

const FRAMES = Object.entries({ ...LOG_FRAMES, ...PREFIXED_LINES });
const WHOLE: Readonly<Record<string, ProgramPrint>> = {
  ...named('Node', NODE_PRINTS),
  ...named('Python', PYTHON_PRINTS),
  ...named('Ruby', RUBY_PRINTS),
  JSON: { write: (body) => JSON.stringify(body, null, 2) },
  'JSON behind words': { write: (body) => `received: ${JSON.stringify(body, null, '\t')}` },
};

function named(
  program: string,
  prints: Readonly<Record<string, ProgramPrint>>,
): Record<string, ProgramPrint> {
  return Object.fromEntries(Object.entries(prints).map(([name, print]) => [`${program}: ${name}`, print]));
}

const next = (i: number): string => JSON.stringify(bodyWith(`next ${i}`, `N${i}`));

describe.each(Object.entries(WHOLE).map(([name, print], row) => ({ name, print, row })))(
  '$name',
  ({ print, row }) => {
    test.each(inTurn(FRAMES, row))('is read with what stands around it: %s', async (__, frame) => {
      const lines = TEXTS_WITH_WEBHOOKS.flatMap((text, i) => [
        'GET /health',
        ...print.write(bodyWith(text, `B${i}`)).split('\n'),
        `INFO got ${next(i)}`,
        next(i),
      ]);
      const expected = TEXTS_WITH_WEBHOOKS.flatMap((text, i) => [text, `next ${i}`, `next ${i}`]);
      expect(withoutWords(outcomes(await readText(fileOf(lines, frame))))).toEqual(expected);
    });
  },
);

describe.each(Object.entries(ABRIDGED_PRINTS).map(([name, print], row) => ({ name, print, row })))(
  'Node: $name',
  ({ print, row }) => {
    test.each(inTurn(FRAMES, row))('is one body that is not understood: %s', async (__, frame) => {
      const texts = TEXTS_WITH_WEBHOOKS.slice(1);
      const lines = texts.flatMap((text, i) => ['got', ...print.write(bodyWith(text)).split('\n'), next(i)]);
      const expected = texts.flatMap((___, i) => [`${UNREAD}abridged`, `next ${i}`]);
      const result = await readText(fileOf(lines, frame));
      expect(withoutWords(outcomes(result))).toEqual(expected);
    });
  },
);

const anyPrint = fc.constantFrom(...Object.values(WHOLE));
/** A bare file that begins with JSON over several lines is read as one of such values. */
const anyProgram = fc.constantFrom(
  ...[NODE_PRINTS, PYTHON_PRINTS, RUBY_PRINTS].flatMap((prints) => Object.values(prints)),
);
const anyText = fc.oneof(
  fc.constantFrom(...TEXTS_WITH_WEBHOOKS),
  fc
    .tuple(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.constantFrom(...TEXTS_WITH_WEBHOOKS))
    .map(([words, text]) => words.replace(/[\ud800-\udfff\0]/g, '') + text),
);
const anyPlace = fc.constantFrom(...PLACES_OF_TEXTS);
type Part =
  | { kind: 'print'; print: ProgramPrint; place: (typeof PLACES_OF_TEXTS)[number]; text: string }
  | { kind: 'json' }
  | { kind: 'words' };
const part: fc.Arbitrary<Part> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('print'), print: anyProgram, place: anyPlace, text: anyText }),
  },
  fc.record({ kind: fc.constant('json') }),
  fc.record({ kind: fc.constant('words') }),
);
const parts = fc.array(part, { minLength: 1, maxLength: 5 });

function written(all: readonly Part[]): { lines: string[]; texts: string[] } {
  const lines: string[] = [];
  const texts: string[] = [];
  for (const [i, each] of all.entries()) {
    if (each.kind === 'words') lines.push('2026-09-21T11:13:20Z INFO it\'s done { "a": 1 }');
    else if (each.kind === 'json') {
      lines.push(next(i));
      texts.push(`next ${i}`);
    } else {
      const body = each.place(each.text, `B${i}`);
      lines.push(...each.print.write(body).split('\n'));
      texts.push(...outcomesOf(Buffer.from(JSON.stringify(body))));
    }
  }
  return { lines, texts };
}

test.each(FRAMES)('any prints of two streams, however they are cut into chunks: %s', async (name, frame) => {
  // Docker's lines say how they end only where whole ones are among the first of the file.
  const min = name === 'docker, in small pieces' ? 8_192 : 1;
  await fc.assert(
    fc.asyncProperty(parts, parts, fc.integer({ min, max: 12_000 }), async (first, second, chunkBytes) => {
      const [one, two] = [written(first), written(second)];
      const log = interleaved(one.lines, two.lines, frame);
      const whole = await readText(log);
      const texts = outcomes(whole).filter(
        (each) => !each.startsWith(UNREAD) || each === `${UNREAD}abridged`,
      );
      expect(texts.sort()).toEqual([...one.texts, ...two.texts].sort());
      const cut = await readText(log, { chunkBytes });
      expect(cut.seen).toEqual(whole.seen);
      for (const [i, item] of whole.items.entries()) {
        const rest = (await readText(log, { chunkBytes, resume: after(item) })).seen;
        // What may go on once the file has grown is read again.
        expect(rest).toEqual(whole.seen.slice(whole.seen.length - rest.length));
        expect(rest.length).toBeGreaterThanOrEqual(whole.seen.length - i - 1);
      }
    }),
    { numRuns: tries(12) },
  );
});

test.each(FRAMES)(
  'a print of which lines are missing brings no message of its texts: %s',
  async (_, frame) => {
    await fc.assert(
      fc.asyncProperty(anyPrint, anyText, fc.nat(), fc.nat(), async (print, text, from, to) => {
        const lines = print.write(bodyWith(text)).split('\n');
        const start = from % lines.length;
        const end = start + 1 + (to % (lines.length - start));
        const log = fileOf(['GET /health 200', ...lines.slice(start, end), next(1), 'got', next(2)], frame);
        const all = outcomes(await readText(log));
        expect(all).not.toContain(PASTED_BODY);
        expect(all).toEqual(expect.arrayContaining(['next 1', 'next 2']));
      }),
      { numRuns: tries(40) },
    );
  },
);

/** Where a value of a body begins, and how many lines of it were written before the process ended. */
const anyCut = fc.record({
  place: anyPlace,
  text: fc.constantFrom(...TEXTS_WITH_WEBHOOKS),
  indent: fc.constantFrom(2, 4, '\t'),
  from: fc.nat(),
  length: fc.nat(),
  isDedented: fc.boolean(),
  frame: fc.constantFrom(...FRAMES.map(([, frame]) => frame)),
});

test('JSON that is cut off brings no message of its texts, whatever value of a body it is', async () => {
  await fc.assert(
    fc.asyncProperty(anyCut, async ({ place, text, indent, from, length, isDedented, frame }) => {
      const all = JSON.stringify(place(text, 'A1'), null, indent).split('\n');
      const starts = all.flatMap((line, i) => (/^\s*[[{]/.test(line) ? [i] : []));
      const start = starts[from % starts.length] ?? 0;
      const depth = indentOf(all[start]);
      const rest = all.slice(start);
      const ends = rest.findIndex((line) => indentOf(line) < depth);
      const inside = isDedented && ends > 0 ? rest.slice(0, ends) : rest;
      const cut = inside.slice(0, 1 + (length % inside.length));
      const lines = isDedented ? cut.map((line) => line.slice(depth)) : cut;
      const log = fileOf(['GET /health 200', ...lines, next(1), 'got', next(2)], frame);
      const texts = outcomes(await readText(log));
      expect(texts).not.toContain(PASTED_BODY);
      expect(texts).toEqual(expect.arrayContaining(['next 1', 'next 2']));
    }),
    { numRuns: tries(1_000) },
  );
});

function indentOf(line = ''): number {
  return line.length - line.trimStart().length;
}

test('a print over the limit, or with a line over it, is reported with its place; its neighbors are read', async () => {
  for (const print of Object.values(WHOLE)) {
    const lines = print.write(bodyWith('some words\n'.repeat(400))).split('\n');
    const log = fileOf([next(1), ...lines, next(2)], (line) => [line]);
    const result = await readText(log, { maxEntryBytes: 2_000 });
    expect(result.problems).toEqual([expect.stringMatching(/^entry_too_large log:\d+$/)]);
    expect(outcomes(result).filter((each) => each.startsWith('next'))).toEqual(['next 1', 'next 2']);
  }
});

test('lines that are built to look like the beginning of many prints are passed over', async () => {
  const half = 1 << 18;
  const lines = [
    '{',
    '[',
    '(',
    "{'a':",
    "['",
    '{ a: ',
    "{'a': '",
    '[{',
    "{'a': \"",
    '{"a"=>',
    ' ',
    "'a' ",
    'a: ',
  ];
  for (const piece of lines) {
    for (const end of [',', "'", '{']) {
      const log = `x ${piece.repeat(half / piece.length)}${end}\n  a: 'b',\n${next(1)}\n`;
      expect(outcomes(await readText(log, { maxEntryBytes: 4 * half }))).toContain('next 1');
    }
  }
  // What grows with the square of a line takes minutes.
}, 20_000);

describe("pformat writes what Python's pprint does", () => {
  const text = `olha: {"object":"whatsapp_business_account","entry":[]}\nit's "x" \x1b[31m é\u2028 👩\u200d👧 \xad ok`;
  const messages = [
    { from: '55', id: 'wamid.x', timestamp: '1758000000', type: 'text', text: { body: text } },
  ];
  const metadata = { display_phone_number: '5511', phone_number_id: '80' };
  const body = {
    object: 'whatsapp_business_account',
    entry: [
      {
        id: '9',
        changes: [{ value: { messaging_product: 'whatsapp', metadata, messages }, field: 'messages' }],
      },
    ],
  };

  test('80 characters wide', () => {
    expect(pformat(body)).toBe(String.raw`{'entry': [{'changes': [{'field': 'messages',
                         'value': {'messages': [{'from': '55',
                                                 'id': 'wamid.x',
                                                 'text': {'body': 'olha: '
                                                                  '{"object":"whatsapp_business_account","entry":[]}\n'
                                                                  'it\'s "x" '
                                                                  '\x1b[31m '
                                                                  'é\u2028'
                                                                  ' 👩\u200d👧 '
                                                                  '\xad ok'},
                                                 'timestamp': '1758000000',
                                                 'type': 'text'}],
                                   'messaging_product': 'whatsapp',
                                   'metadata': {'display_phone_number': '5511',
                                                'phone_number_id': '80'}}}],
            'id': '9'}],
 'object': 'whatsapp_business_account'}`);
  });

  test('120 characters wide, in the order of the members', () => {
    expect(pformat(body, { width: 120, sortDicts: false }))
      .toBe(String.raw`{'object': 'whatsapp_business_account',
 'entry': [{'id': '9',
            'changes': [{'value': {'messaging_product': 'whatsapp',
                                   'metadata': {'display_phone_number': '5511', 'phone_number_id': '80'},
                                   'messages': [{'from': '55',
                                                 'id': 'wamid.x',
                                                 'timestamp': '1758000000',
                                                 'type': 'text',
                                                 'text': {'body': 'olha: '
                                                                  '{"object":"whatsapp_business_account","entry":[]}\n'
                                                                  'it\'s "x" \x1b[31m é\u2028'
                                                                  ' 👩\u200d👧 \xad ok'}}]},
                         'field': 'messages'}]}]}`);
  });

  test('narrow and indented', () => {
    expect(pformat(body, { width: 40, indent: 4 }))
      .toBe(String.raw`{   'entry': [   {   'changes': [   {   'field': 'messages',
                                        'value': {   'messages': [   {   'from': '55',
                                                                         'id': 'wamid.x',
                                                                         'text': {   'body': 'olha: '
                                                                                             '{"object":"whatsapp_business_account","entry":[]}\n'
                                                                                             "it's "
                                                                                             '"x" '
                                                                                             '\x1b[31m '
                                                                                             'é\u2028'
                                                                                             ' '
                                                                                             '👩\u200d👧 '
                                                                                             '\xad '
                                                                                             'ok'},
                                                                         'timestamp': '1758000000',
                                                                         'type': 'text'}],
                                                     'messaging_product': 'whatsapp',
                                                     'metadata': {   'display_phone_number': '5511',
                                                                     'phone_number_id': '80'}}}],
                     'id': '9'}],
    'object': 'whatsapp_business_account'}`);
  });
});
