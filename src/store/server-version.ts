import { ConfigError } from '../model/errors.js';

/** PostgreSQL 13: the oldest that has what the statements use, and the oldest that its makers supported lately. */
const OLDEST = 130_000;

/** Throws ConfigError unless the server is PostgreSQL 13 or newer. `query` runs one statement and gives its rows. */
export async function assertServerVersion(
  query: (text: string) => Promise<Record<string, unknown>[]>,
): Promise<void> {
  const [row] = await query(
    "select version() as version, current_setting('server_version_num', true) as number",
  );
  const version = typeof row?.version === 'string' ? row.version : 'unknown';
  const number = Number(row?.number);
  if (!version.startsWith('PostgreSQL ') || !Number.isInteger(number)) {
    throw new ConfigError(`The server is not PostgreSQL but ${version.split(/[ (,]/)[0] ?? 'unknown'}.`, {
      code: 'database_not_postgresql',
      remedy:
        'PostgreSQL 13 or newer is needed; servers that only speak its protocol lack what the tool relies on.',
    });
  }
  if (number < OLDEST) {
    throw new ConfigError(
      `PostgreSQL 13 or newer is needed; the server is ${version.split(' ').slice(0, 2).join(' ')}.`,
      {
        code: 'database_too_old',
        remedy: 'Upgrade the server, or use the embedded database by giving no URL.',
      },
    );
  }
}
