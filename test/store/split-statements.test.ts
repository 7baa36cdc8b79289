import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitStatements } from '../../src/store/migrations/migrate.js';

test.each([
  ['two statements', 'select 1; select 2;', ['select 1', 'select 2']],
  ['a last one without semicolon', 'select 1;\nselect 2', ['select 1', 'select 2']],
  ['empty ones', ';;  ;\n', []],
  ['comments alone', '-- nothing; here\n/* nor; here */', []],
  ['a comment before a statement', '-- why; it is\nselect 1;', ['-- why; it is\nselect 1']],
  ['nested comments', 'select /* a /* b; */ c; */ 1; select 2', ['select /* a /* b; */ c; */ 1', 'select 2']],
  ['strings', `select 'a;b', 'it''s;'; select 2`, [`select 'a;b', 'it''s;'`, 'select 2']],
  ['a backslash at the end of a plain string', `select 'a\\'; select 2`, [`select 'a\\'`, 'select 2']],
  [
    'a backslash before a quote in an E string',
    `select E'a\\';b'; select 2`,
    [`select E'a\\';b'`, 'select 2'],
  ],
  [
    'a name that ends with e before a string',
    `select typee'a\\'; select 2`,
    [`select typee'a\\'`, 'select 2'],
  ],
  ['quoted names', `select 1 as "a;""b;"; select 2`, [`select 1 as "a;""b;"`, 'select 2']],
  ['dollar quotes', 'do $$ begin; end $$; select 2', ['do $$ begin; end $$', 'select 2']],
  [
    'tagged dollar quotes',
    'do $a$ x; $$ y; $b$ z; $a$; select 2',
    ['do $a$ x; $$ y; $b$ z; $a$', 'select 2'],
  ],
  [
    'a dollar inside a name or a parameter',
    'select a$b$c; select $1; select 2',
    ['select a$b$c', 'select $1', 'select 2'],
  ],
  [
    'rules with several actions',
    'create rule r as on insert to t do (select 1; select 2); select 3',
    ['create rule r as on insert to t do (select 1; select 2)', 'select 3'],
  ],
])('%s', (_, script, statements) => {
  expect(splitStatements(script)).toEqual(statements);
});

test('statements put together come apart again', () => {
  const piece = fc.constantFrom(
    'select 1',
    `'a;b'`,
    `E'\\';'`,
    '"x;"',
    '$$;$$',
    '$t$ ; $$ ; $t$',
    '/* ; /* ; */ ; */',
    '-- ;\n',
    '(1; 2)',
    'a$b',
  );
  const statement = fc
    .array(piece, { minLength: 1, maxLength: 6 })
    .map((pieces) => `x ${pieces.join(' ')} y`);
  fc.assert(
    fc.property(fc.array(statement, { maxLength: 6 }), (statements) => {
      expect(splitStatements(statements.join(';\n'))).toEqual(statements);
    }),
  );
});
