import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/model/errors.js';
import { parseDatabaseUrl, redactUrl } from '../../src/store/database-url.js';

describe('a database URL', () => {
  test('is shown without user, password and parameters', () => {
    expect(
      redactUrl('postgresql://ana:s%40cret@db.example:6432/crm?schema=wa&sslmode=require&password=hunter2'),
    ).toBe('postgresql://db.example:6432/crm?schema=wa');
    expect(redactUrl('postgres://ana:secret@db.example/crm')).toBe('postgresql://db.example:5432/crm');
    expect(redactUrl('postgresql://ana:secret@[::1]:5433/crm')).toBe('postgresql://[::1]:5433/crm');
  });

  test('that cannot be read is not shown at all', () => {
    for (const url of [
      '',
      'ana:secret',
      'postgresql://ana:se/cr@et@x:y/z',
      'http://ana:secret@x/y',
      '://secret',
    ]) {
      expect(redactUrl(url), url).not.toContain('secret');
      expect(redactUrl(url), url).not.toContain('se/cr');
    }
  });

  test.each([
    ['not a URL', /cannot be read/],
    ['mysql://ana:secret@host/db', /begins with mysql:/],
    ['prisma+postgres://accelerate.example/?api_key=secret', /begins with prisma\+postgres:/],
    ['postgresql://host/db?schema=', /schema/],
    ['postgresql://host/db?schema=a%22b', /schema/],
  ])('%s is refused, without a word of what is secret in it', (url, message) => {
    const refused = (): unknown => parseDatabaseUrl(url);
    expect(refused).toThrow(ConfigError);
    expect(refused).toThrow(message);
    expect(refused).not.toThrow(/secret/);
  });

  test('keeps what pg understands and drops what only Prisma does', () => {
    const { connectionString, connectionLimit, connectTimeoutSeconds, schema } = parseDatabaseUrl(
      'postgresql://ana@host/db?schema=x&connection_limit=7&connect_timeout=3&pool_timeout=1&pgbouncer=true&sslmode=no-verify&sslrootcert=/ca.pem',
    );
    expect({ connectionLimit, connectTimeoutSeconds, schema }).toEqual({
      connectionLimit: 7,
      connectTimeoutSeconds: 3,
      schema: 'x',
    });
    expect([...new URL(connectionString).searchParams.keys()]).toEqual(['sslmode', 'sslrootcert']);
  });

  test('may name a socket directory and leave out the host', () => {
    const { location, user } = parseDatabaseUrl('postgresql://ana@/crm?host=/run/postgresql');
    expect({ location, user }).toEqual({ location: 'postgresql:///run/postgresql:5432/crm', user: 'ana' });
  });

  test('without a database means the one named like the user, as PostgreSQL has it', () => {
    expect(parseDatabaseUrl('postgresql://ana@host').database).toBe('ana');
  });
});
