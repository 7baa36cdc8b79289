import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { textIndex } from '../../src/cli/transcript/text.js';
import { csvText } from '../../src/cli/ui/csv.js';
import { render } from '../../src/cli/ui/presentation.js';
import { PLAIN } from '../../src/cli/ui/look.js';
import { tries } from '../support/seed.js';

const SEPARATORS = [',', ';', '\t', '|', ' '] as const;
const ROWS = z.array(z.array(z.string()));

/** The cells of a spreadsheet with this separator: what follows a closed quote belongs to the cell, up to the separator. */
function cellsOf(csv: string, delimiter: string): string[] {
  const cells: string[] = [];
  let cell = '';
  let state: 'begin' | 'quoted' | 'closing' | 'open' = 'begin';
  const end = () => {
    cells.push(cell);
    cell = '';
    state = 'begin';
  };
  for (const character of csv) {
    if (state === 'quoted') {
      if (character === '"') state = 'closing';
      else cell += character;
    } else if (state === 'closing' && character === '"') {
      cell += '"';
      state = 'quoted';
    } else if (character === delimiter || character === '\n' || character === '\r') end();
    else if (state === 'begin' && character === '"') state = 'quoted';
    else {
      cell += character;
      state = 'open';
    }
  }
  end();
  return cells;
}

/** As the help of export says it. */
function unguarded(cell: string): string {
  return cell.replace(
    /(^["'\s\p{Cc},;|]*|["'\s\p{Cc},;|]+)'([=+\-@\uff1d\uff0b\uff0d\uff20])/gu,
    (whole: string, before: string, formula: string, at: number) =>
      at === 0 || /[\s\p{Cc},;|]/u.test(before) ? `${before}${formula}` : whole,
  );
}

const QUOTED = { words: 'strangers', isQuoted: true } as const;

const FORMULA = /^["'\s]*(?<!')[=+\-@\uff1d\uff0b\uff0d\uff20]/;

const HOSTILE = [
  '=1+1',
  "a;=cmd|'/c calc'!A1",
  'a\t=1',
  'a|=1',
  'a\n=1',
  'a\r\n+1',
  'a\u0085@1',
  'a; =1',
  'a;"=1"',
  'a;""=1',
  'a\n" -1',
  " \t'=1",
  "'=1",
  "''=1",
  'a =1',
  'a, =1',
  'a;\u00a0=1',
  '\uff1d1;\uff0b1',
  '"=1',
  '";=1;"',
  '-',
  '\n',
  "don't;'=1'",
];

describe('a CSV that strangers have filled', () => {
  test.each(HOSTILE)('is no formula for any separator, and keeps its text: %j', (text) => {
    const csv = csvText(['id', 'body', 'after'], [['1', text, 'x']], QUOTED);
    for (const separator of SEPARATORS) {
      for (const cell of cellsOf(csv, separator))
        expect(cell, JSON.stringify(separator)).not.toMatch(FORMULA);
    }
    expect(ROWS.parse(parse(csv))[1]?.map(unguarded)).toEqual(['1', text, 'x']);
  });

  test('of any characters that a reader may take for more than text is no formula and keeps its text', () => {
    const character = fc.constantFrom(...Array.from('=+-@;,|\t\n\r "\'a1\u00a0\uff1d{}[]:'));
    const texts = fc.array(fc.string({ unit: character, maxLength: 12 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(texts, { minLength: 1, maxLength: 3 }), (rows) => {
        const csv = csvText(null, rows, QUOTED);
        for (const separator of SEPARATORS) {
          for (const cell of cellsOf(csv, separator)) expect(cell).not.toMatch(FORMULA);
        }
        const read = ROWS.parse(parse(csv, { relax_column_count: true }));
        expect(read.map((row) => row.map(unguarded))).toEqual(rows);
      }),
      { numRuns: tries(2000) },
    );
  });

  test('quotes every text, and tells an empty one from none', () => {
    expect(csvText(['a', 'b', 'c', 'd'], [['', null, 1, true]], QUOTED)).toBe(
      '"a","b","c","d"\n"",,"1","true"\n',
    );
  });

  test('is written in linear time', () => {
    const text = [' ', '"', "'", ';', '=', ' "'].map((piece) => piece.repeat(200_000)).join('x');
    const begun = performance.now();
    csvText(null, [[text]], QUOTED);
    expect(performance.now() - begun).toBeLessThan(5_000);
  });
});

describe('the index of an export as text', () => {
  test.each([
    ...HOSTILE,
    '"Ana',
    'Ana"\t"=1',
    '\u202e=1',
    '\u001b[2J=1',
    '\u0000=1',
    'Ana\u2028=1',
    '\ufeff@1',
    'a"\t=1\t"',
  ])('is a table of four cells and no formula, whatever a contact is called: %j', (name) => {
    const line = textIndex(csvText).entry({
      conversation: {
        ids: ['1'],
        contact: { leadId: '1', name, phone: '+5511900000001', organization: 'default' },
        connections: [],
        messages: 3,
      },
      file: '+5511900000001-1.txt',
    });
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(line).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\ufeff]/);
    for (const separator of SEPARATORS) {
      for (const cell of cellsOf(line, separator))
        expect(cell, JSON.stringify(separator)).not.toMatch(FORMULA);
    }
    const cells = cellsOf(line.trimEnd(), '\t');
    expect(cells).toHaveLength(4);
    expect([cells[0], cells[2], cells[3]]).toEqual(["'+5511900000001-1.txt", "'+5511900000001", '3']);
  });
});

test('a CSV of any result has no formula behind a separator, and its command lines stay as they are typed', async () => {
  const presentation = {
    json: null,
    lines: [],
    csv: { columns: ['a', 'b'], rows: [['wa-reconcile dedupe --apply', 'x;=1\n+2|"-3"']] },
    document: { blocks: [] },
  };
  const csv = await render(presentation, 'csv', PLAIN);
  for (const separator of [',', ';', '\t', '|']) {
    for (const cell of cellsOf(csv, separator)) expect(cell).not.toMatch(FORMULA);
  }
  expect(csv).toMatch(/^a,b\nwa-reconcile dedupe --apply,/);
});
