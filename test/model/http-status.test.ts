import { expect, test } from 'vitest';
import { ConfigError, LockedError, UserError } from '../../src/model/errors.js';
import { translateDatabaseError } from '../../src/store/database-errors.js';

/** The status of an error of wrong usage with this code. */
const usage = (code: string): number => new ConfigError('wrong', { code }).httpStatus;

test.each(['unknown_contact', 'unknown_run', 'connection_unknown', 'organization_unknown'])(
  '%s is 404: what was asked for does not exist',
  (code) => {
    expect(usage(code)).toBe(404);
  },
);

test.each([
  'usage',
  'invalid_contact',
  'invalid_option',
  'invalid_cursor',
  'ambiguous_contact',
  'erased_contact',
])('%s is 400: the request is wrong', (code) => {
  expect(usage(code)).toBe(400);
});

test('a refused request is 400, although it is no wrong usage on the command line', () => {
  expect(new UserError('no', { code: 'not_confirmed' }).httpStatus).toBe(400);
});

test.each([
  'database_missing',
  'database_unknown',
  'database_url_invalid',
  'migrations_pending',
  'migration_changed',
  'direct_url_differs',
  'secret_key_missing',
  'token_missing',
  'proxy_invalid',
])('%s is 503, although it is wrong usage on the command line: no request can mend it', (code) => {
  expect(usage(code)).toBe(503);
});

test.each([
  Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
  Object.assign(new Error('no role'), { code: '28P01' }),
  Object.assign(new Error('no database'), { code: '3D000' }),
  Object.assign(new Error('disk'), { code: '53100' }),
  new Error('Cannot use a pool after calling end on the pool'),
])('a failure of the database is 503: %s', (failure) => {
  expect(translateDatabaseError(failure, 'postgresql://db/crm')?.httpStatus).toBe(503);
});

test('a lock that another run holds is 503: the same request may work later', () => {
  expect(new LockedError('held').httpStatus).toBe(503);
});
