import { describe, expect, test } from 'vitest';
import { createLook, PLAIN } from '../../src/cli/ui/look.js';
import {
  drawing,
  faint,
  fields,
  list,
  numbers,
  section,
  short,
  table,
  text,
  type Document,
} from '../../src/cli/ui/document.js';
import { renderMarkdown } from '../../src/cli/ui/markdown.js';
import { renderTerminal } from '../../src/cli/ui/terminal.js';
import { widthOf } from '../../src/cli/ui/width.js';
import { remedy } from '../../src/model/remedy.js';

const TERMINAL = createLook(false, 60, undefined, true);
const NEXT = [
  remedy('verify', ['--connection', 'a shop with a long name, which is longer than a line'], 'checks'),
];

function lines(document: Document, look = TERMINAL): string[] {
  return renderTerminal(document, look).split('\n');
}

describe('a document on a terminal', () => {
  test('is a verdict, its parts, and what to type next', () => {
    expect(
      renderTerminal(
        {
          verdict: { mark: 'warn', text: '2 findings', detail: '80 ms', remarks: ['Dry run.'] },
          blocks: [
            section('Checks', [
              list([
                { mark: 'good', label: 'ids', line: 'fine' },
                { mark: 'bad', label: 'raw_log', line: 'not fine', under: [faint('M1'), NEXT[0] ?? ''] },
              ]),
            ]),
            section('Nothing', [list([]), table(['a'], [])]),
            fields([
              ['database', '/srv/db'],
              ['run', null],
            ]),
          ],
          next: [remedy('verify', [], 'checks again')],
        },
        TERMINAL,
      ),
    ).toBe(`\
▲ 2 findings  80 ms
  Dry run.

Checks
  ✔ ids      fine
  ✖ raw_log  not fine
    M1
    wa-reconcile verify --connection 'a shop with a long name, which is longer than a line'

database  /srv/db

▲ 2 findings  80 ms
Next
  wa-reconcile verify
    checks again`);
  });

  test('repeats its verdict before the last lines when it is long', () => {
    const long = { verdict: { mark: 'good', text: 'Done' }, next: NEXT } as const;
    const many = text(...Array.from({ length: 6 }, (_, i) => `line ${i}`));
    expect(lines({ ...long, blocks: [many] }).slice(-5)).toEqual([
      '',
      '✔ Done',
      'Next',
      expect.stringContaining('wa-reconcile verify'),
      '    checks',
    ]);
    expect(lines({ ...long, blocks: [text('short')] }).filter((line) => line === '✔ Done')).toHaveLength(1);
  });

  test('never is wider than the terminal, but for commands, which are to be copied', () => {
    const words = 'words that go on and on, and 日本語 among them, '.repeat(6);
    const id = 'f'.repeat(200);
    const document: Document = {
      verdict: { mark: 'bad', text: words, detail: words, remarks: [words, id] },
      blocks: [
        section(words, [text(words, id, ['see ', ...NEXT], [faint(words)])]),
        fields([['a label', words]]),
        list([{ mark: 'note', label: 'name', line: words, under: [words, short(words)] }]),
        table(
          ['one', 'two', numbers('three')],
          [
            [words, 'x', '12'],
            [id, words, '1'],
          ],
        ),
      ],
      next: NEXT,
    };
    const wide = lines(document).filter((line) => widthOf(line) > 60);
    expect(wide.map((line) => line.trim().slice(0, 19))).toEqual([
      'wa-reconcile verify',
      'wa-reconcile verify',
    ]);
    expect(lines(document).join('\n')).toContain('  see\n  wa-reconcile verify');
  });

  test('leaves optional columns out before it wraps others', () => {
    const block = table(
      ['id', { heading: 'more', optional: true }, 'verdict'],
      [['0'.repeat(36), 'm'.repeat(20), 'all is well with this run']],
    );
    expect(lines({ blocks: [block] })).toEqual([
      `id${' '.repeat(34)} verdict`,
      `${'0'.repeat(36)} all is well with this`,
      `${' '.repeat(36)} run`,
    ]);
  });
});

describe('a document in a pipe', () => {
  test('is cut nowhere, and has one line for each line and each row of a table', () => {
    const words = 'one two three '.repeat(20).trim();
    const id = 'f'.repeat(200);
    const shown = lines(
      {
        verdict: { mark: 'good', text: words },
        blocks: [text(words), text(id, short(words)), table(['id', 'text'], [[id, words]])],
      },
      PLAIN,
    );
    expect(shown[0]).toBe(`✔ ${words}`);
    expect(shown).toContain(id);
    expect(shown.at(-1)).toBe(`${id}  ${words}`);
    expect(shown.filter((line) => line === words)).toHaveLength(2);
    expect(shown.join(' ')).not.toContain('…');
  });
});

const EVIL = '# \u001b]0;owned\u0007\u001b[2J<b>| [x](y) `z`\u202e\n1. *a*';

test('no text in a document can do anything to a terminal, whichever part it is', () => {
  const document: Document = {
    verdict: { mark: 'good', text: EVIL, detail: EVIL, remarks: [EVIL] },
    blocks: [
      section(EVIL, [text(EVIL, faint(EVIL), short(EVIL))], EVIL),
      fields([[EVIL, EVIL]]),
      list([{ label: EVIL, line: EVIL, under: [EVIL] }]),
      table([EVIL], [[EVIL]]),
    ],
    next: [remedy('verify', ['--connection', EVIL], EVIL)],
  };
  for (const look of [PLAIN, TERMINAL]) {
    expect(renderTerminal(document, look)).not.toMatch(
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/,
    );
  }
  const markdown = renderMarkdown(document, PLAIN);
  expect(markdown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  for (const line of markdown.split('\n')) {
    expect(line.replaceAll(/`+[^`]*`+/g, '')).not.toMatch(/(^|[^\\])(<b>|\[x\])|^(- )?# /);
  }
});

test('Markdown has the same parts, and a drawing in another form', () => {
  const document: Document = {
    verdict: { mark: 'good', text: 'Done', detail: '1 s', remarks: ['Dry run.'] },
    blocks: [
      section('Days', [drawing(() => ['###'], [table(['day', numbers('n')], [['1', '2']])])]),
      section('Parts', [list([{ mark: 'bad', label: 'a', line: 'b', under: ['c'] }])], '2'),
      fields([
        ['run', '7'],
        ['', 'more'],
      ]),
    ],
    next: [remedy('replay', ['a|b'], 'resumes it')],
  };
  expect(renderMarkdown(document, PLAIN)).toBe(`\
**✔ Done** 1 s

Dry run.

## Days

| day | n |
| --- | ---: |
| 1 | 2 |

## Parts (2)

- ✖ **a** b
  - c

- run: 7
  - more

## Next

- \`wa-reconcile replay 'a\\|b'\`: resumes it
`);
});
