import { canonicalPhone, digitsOf } from '../../identity/phone.js';
import { amount } from '../../model/amount.js';
import { adviceList, remedy, type Advices, type Remedy } from '../../model/remedy.js';
import { minuteOf } from '../../model/time.js';
import type { GraphError } from '../../graph/errors.js';
import { newTokenAdvice, TOKEN_ENDS_SOON_MS } from '../../graph/tokens.js';
import type { NumberFacts, SubscribedApp, TokenFacts } from '../../graph/calls.js';
import type { ConnectionRecord } from '../../store/tables/connections.js';
import { storedPhone } from '../connections/find.js';
import {
  missingChunksRemedy,
  missingChunksWords,
  RECONNECT,
  standingOf,
  untoldAdvice,
} from '../report/history-standing.js';
import { removalWords, type AccountEvent } from '../../rawlog/account-events.js';
import type { Onboarding } from './onboarding.js';
import type { FieldsAnswer, GraphCheck, GraphCheckName } from './types.js';

/** What Meta's answers mean for a connection: pure. */

const SCOPES = ['whatsapp_business_management', 'whatsapp_business_messaging'] as const;
/** What a coexistence number sends besides messages. */
const COEXISTENCE_FIELDS = ['history', 'smb_app_state_sync', 'smb_message_echoes', 'messages'] as const;
const HOUR = 3_600_000;

/** What the answer to a request of history needs: if one of these is wrong, Meta sends it and it is lost. */
const NEEDED: readonly GraphCheckName[] = [
  'token',
  'expiry',
  'scopes',
  'targets',
  'number',
  'phone',
  'coexistence',
  'status',
  'subscription',
  'fields',
];
/** The subset that blocks a request even when Meta gives no answer: they decide who receives it. */
const CERTAIN: readonly GraphCheckName[] = ['number', 'subscription'];

/** Whether a request of history needs this to be right. */
export function isNeeded({ check }: Pick<GraphCheck, 'check'>): boolean {
  return NEEDED.includes(check);
}

/** Whether a request of history is refused for what a check says. */
export function standsInTheWay({ check, status }: Pick<GraphCheck, 'check' | 'status'>): boolean {
  return status === 'finding' ? NEEDED.includes(check) : status === 'unknown' && CERTAIN.includes(check);
}

type Known = Pick<ConnectionRecord, 'name' | 'kind' | 'displayPhoneNumber' | 'wabaId' | 'phoneNumberId'>;

export function ok(check: GraphCheckName, message: string): GraphCheck {
  return { check, status: 'ok', message };
}

export function finding(check: GraphCheckName, message: string, advice?: Advices): GraphCheck {
  return { check, status: 'finding', message, ...(advice === undefined ? {} : { remedy: advice }) };
}

export function unknown(check: GraphCheckName, message: string, advice?: Advices): GraphCheck {
  return { check, status: 'unknown', message, ...(advice === undefined ? {} : { remedy: advice }) };
}

/** What helps where Meta refuses a question about a connection: its own id or token, and not the question again. */
export function adviceOnRefusal(
  { reason, remedy: advice }: GraphError,
  check: GraphCheckName | undefined,
  { name }: Pick<Known, 'name'>,
): Advices | undefined {
  if (reason === 'token') return newTokenAdvice(name);
  if (reason !== 'parameter') return advice;
  const share =
    'If the id is right, give the system user of the token this account in the Business Manager, and create the token again.';
  const flag = check === 'subscription' ? '--waba-id' : '--phone-number-id';
  if (check === 'token') return newTokenAdvice(name);
  return [remedy('connection edit', [name, flag, 'ID'], 'corrects the id, where it is wrong'), share];
}

/** The fields that a connection must subscribe to. */
export function fieldsNeeded({ kind }: Pick<Known, 'kind'>): readonly string[] {
  return kind === 'coexistence' ? COEXISTENCE_FIELDS : ['messages'];
}

export function judgeToken(facts: TokenFacts, connection: Known, source: string, now: number): GraphCheck[] {
  const of = facts.application === undefined ? '' : ` of the app ${facts.application}`;
  if (!facts.is_valid) {
    return [
      finding('token', `Meta says that the access token${of} is not valid`, newTokenAdvice(connection.name)),
    ];
  }
  const from = source === 'stored' ? 'stored' : `from ${source}`;
  return [
    ok('token', `valid (${from})${of}`),
    judgeExpiry(facts, connection, now),
    judgeScopes(facts),
    judgeTargets(facts, connection),
  ];
}

/** When a token expires; null for never, and if Meta does not say. */
export function expiryOf(facts: TokenFacts): number | null {
  const ends = [facts.expires_at, facts.data_access_expires_at].filter(
    (at): at is number => at !== undefined && at > 0,
  );
  return ends.length === 0 ? null : Math.min(...ends) * 1000;
}

function judgeExpiry(facts: TokenFacts, connection: Known, now: number): GraphCheck {
  const at = expiryOf(facts);
  if (at === null) {
    return facts.expires_at === undefined
      ? unknown('expiry', 'Meta does not say when the token expires')
      : ok('expiry', 'never expires');
  }
  const words = `${at <= now ? 'expired' : 'expires'} on ${minuteOf(at)}`;
  return at - now > TOKEN_ENDS_SOON_MS
    ? ok('expiry', words)
    : finding('expiry', words, newTokenAdvice(connection.name));
}

function judgeScopes({ scopes }: TokenFacts): GraphCheck {
  if (scopes === undefined) return unknown('scopes', 'Meta does not say what the token may do');
  const missing = SCOPES.filter((scope) => !scopes.includes(scope));
  if (missing.length === 0) return ok('scopes', SCOPES.join(', '));
  return finding(
    'scopes',
    `the token lacks ${missing.join(' and ')}`,
    'Create the token again in the Business Manager with this permission.',
  );
}

function judgeTargets({ granular_scopes: granular }: TokenFacts, { name, wabaId }: Known): GraphCheck {
  if (granular === undefined) return unknown('targets', 'Meta does not say for which accounts the token is');
  const limited = granular.filter(
    ({ scope, target_ids: ids }) => ids !== undefined && SCOPES.some((needed) => needed === scope),
  );
  if (limited.length === 0) return ok('targets', 'all accounts that the system user sees');
  if (wabaId === null) {
    return unknown('targets', 'the account (WABA) of this connection is not known', [
      remedy('connection edit', [name, '--waba-id', 'ID'], 'says which account it belongs to'),
    ]);
  }
  const without = limited.filter(({ target_ids: ids }) => ids?.includes(wabaId) !== true);
  return without.length === 0
    ? ok('targets', `the account ${wabaId}`)
    : finding(
        'targets',
        `the token is not for the account ${wabaId}: ${without.map(({ scope }) => scope).join(' and ')}`,
        'Give its system user this account in the Business Manager, and create the token again.',
      );
}

export function judgeNumber(facts: NumberFacts, connection: Known): GraphCheck[] {
  const verified = facts.verified_name === undefined ? '' : ` (${facts.verified_name})`;
  return [
    ok('number', `${facts.id} exists${verified}`),
    judgePhone(facts, connection),
    judgeCoexistence(facts, connection),
    judgeWord('status', facts.status, {
      good: ['CONNECTED'],
      bad: [
        'DISCONNECTED',
        'BANNED',
        'RESTRICTED',
        'FLAGGED',
        'RATE_LIMITED',
        'DELETED',
        'MIGRATED',
        'UNVERIFIED',
      ],
    }),
    judgeWord('quality', facts.quality_rating, { good: ['GREEN'], bad: ['YELLOW', 'RED'] }),
    judgeThroughput(facts),
    judgeWord('name', facts.name_status, {
      good: ['APPROVED', 'AVAILABLE_WITHOUT_REVIEW', 'PENDING_REVIEW'],
      bad: ['DECLINED', 'EXPIRED'],
    }),
  ];
}

function judgePhone({ display_phone_number: shown }: NumberFacts, connection: Known): GraphCheck {
  if (shown === undefined) return unknown('phone', 'Meta does not say which number it is');
  const ours = storedPhone(connection.displayPhoneNumber);
  const digits = digitsOf(shown);
  const theirs = digits === undefined ? undefined : canonicalPhone(digits);
  const edit = remedy(
    'connection edit',
    [connection.name, '--phone', theirs ?? shown],
    'takes Meta’s number',
  );
  if (ours === undefined) return unknown('phone', `Meta says ${shown}; the connection has no number`, edit);
  return ours === theirs
    ? ok('phone', shown)
    : finding('phone', `Meta says ${shown}, the connection ${connection.displayPhoneNumber ?? ''}`, edit);
}

function judgeCoexistence(
  { is_on_biz_app: isOnApp, platform_type: platform }: NumberFacts,
  { kind, name }: Known,
): GraphCheck {
  if (isOnApp === undefined || platform === undefined) {
    return unknown(
      'coexistence',
      'Meta does not say whether the number is in the WhatsApp Business app, too',
    );
  }
  const isBoth = isOnApp && platform === 'CLOUD_API';
  if (kind === 'coexistence') {
    return isBoth
      ? ok('coexistence', 'in the WhatsApp Business app and on the Cloud API')
      : finding(
          'coexistence',
          `the number is ${isOnApp ? '' : 'not '}in the WhatsApp Business app, and its platform is ${platform}: no history and no echoes come`,
          'Connect it again through Embedded Signup for WhatsApp Business app users.',
        );
  }
  return isBoth
    ? finding(
        'coexistence',
        'the number is in the WhatsApp Business app, too, but the connection is of the kind cloud_api',
        remedy('connection edit', [name, '--kind', 'coexistence'], 'expects its echoes and its history'),
      )
    : ok('coexistence', `on the Cloud API alone (${platform})`);
}

function judgeWord(
  check: GraphCheckName,
  word: string | undefined,
  { good, bad }: { good: readonly string[]; bad: readonly string[] },
): GraphCheck {
  if (word === undefined || word === '') return unknown(check, 'Meta does not say');
  if (good.includes(word)) return ok(check, wordsOf(word));
  return bad.includes(word)
    ? finding(check, wordsOf(word), 'The WhatsApp Manager says why, and what to do.')
    : unknown(check, wordsOf(word));
}

function judgeThroughput({ throughput, is_on_biz_app: isOnApp }: NumberFacts): GraphCheck {
  if (isOnApp === true) return ok('throughput', '20 messages a second, as for every number of the app');
  return throughput === undefined
    ? unknown('throughput', 'Meta does not say')
    : ok('throughput', wordsOf(throughput.level));
}

export function judgeSubscription(
  apps: readonly SubscribedApp[],
  { wabaId }: Pick<Known, 'wabaId'>,
  /** The token's app; null if Meta did not say. */
  appId: string | null,
): GraphCheck {
  if (apps.length === 0) {
    return finding(
      'subscription',
      `no app gets the webhooks of the account ${wabaId ?? ''}: nothing of it arrives, and history would be lost`,
      `Subscribe the app: POST /${wabaId ?? 'WABA'}/subscribed_apps, with the token of the app.`,
    );
  }
  const names = apps.map(({ id, name, callback }) => {
    const host = callback !== undefined && URL.canParse(callback) ? ` (to ${new URL(callback).host})` : '';
    return `${name ?? id}${host}`;
  });
  const isOwn = appId === null || apps.some(({ id }) => id === appId);
  return ok(
    'subscription',
    `webhooks go to ${names.join(', ')}${isOwn ? '' : `, and not to the app of the token (${appId})`}`,
  );
}

/**
 * The webhook fields. `answers`: Meta's, for each app that gets the webhooks; where it has one, it decides. `seen`: when
 * each field last came since the onboarding, which counts only where an answer is missing: a field that came before may
 * have been switched off since, or have come through another app.
 */
export function judgeFields(
  connection: Known,
  answers: readonly FieldsAnswer[],
  seen: ReadonlyMap<string, number>,
  now: number,
): GraphCheck {
  const needed = fieldsNeeded(connection);
  const told = answers.flatMap((answer) =>
    answer.kind === 'told'
      ? [{ other: answer.other, missing: needed.filter((field) => !answer.fields.has(field)) }]
      : [],
  );
  if (told.some(({ missing }) => missing.length === 0)) return ok('fields', needed.join(', '));
  const untold = answers.find((answer) => answer.kind === 'untold');
  if (untold !== undefined) {
    const unseen = needed.filter((field) => !seen.has(field));
    return unseen.length === 0
      ? ok('fields', `received last: ${needed.map((field) => cameWords(field, seen, now)).join(', ')}`)
      : unknown('fields', `none of ${unseen.join(', ')} came yet, and ${untold.why}`, untold.remedy);
  }
  const lacking = told.map(
    ({ other, missing }) =>
      `the app${other === null ? '' : ` ${other}`} has not subscribed ${missing.join(', ')}`,
  );
  const came = needed.filter(
    (field) => seen.has(field) && told.some(({ missing }) => missing.includes(field)),
  );
  const before =
    came.length === 0
      ? ''
      : ` (last received: ${came.map((field) => cameWords(field, seen, now)).join(', ')})`;
  return finding(
    'fields',
    `${lacking.join(', and ')}: what Meta sends of it is lost${before}`,
    'Switch these fields on in the App Dashboard, under WhatsApp, Configuration, Webhook fields.',
  );
}

/** `history 30 days ago`. */
function cameWords(field: string, seen: ReadonlyMap<string, number>, now: number): string {
  const at = seen.get(field);
  return at === undefined ? field : `${field} ${agoWords(now - at)}`;
}

function agoWords(ms: number): string {
  return ms < 2 * 24 * HOUR ? `${leftWords(ms)} ago` : `${amount(Math.floor(ms / (24 * HOUR)), 'day')} ago`;
}

/** The sentence about a disconnection, as a clause. */
export function disconnectedWords(removal: AccountEvent): string {
  return `Meta disconnected the number on ${minuteOf(removal.at)} (${removalWords(removal)})`;
}

/**
 * Requests the history of a number that a person knows to be connected. As an example, the time is an absolute one: `2h`
 * would be another moment whenever the command is run. `removedAt`: it can only have been connected after that.
 */
export function onboardedRemedy(name: string, now: number, removedAt?: number): Remedy {
  const minute = 60_000;
  const since = removedAt === undefined ? 0 : Math.floor(removedAt / minute) * minute + minute;
  const example = Math.max(now - 2 * HOUR, Math.min(since, now));
  return remedy(
    'history request',
    [name, '--onboarded', `${new Date(example).toISOString().slice(0, example === now ? 19 : 16)}Z`],
    'requests it; give the time when the number was connected',
  );
}

/** What helps against a disconnection, or against its word where the number is connected again. */
export function reconnectAdvice(name: string, now: number, removal: AccountEvent): Advices {
  return [
    'Connect the number again in the WhatsApp Business app: that opens another 24 hours. If that has been done, and no event of Meta’s came:',
    onboardedRemedy(name, now, removal.at),
  ];
}

/** Whether the number is still connected; null if nothing says that it is not. */
export function judgeConnected(
  { name, kind }: Pick<Known, 'name' | 'kind'>,
  { removal }: Pick<Onboarding, 'removal'>,
  now: number,
): GraphCheck | null {
  if (removal === null) return null;
  return finding(
    'connected',
    `${disconnectedWords(removal)}: nothing arrives until the business connects it again`,
    kind === 'coexistence'
      ? reconnectAdvice(name, now, removal)
      : remedy('connection archive', [name], 'if the number is retired: it raises no more alerts then'),
  );
}

/**
 * How much of a number's past is still available. `checks`: the others, which may make a request refused. `missing`: the
 * chunks that the ledger lacks, as the report has them.
 */
export function judgeHistory(
  { name, historySyncStatus: status }: Pick<ConnectionRecord, 'name' | 'historySyncStatus'>,
  { at, until, removal, requests }: Onboarding,
  checks: readonly GraphCheck[],
  missing: readonly string[],
  now: number,
): GraphCheck {
  if (missing.length > 0) return finding('history', missingChunksWords(missing), missingChunksRemedy(name));
  if (status === 'completed' || status === 'syncing') return ok('history', `history is ${status}`);
  if (status === 'declined') return ok('history', 'the business does not share its history');
  const standing = standingOf(requests);
  if (standing.kind === 'accepted') {
    const { requestedAt, requestId } = standing.request;
    return ok('history', `requested on ${minuteOf(requestedAt)} (${requestId ?? 'no id'})`);
  }
  if (removal !== null) return ok('history', 'none can be requested of a number that is disconnected');
  if (until !== null && now >= until) {
    return ok('history', `the 24 hours to request history ended on ${minuteOf(until)}`);
  }
  if (standing.kind === 'refused') return finding('history', standing.message, RECONNECT);
  const wrong = checks.filter(standsInTheWay).map(({ check }) => check);
  // Until then the command that requests it refuses.
  const adviceOf = (request: Advices): Advices =>
    wrong.length === 0
      ? request
      : [`First fix the problems above: ${wrong.join(', ')}. Then:`, ...adviceList(request)];
  if (standing.kind === 'untold') {
    return finding('history', standing.messages.join('; '), adviceOf(untoldAdvice(name)));
  }
  if (at === null || until === null) {
    return unknown(
      'history',
      'nothing says when the number was connected, and history can be requested for 24 hours after that',
      adviceOf(onboardedRemedy(name, now)),
    );
  }
  return finding(
    'history',
    `history can be requested until ${minuteOf(until)}, ${leftWords(until - now)} from now, once`,
    adviceOf(remedy('history request', [name], 'shows what it takes, and requests it')),
  );
}

/** `5 hours`, `40 minutes`. */
export function leftWords(ms: number): string {
  return ms < 2 * HOUR
    ? amount(Math.max(1, Math.floor(ms / 60_000)), 'minute')
    : amount(Math.floor(ms / HOUR), 'hour');
}

function wordsOf(word: string): string {
  return word.toLowerCase().replaceAll('_', ' ');
}
