import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { EXIT, UserError, type ExitCode } from '../../src/model/errors.js';
import { translateDatabaseError } from '../../src/store/database-errors.js';
import { openStore, type DatabaseConfig } from '../../src/store/open-store.js';
import { assertServerVersion } from '../../src/store/server.js';
import { describeOnBackends, TEST_OPTIONS, useBackend } from '../support/databases.js';

const PASSWORD = 'correct-horse-battery';

function changed(config: DatabaseConfig, change: (url: URL) => void): DatabaseConfig {
  if (config.kind !== 'postgresql') throw new Error('not a server');
  const url = new URL(config.url);
  change(url);
  return { kind: 'postgresql', url: url.toString() };
}

async function failureOf(work: Promise<unknown>): Promise<UserError> {
  const error: unknown = await work.then(
    () => new Error('it worked'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UserError)) throw error;
  expect(error.remedy).not.toBe(undefined);
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(PASSWORD);
  return error;
}

describe('a PostgreSQL that cannot be used says why, in one line with a remedy', () => {
  const backend = useBackend('postgresql');
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  /** A server that speaks as much PostgreSQL as the test needs. */
  async function fakeServer(answer: (socket: Socket, message: Buffer) => void): Promise<number> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (message) => {
        answer(socket, Buffer.from(message));
      });
    }).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return address.port;
  }

  function errorResponse(fields: Record<string, string>): Buffer {
    const body =
      Object.entries(fields)
        .map(([key, value]) => `${key}${value}\0`)
        .join('') + '\0';
    const message = Buffer.alloc(5 + Buffer.byteLength(body));
    message.write('E', 0);
    message.writeInt32BE(message.length - 1, 1);
    message.write(body, 5);
    return message;
  }

  /** An Authentication message: 10 asks for SASL, 11 goes on with it. */
  function authentication(kind: number, content: string): Buffer {
    const message = Buffer.alloc(9 + content.length);
    message.write('R', 0);
    message.writeInt32BE(message.length - 1, 1);
    message.writeInt32BE(kind, 5);
    message.write(content, 9);
    return message;
  }

  test('nobody listens', async () => {
    const config = changed(await backend.config(), (url) => {
      url.port = '1';
      url.password = PASSWORD;
    });
    const error = await failureOf(openStore(config, TEST_OPTIONS));
    expect(error).toMatchObject({ code: 'database_unreachable', exitCode: EXIT.failure });
    expect(error.message).toMatch(
      /^No PostgreSQL answers at postgresql:\/\/127\.0\.0\.1:1\/\w+ \(ECONNREFUSED\)\.$/,
    );
  });

  test('the host has no address', async () => {
    const error = await failureOf(
      openStore({ kind: 'postgresql', url: `postgresql://a:${PASSWORD}@nowhere.invalid/db` }, TEST_OPTIONS),
    );
    expect(error.code).toBe('database_unreachable');
  });

  test('the server does not answer in time', async () => {
    const port = await fakeServer(() => undefined);
    const url = `postgresql://a:${PASSWORD}@127.0.0.1:${port}/db?connect_timeout=1`;
    const error = await failureOf(openStore({ kind: 'postgresql', url }, TEST_OPTIONS));
    expect(error.code).toBe('database_unreachable');
  });

  test('the database does not exist', async () => {
    const config = changed(await backend.config(), (url) => {
      url.pathname = '/no_such_database';
    });
    const error = await failureOf(openStore(config, TEST_OPTIONS));
    expect(error).toMatchObject({ code: 'database_unknown', exitCode: EXIT.usage });
    expect(error.message).toContain('/no_such_database');
  });

  test('the role does not exist', async () => {
    const config = changed(await backend.config(), (url) => {
      url.username = 'nobody_here';
    });
    expect(await failureOf(openStore(config, TEST_OPTIONS))).toMatchObject({ exitCode: EXIT.usage });
  });

  test.each([
    ['28P01', 'password authentication failed for user "a"', 'database_auth_failed', EXIT.usage],
    [
      '28000',
      'no pg_hba.conf entry for host "10.0.0.1", user "a", database "db", no encryption',
      'database_tls_required',
      EXIT.usage,
    ],
    ['28000', 'role "a" is not permitted to log in', 'database_access_refused', EXIT.usage],
    ['53300', 'sorry, too many clients already', 'database_too_many_connections', EXIT.failure],
    ['53200', 'out of memory', 'database_out_of_memory', EXIT.failure],
    ['57P03', 'the database system is starting up', 'database_starting_up', EXIT.failure],
    ['57P03', 'the database system is not yet accepting connections', 'database_starting_up', EXIT.failure],
    // A standby with hot_standby = off: waiting does not help.
    ['57P03', 'the database system is not accepting connections', 'database_not_accepting', EXIT.failure],
    ['57P05', 'terminating connection due to idle-session timeout', 'database_connection_lost', EXIT.failure],
    ['0A000', 'unsupported frontend protocol 3.0', 'database_server_error', EXIT.failure],
    ['XX000', 'no such database on this proxy', 'database_server_error', EXIT.failure],
    ['55000', 'database "db" is not currently accepting connections', 'database_not_accepting', EXIT.failure],
  ] satisfies [string, string, string, ExitCode][])('%s %s', async (state, message, code, exitCode) => {
    const port = await fakeServer((socket) => {
      socket.end(errorResponse({ S: 'FATAL', V: 'FATAL', C: state, M: message }));
    });
    const url = `postgresql://a:${PASSWORD}@127.0.0.1:${port}/db`;
    expect(await failureOf(openStore({ kind: 'postgresql', url }, TEST_OPTIONS))).toMatchObject({
      code,
      exitCode,
    });
  });

  test('a password is asked for and none is given', async () => {
    const port = await fakeServer((socket, message) => {
      // A message of the client that begins with `p` answers the first request; the start-up packet begins with its length.
      const answered = message.toString('latin1', 0, 1) === 'p';
      socket.write(
        answered ? authentication(11, 'r=nonce,s=c2FsdA==,i=4096') : authentication(10, 'SCRAM-SHA-256\0\0'),
      );
    });
    const url = `postgresql://a@127.0.0.1:${port}/db`;
    const error = await failureOf(openStore({ kind: 'postgresql', url }, TEST_OPTIONS));
    expect(error.code).toBe('database_auth_failed');
  });

  test('the server offers no TLS and the URL insists on it', async () => {
    const config = changed(await backend.config(), (url) => {
      url.searchParams.set('sslmode', 'verify-full');
    });
    expect(await failureOf(openStore(config, TEST_OPTIONS))).toMatchObject({
      code: 'database_tls_not_offered',
      exitCode: EXIT.usage,
    });
  });

  test('the certificate that the URL names is not there', async () => {
    const config = changed(await backend.config(), (url) => {
      url.searchParams.set('sslrootcert', '/no/such/ca.pem');
    });
    const error = await failureOf(openStore(config, TEST_OPTIONS));
    expect(error).toMatchObject({ code: 'database_certificate_unreadable', exitCode: EXIT.usage });
    expect(error.message).toContain('/no/such/ca.pem');
  });

  test('the socket that the URL names is not there', async () => {
    const url = `postgresql://a:${PASSWORD}@/db?host=/no/such/directory`;
    const error = await failureOf(openStore({ kind: 'postgresql', url }, TEST_OPTIONS));
    expect(error.code).toBe('database_unreachable');
  });

  test('the connection is lost between two statements of a transaction', async () => {
    const store = await openStore(await backend.config(), TEST_OPTIONS);
    const work = store.transaction(async (tx) => {
      const [row] = await tx.query('select pg_backend_pid() as pid');
      await store.sql.query('select pg_terminate_backend($1::int)', [Number(row?.pid)]);
      await delay(100);
      await tx.query('select 1');
    });
    expect((await failureOf(work)).code).toBe('database_connection_lost');
    expect(await store.sql.query('select 1 as one')).toEqual([{ one: 1 }]);
    await store.close();
  });

  test('the connection is lost in the middle of a statement', async () => {
    const store = await openStore(await backend.config(), TEST_OPTIONS);
    const error = await failureOf(store.sql.query('select pg_terminate_backend(pg_backend_pid())'));
    expect(error.code).toBe('database_connection_lost');
    await store.close();
  });

  test('the role may not read', async () => {
    const store = await openStore(await backend.config(), TEST_OPTIONS);
    const error = await failureOf(
      store.transaction(async (tx) => {
        await tx.execute('create role wa_reconcile_test_reader nologin');
        await tx.execute('set local role wa_reconcile_test_reader');
        await tx.query('select * from leads');
      }),
    );
    expect(error).toMatchObject({ code: 'database_permission_denied', exitCode: EXIT.usage });
    expect(error.message).toContain('permission denied for table leads');
    await store.close();
  });
});

describeOnBackends('a database that cannot write says so', (backend) => {
  test('because it is read-only', async () => {
    const store = await backend.open();
    const work = store.transaction(async (tx) => {
      await tx.execute('set transaction read only');
      await tx.execute('delete from leads');
    });
    expect((await failureOf(work)).code).toBe('database_read_only');
  });

  test('because its disk is full', async () => {
    const store = await backend.open();
    const raise = `do $$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$`;
    expect((await failureOf(store.sql.execute(raise))).code).toBe('database_disk_full');
  });

  test('and leaves a mistake of ours as it is', async () => {
    const store = await backend.open();
    await expect(store.sql.query('select * from no_such_table')).rejects.not.toBeInstanceOf(UserError);
  });
});

describe('the server', () => {
  const versionOf = (version: string, number: unknown) => () => Promise.resolve([{ version, number }]);

  test.each([
    ['PostgreSQL 13.0 on x86_64', '130000'],
    ['PostgreSQL 18.4 (Debian 18.4-1) on x86_64', '180004'],
  ])('%s is good', async (version, number) => {
    await expect(assertServerVersion(versionOf(version, number))).resolves.toBe(undefined);
  });

  test.each([
    [
      'PostgreSQL 12.22 on x86_64',
      '120022',
      /PostgreSQL 13 or newer is required; the server is PostgreSQL 12\.22\./,
    ],
    ['CockroachDB CCL v25.1.0 (x86_64)', '130000', /not PostgreSQL but CockroachDB/],
    ['PostgreSQL 8.0.2 on i686, Redshift 1.0', '80002', /13 or newer/],
  ])('%s is refused', async (version, number, message) => {
    const error = await failureOf(assertServerVersion(versionOf(version, number)));
    expect(error.exitCode).toBe(EXIT.usage);
    expect(error.message).toMatch(message);
  });
});

test('a certificate that cannot be trusted is named as the reason', () => {
  const error = Object.assign(new Error('self-signed certificate in certificate chain'), {
    code: 'SELF_SIGNED_CERT_IN_CHAIN',
  });
  expect(translateDatabaseError(error, 'postgresql://host:5432/db')?.code).toBe('database_tls_untrusted');
});
