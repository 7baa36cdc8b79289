import type { Context } from '../../context.js';
import { GraphClient, type GraphPlace } from '../../graph/client.js';
import { GraphError } from '../../graph/errors.js';
import { ConfigError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import { readConnectionRecords, type ConnectionRecord } from '../../store/tables/connections.js';
import { readSealed } from '../../store/queries/sealed.js';
import { deleteCredential, readCredential, saveCredential } from '../../store/tables/graph.js';
import { newTokenAdvice } from '../../graph/tokens.js';
import { findConnection } from '../connections/find.js';
import { aboutToken, accessToken, sealedThing } from '../devices/sealed-things.js';
import { missingKeyOf } from '../devices/missing-key.js';
import type { SecretKey } from '../devices/secret-key.js';

/** How the command reaches the Graph API, and with which token. */
export interface GraphAccess {
  place: GraphPlace;
  /** A token that serves every connection without being stored, and its source; it overrides stored ones. */
  given: { token: string; place: string } | null;
  /** Opens stored tokens; null if no key was given. */
  secretKey: SecretKey | null;
}

/** An access token, and where it came from: `WA_RECONCILE_GRAPH_TOKEN`, `stored`. */
export interface FoundToken {
  token: string;
  source: string;
}

export interface TokenResult {
  schemaVersion: 1;
  command: 'connection token';
  connection: { id: string; name: string };
  /** `unchanged`: no token to remove. */
  action: 'stored' | 'replaced' | 'removed' | 'unchanged';
}

/** What may stand behind `Bearer` (RFC 6750), and the `|` of an app's token: no quotes, and nothing that names it. */
const SHAPE = /^[\w.~+/|-]{8,4096}={0,2}$/;

/**
 * Seals an access token for a connection, replacing an earlier one. Throws ConfigError, never with the token in it: for
 * an invalid token, without a secret key, for a connection that is not Meta's, and if anything is sealed with another
 * key: two keys in one database lock out each other's commands.
 */
export async function storeToken(
  ctx: Context,
  reference: string,
  typed: { text: string; place: string },
  { secretKey, organization }: { secretKey: SecretKey | null; organization: string | undefined },
): Promise<TokenResult> {
  const connection = await findConnection(ctx, reference, organization);
  assertOfMeta(connection);
  const token = checkToken(typed.text, typed.place);
  const { sql } = ctx.store;
  if (secretKey === null) throw await missingKeyOf(sql, 'the access token');
  const before = await readCredential(sql, connection.id);
  if (before !== null && !secretKey.hasSealed(before.token))
    throw secretKey.wrong(accessToken(connection.name), before.token);
  const foreign = (await readSealed(sql)).find((row) => secretKey.isForeign(row.sealed));
  if (foreign !== undefined) throw secretKey.wrong(sealedThing(foreign));
  const saved = await saveCredential(sql, {
    connectionId: connection.id,
    token: secretKey.seal(token, aboutToken(connection.id)),
    now: ctx.clock(),
  });
  if (!saved) throw secretKey.wrong(accessToken(connection.name));
  return resultOf(connection, before === null ? 'stored' : 'replaced');
}

/** Forgets the token of a connection; needs no key. */
export async function removeToken(
  ctx: Context,
  reference: string,
  organization: string | undefined,
): Promise<TokenResult> {
  const connection = await findConnection(ctx, reference, organization);
  const removed = await deleteCredential(ctx.store.sql, connection.id);
  return resultOf(connection, removed ? 'removed' : 'unchanged');
}

function resultOf({ id, name }: ConnectionRecord, action: TokenResult['action']): TokenResult {
  return { schemaVersion: 1, command: 'connection token', connection: { id, name }, action };
}

/** An access token as given. Throws ConfigError, never with the token in it. */
export function checkToken(text: string, place: string): string {
  const token = text.trim();
  if (SHAPE.test(token)) return token;
  throw new ConfigError(
    token === '' ? `${place} holds no access token.` : `What ${place} holds is no access token.`,
    {
      code: 'token_invalid',
      remedy:
        'It is one line, as Meta shows it: the token alone, without quotes, a name before it or JSON around it.',
    },
  );
}

/**
 * The named connection, else all of Meta’s that are in use. Throws ConfigError for one that is unknown or not Meta’s.
 */
export async function chosenConnections(
  ctx: Context,
  { connection, organization }: { connection?: string | undefined; organization?: string | undefined },
): Promise<readonly ConnectionRecord[]> {
  if (connection !== undefined) {
    const found = await findConnection(ctx, connection, organization);
    assertOfMeta(found);
    return [found];
  }
  const all = await readConnectionRecords(ctx.store.sql, { organization });
  return all.filter(({ kind, archivedAt }) => kind !== 'baileys' && archivedAt === null);
}

/** Throws ConfigError for a connection unknown to Meta. */
export function assertOfMeta({ kind, name }: ConnectionRecord): void {
  if (kind !== 'baileys') return;
  throw new ConfigError(
    `The connection '${name}' is a WhatsApp Web session, which Meta’s API does not know.`,
    {
      code: 'not_of_meta',
      remedy: remedy('connection list', [], 'lists the connections with their kinds'),
    },
  );
}

/**
 * The token for a connection: the given one, else the stored one; null if neither exists. Throws ConfigError if one is
 * stored and the key is missing or wrong.
 */
export async function findToken(
  ctx: Pick<Context, 'store'>,
  { id, name }: Pick<ConnectionRecord, 'id' | 'name'>,
  { given, secretKey }: GraphAccess,
): Promise<FoundToken | null> {
  if (given !== null) return { token: given.token, source: given.place };
  const row = await readCredential(ctx.store.sql, id);
  if (row === null) return null;
  if (secretKey === null) throw await missingKeyOf(ctx.store.sql, 'the access token');
  return { token: secretKey.open(row.token, aboutToken(id), accessToken(name)), source: 'stored' };
}

/** Calls the Graph API with the token of a connection, for the duration of `work`. Throws UserError without a token. */
export async function withGraph<T>(
  ctx: Context,
  connection: Pick<ConnectionRecord, 'id' | 'name'>,
  access: GraphAccess,
  work: (client: GraphClient, token: FoundToken) => Promise<T>,
): Promise<T> {
  const found = await findToken(ctx, connection, access);
  if (found === null) throw missingToken(connection);
  const client = new GraphClient(access.place, found.token, ctx);
  try {
    return await work(client, found);
  } catch (error) {
    throw error instanceof GraphError ? named(error, connection) : error;
  } finally {
    await client.close();
  }
}

/** The error with advice for this connection, where its own names none. */
function named(error: GraphError, { name }: Pick<ConnectionRecord, 'name'>): GraphError {
  if (error.reason === 'token') return error.advising(newTokenAdvice(name));
  return error.reason === 'parameter'
    ? error.advising(remedy('connection check', [name], 'checks the number, its account and the token'))
    : error;
}

export function missingToken({ name }: Pick<ConnectionRecord, 'name'>): ConfigError {
  return new ConfigError(`The connection '${name}' has no access token for Meta’s Graph API.`, {
    code: 'token_missing',
    remedy: [...newTokenAdvice(name), 'Or set WA_RECONCILE_GRAPH_TOKEN, which is used without being stored.'],
  });
}
