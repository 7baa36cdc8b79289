import type { Context } from '../../context.js';
import { readNumber, readSubscribedApps, readToken, type SubscribedApp } from '../../graph/calls.js';
import { GraphClient, interrupted } from '../../graph/client.js';
import { GraphError } from '../../graph/errors.js';
import { UserError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import type { ConnectionRecord } from '../../store/tables/connections.js';
import { recordCheck } from '../../store/tables/graph.js';
import { readFieldsSeen } from '../../store/tables/stored-entries.js';
import {
  adviceOnRefusal,
  expiryOf,
  fieldsNeeded,
  finding,
  judgeConnected,
  judgeFields,
  judgeHistory,
  judgeNumber,
  judgeSubscription,
  judgeToken,
  unknown,
} from './judge.js';
import { missingChunks } from '../connections/list.js';
import { readOnboarding, recordOnboarding, type Onboarding } from './onboarding.js';
import { readFields } from './subscribed-fields.js';
import { chosenConnections, findToken, missingToken, type FoundToken, type GraphAccess } from './token.js';
import {
  GRAPH_CHECKS,
  type CheckedConnection,
  type CheckOptions,
  type CheckResult,
  type FieldsAnswer,
  type GraphCheck,
  type GraphCheckName,
} from './types.js';
import { rfc3339 } from '../../model/time.js';

/**
 * Asks Meta about one connection, or about all in use: the token, the number, its account, and how much of its history
 * is still available. Changes nothing at Meta. Throws ConfigError for an unknown connection, and if the secret key does
 * not open the token of the only one; of several, it is a finding, because it is no fault of the others.
 */
export async function checkConnections(ctx: Context, options: CheckOptions): Promise<CheckResult> {
  const connections = await chosenConnections(ctx, options);
  const checked: CheckedConnection[] = [];
  for (const connection of connections) {
    if (ctx.signal.aborted) throw interrupted();
    const isOnly = connections.length === 1;
    checked.push(
      (await checkConnection(ctx, connection, options.access, { throws: isOnly, records: true })).result,
    );
  }
  const has = (status: CheckedConnection['status']): boolean => checked.some((one) => one.status === status);
  return {
    schemaVersion: 1,
    command: 'connection check',
    status: has('failed') ? 'failed' : has('findings') ? 'findings' : 'ok',
    connections: checked,
  };
}

/** Whether Meta answered the question, possibly with a refusal that is about the token, the number or the account. */
function isAnswer({ reason }: GraphError): boolean {
  return reason === 'token' || reason === 'rights' || reason === 'parameter' || reason === 'restricted';
}

interface Checking {
  /** Also if the secret key does not open the token, which else is a finding. */
  throws: boolean;
  /** Keeps what it finds: the time of the onboarding and the verdict. */
  records: boolean;
}

/** Asks about one connection. `onboarding`: for callers that go on to request its history. */
export async function checkConnection(
  ctx: Context,
  connection: ConnectionRecord,
  access: GraphAccess,
  { throws, records }: Checking,
): Promise<{ result: CheckedConnection; onboarding: Onboarding }> {
  const onboarding = await readOnboarding(ctx, connection);
  if (records) await recordOnboarding(ctx, connection, onboarding);
  const found = await openToken(ctx, connection, access, throws);
  const asking = new Asking(ctx, connection, onboarding);
  if (found instanceof UserError)
    asking.add(finding('token', found.message.replace(/\.$/, ''), found.remedy));
  else await asking.ask(access, found);
  const connected = judgeConnected(connection, onboarding, ctx.clock());
  if (connected !== null) asking.add(connected);
  const missing = (await missingChunks(ctx, [connection.id])).get(connection.id) ?? [];
  const checks = asking.finish(missing);
  if (records && !(found instanceof UserError) && found.source === 'stored')
    await record(ctx, connection.id, asking, checks);
  const { at, until, removal } = onboarding;
  const left = until === null ? null : removal === null ? Math.max(0, until - ctx.clock()) : 0;
  return {
    onboarding,
    result: {
      connection: {
        id: connection.id,
        name: connection.name,
        phoneNumberId: connection.phoneNumberId,
        wabaId: connection.wabaId,
      },
      status: asking.hasFailed
        ? 'failed'
        : checks.some(({ status }) => status === 'finding')
          ? 'findings'
          : 'ok',
      token: found instanceof UserError ? null : found.source,
      checks,
      history: {
        onboardedAt: rfc3339(at),
        until: rfc3339(until),
        hoursLeft: left === null ? null : hoursOf(left),
      },
    },
  };
}

/** To a tenth of an hour; what is left of the last one is not none. */
function hoursOf(ms: number): number {
  return ms === 0 ? 0 : Math.max(0.1, Math.round(ms / 360_000) / 10);
}

/** The token of a connection, or why there is none to ask with. */
async function openToken(
  ctx: Context,
  connection: ConnectionRecord,
  access: GraphAccess,
  throws: boolean,
): Promise<FoundToken | UserError> {
  try {
    return (await findToken(ctx, connection, access)) ?? missingToken(connection);
  } catch (error) {
    if (throws || !(error instanceof UserError) || error.code !== 'secret_key_wrong') throw error;
    return error;
  }
}

async function record(
  ctx: Context,
  connectionId: string,
  { appId, expiresAt }: Asking,
  checks: readonly GraphCheck[],
): Promise<void> {
  const named = (status: GraphCheck['status']): string[] =>
    checks.filter((one) => one.status === status).map(({ check }) => check);
  await recordCheck(ctx.store.sql, connectionId, {
    at: ctx.clock(),
    appId,
    expiresAt,
    findings: { findings: named('finding'), unknown: named('unknown') },
  });
}

/** The questions about one connection; each may fail on its own. */
class Asking {
  appId: string | null = null;
  expiresAt: number | null = null;
  /** Some questions to Meta failed: the remaining answers prove nothing about the number. */
  hasFailed = false;
  /** Why the rest is not asked. */
  private stopped: 'token' | 'unreachable' | null = null;
  private readonly found = new Map<GraphCheckName, GraphCheck>();

  constructor(
    private readonly ctx: Context,
    private readonly connection: ConnectionRecord,
    private readonly onboarding: Onboarding,
  ) {}

  add(...checks: readonly GraphCheck[]): void {
    for (const check of checks) this.found.set(check.check, check);
  }

  async ask(access: GraphAccess, token: FoundToken): Promise<void> {
    const client = new GraphClient(access.place, token.token, this.ctx);
    try {
      await this.askAboutToken(client, token);
      await this.askAboutNumber(client);
      await this.askAboutAccount(client, access);
    } finally {
      await client.close();
    }
  }

  /** The checks in order; those not made say why. `missing`: the chunks of history that the ledger lacks. */
  finish(missing: readonly string[]): GraphCheck[] {
    const { connection, onboarding, ctx } = this;
    const checks = GRAPH_CHECKS.flatMap((name) =>
      name === 'history' || name === 'connected'
        ? (this.found.get(name) ?? [])
        : [this.found.get(name) ?? unknown(name, this.whyStopped())],
    );
    return connection.kind === 'coexistence'
      ? [...checks, judgeHistory(connection, onboarding, checks, missing, ctx.clock())]
      : checks;
  }

  /** Why a question was not asked. */
  private whyStopped(): string {
    return this.stopped === 'unreachable' ? 'not asked: see above' : 'it needs a token that Meta accepts';
  }

  private async askAboutToken(client: GraphClient, token: FoundToken): Promise<void> {
    await this.attempt(['token', 'expiry', 'scopes', 'targets'], async () => {
      const facts = await readToken(client, token.token);
      this.appId = facts.app_id ?? null;
      this.expiresAt = expiryOf(facts);
      if (!facts.is_valid) this.stopped = 'token';
      this.add(...judgeToken(facts, this.connection, token.source, this.ctx.clock()));
    });
  }

  private async askAboutNumber(client: GraphClient): Promise<void> {
    const { phoneNumberId, name } = this.connection;
    const checks = ['number', 'phone', 'coexistence', 'status', 'quality', 'throughput', 'name'] as const;
    if (phoneNumberId === null) {
      const edit = remedy('connection edit', [name, '--phone-number-id', 'ID'], 'says which number it is');
      for (const check of checks) this.add(unknown(check, 'the phone_number_id is not known', edit));
      return;
    }
    await this.attempt(checks, async () => {
      this.add(...judgeNumber(await readNumber(client, phoneNumberId), this.connection));
    });
  }

  private async askAboutAccount(client: GraphClient, access: GraphAccess): Promise<void> {
    const { wabaId, name } = this.connection;
    let apps: readonly SubscribedApp[] | null = null;
    if (wabaId === null) {
      const edit = remedy('connection edit', [name, '--waba-id', 'ID'], 'says which account it belongs to');
      this.add(unknown('subscription', 'the account (WABA) is not known', edit));
    } else {
      await this.attempt(['subscription'], async () => {
        apps = await readSubscribedApps(client, wabaId);
        this.add(judgeSubscription(apps, this.connection, this.appId));
      });
    }
    const { id, phoneNumberId } = this.connection;
    const { appId } = this;
    const answers: readonly FieldsAnswer[] =
      this.stopped === null
        ? await readFields(this.ctx, { access, client, apps, appId })
        : [{ kind: 'untold', why: this.whyStopped() }];
    if (answers.some((answer) => answer.kind === 'untold' && answer.isFailure === true))
      this.hasFailed = true;
    const seen = await readFieldsSeen(
      this.ctx.store.sql,
      { connectionId: id, phoneNumberId },
      fieldsNeeded(this.connection),
      this.onboarding.at ?? 0,
    );
    this.add(judgeFields(this.connection, answers, seen, this.ctx.clock()));
  }

  /** Makes some checks, or says why each could not be made. */
  private async attempt(checks: readonly GraphCheckName[], make: () => Promise<void>): Promise<void> {
    if (this.stopped !== null) return;
    try {
      await make();
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      const [first, ...rest] = checks;
      const message = error.message.replace(/\.$/, '');
      if (error.reason === 'token') this.stopped = 'token';
      if (error.reason === 'unreachable' || error.reason === 'rate_limit') this.stopped = 'unreachable';
      if (!isAnswer(error)) this.hasFailed = true;
      // A token is judged by what it opens: Meta may hide its details from the token itself.
      const isFinding = isAnswer(error) && (first !== 'token' || error.reason === 'token');
      const advice = adviceOnRefusal(error, first, this.connection);
      if (first !== undefined) this.add((isFinding ? finding : unknown)(first, message, advice));
      for (const check of rest) this.add(unknown(check, 'Meta did not say: see above'));
    }
  }
}
