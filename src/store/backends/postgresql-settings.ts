import pg from 'pg';

/**
 * Settings that a server, database or role may have changed, and that would change what we store:
 * - days and times in SQL are of the session's zone, and must be the same everywhere;
 * - timeouts meant for web requests would kill a batch, or a dry run that holds its transaction for hours;
 * - compiling a statement or starting workers costs more than a batch of index look-ups.
 * Sent as statements, not as start-up options, which PgBouncer refuses.
 */
function settingsOf(schema: string): readonly (readonly [name: string, value: string])[] {
  return [
    ['search_path', pg.escapeIdentifier(schema)],
    ['timezone', `'UTC'`],
    ['statement_timeout', '0'],
    ['lock_timeout', '0'],
    ['idle_in_transaction_session_timeout', '0'],
    ['datestyle', `'ISO'`],
    ['jit', 'off'],
    ['max_parallel_workers_per_gather', '0'],
  ];
}

/** Sets them for as long as the session lasts. */
export function sessionSettings(schema: string): string {
  return settingsOf(schema)
    .map(([name, value]) => `set ${name} to ${value}`)
    .join('; ');
}

/**
 * Sets them for one transaction: on a pooler the next one may be in another session, and what is set for a session would
 * reach other programs. `set` and not `select set_config`: a query would fix the isolation level of the transaction.
 */
export function transactionSettings(schema: string): string {
  return settingsOf(schema)
    .map(([name, value]) => `set local ${name} to ${value}`)
    .join('; ');
}
