import type { Context } from '../../context.js';
import { readSubscribedFields, type SubscribedApp } from '../../graph/calls.js';
import { GraphClient } from '../../graph/client.js';
import { GraphError } from '../../graph/errors.js';
import type { GraphAccess } from './token.js';
import type { FieldsAnswer } from './types.js';

/** An app whose webhook fields matter, and what is known of the account. */
export interface FieldsQuestion {
  access: GraphAccess;
  /** The token of the connection, and the app it is of; null if Meta did not say. */
  client: GraphClient;
  appId: string | null;
  /** The apps that get the webhooks of the account; null if that is not known. */
  apps: readonly SubscribedApp[] | null;
}

/**
 * What the apps that get the account's webhooks have subscribed: the token's own app if it is one of them, or if none
 * is known. The fields of an app that gets no webhooks prove nothing.
 */
export async function readFields(ctx: Context, question: FieldsQuestion): Promise<FieldsAnswer[]> {
  const { appId, apps } = question;
  const others = (apps ?? []).filter(({ id }) => id !== appId);
  const isOwn = others.length === 0 || others.length !== apps?.length;
  if (isOwn) {
    return appId === null
      ? [
          {
            kind: 'untold',
            why: 'Meta does not say of which app the token is',
            remedy: `Look ${IN_DASHBOARD}.`,
          },
        ]
      : [await askApp(ctx, question, appId, null)];
  }
  const answers: FieldsAnswer[] = [];
  for (const { id, name } of others)
    answers.push(await askApp(ctx, question, id, name === undefined ? id : `${name} (${id})`));
  return answers;
}

/** Meta shows an app's subscriptions only to the app's own token, its id and secret. `other`: not the token's app. */
async function askApp(
  ctx: Context,
  { access: { place }, client }: FieldsQuestion,
  id: string,
  other: string | null,
): Promise<FieldsAnswer> {
  for (const secret of ctx.appSecrets ?? []) {
    const app = new GraphClient(place, `${id}|${secret}`, ctx);
    try {
      return { kind: 'told', other, fields: new Set(await readSubscribedFields(app, id)) };
    } catch (error) {
      // The secret of another app: several may be in use.
      if (!isRefusal(error)) return notAsked(error);
    } finally {
      await app.close();
    }
  }
  if (other !== null) return untold(other);
  const hasSecrets = (ctx.appSecrets ?? []).length > 0;
  try {
    return { kind: 'told', other, fields: new Set(await readSubscribedFields(client, id)) };
  } catch (error) {
    return isRefusal(error) ? untold(null, hasSecrets ? id : null) : notAsked(error);
  }
}

const IN_DASHBOARD = 'in the App Dashboard, under WhatsApp, Configuration, Webhook fields';

/** Whether Meta answered, and did not tell: the token or the secret is not the app's. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof GraphError)) return false;
  const { reason } = error;
  return !error.passes && reason !== 'unreachable' && reason !== 'unreadable';
}

function notAsked(error: unknown): FieldsAnswer {
  if (!(error instanceof GraphError)) throw error;
  const why = `the subscriptions could not be asked for: ${error.message.replace(/\.$/, '')}`;
  return { kind: 'untold', why, remedy: error.remedy, isFailure: true };
}

/** `other`: not the token's app. `refused`: the token's app, where no app secret that was given is its. */
function untold(other: string | null, refused: string | null = null): FieldsAnswer {
  if (other !== null) {
    return {
      kind: 'untold',
      why: `webhooks go to ${other}, to which alone Meta tells its subscriptions`,
      remedy: `Give the app secret of ${other} as well (WA_RECONCILE_APP_SECRET), or look ${IN_DASHBOARD}.`,
    };
  }
  const only = 'Meta tells the subscriptions only to the app itself';
  return refused === null
    ? {
        kind: 'untold',
        why: only,
        remedy: `Give the app secret (WA_RECONCILE_APP_SECRET), or look ${IN_DASHBOARD}.`,
      }
    : {
        kind: 'untold',
        why: `${only}, and no app secret that was given is that of the app ${refused}`,
        remedy: `Give the secret of this app (WA_RECONCILE_APP_SECRET), or look ${IN_DASHBOARD}.`,
      };
}
