import { newTokenAdvice, TOKEN_ENDS_SOON_MS } from '../../graph/tokens.js';
import { amount } from '../../model/amount.js';
import { remedy } from '../../model/remedy.js';
import type { Sql } from '../../store/sql.js';
import { readConnectionRecords, type ConnectionRecord } from '../../store/tables/connections.js';
import { readCredentials, type GraphCredentialRow } from '../../store/tables/graph.js';
import { listed, ok, warn, type Found } from './types.js';

/**
 * What is known of the access tokens for Meta's API without a network call: the doctor contacts no one. Null if no
 * connection uses that API.
 */
export async function checkGraph(sql: Sql, now: number): Promise<Found | null> {
  const connections = (await readConnectionRecords(sql)).filter(
    ({ kind, archivedAt }) => kind !== 'baileys' && archivedAt === null,
  );
  if (connections.length === 0) return null;
  const tokens = new Map((await readCredentials(sql)).map((row) => [row.connectionId, row]));
  const known = connections.flatMap((connection): [ConnectionRecord, GraphCredentialRow][] => {
    const token = tokens.get(connection.id);
    return token === undefined ? [] : [[connection, token]];
  });
  const ending = known.filter(
    ([, { expiresAt }]) => expiresAt !== null && expiresAt - now < TOKEN_ENDS_SOON_MS,
  );
  const found = known.filter(([, token]) => findingsOf(token).length > 0);
  const counted = `${amount(known.length, 'access token')} stored for ${amount(connections.length, 'connection')} of Meta’s API`;
  const [first] = ending;
  if (first !== undefined) {
    const [{ name }] = first;
    return warn(
      `the access token of ${listed(ending.map(([one]) => one.name))} has expired or does so within a week`,
      newTokenAdvice(name),
    );
  }
  if (found.length > 0) {
    const words = found.map(([{ name }, token]) => `${name} (${findingsOf(token).join(', ')})`);
    return warn(
      `the last check found: ${listed(words)}`,
      remedy('connection check', [], 'asks Meta again, and says what to do'),
    );
  }
  return ok(`${counted}; connection check asks Meta about them`);
}

function findingsOf({ findings }: GraphCredentialRow): string[] {
  const named = findings?.['findings'];
  return Array.isArray(named) ? named.filter((one) => typeof one === 'string') : [];
}
