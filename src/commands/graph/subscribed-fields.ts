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
  if (isOwn) return appId === null ? [untold(null)] : [await askApp(ctx, question, appId, null)];
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
      if (!(error instanceof GraphError)) throw error;
    } finally {
      await app.close();
    }
  }
  if (other !== null) return untold(other);
  try {
    return { kind: 'told', other, fields: new Set(await readSubscribedFields(client, id)) };
  } catch (error) {
    if (error instanceof GraphError) return untold(null);
    throw error;
  }
}

function untold(other: string | null): FieldsAnswer {
  return other === null
    ? {
        kind: 'untold',
        why: 'Meta tells the subscriptions only to the app itself',
        remedy:
          'Give the app secret (WA_RECONCILE_APP_SECRET), or look in the App Dashboard, under WhatsApp, Configuration, Webhook fields.',
      }
    : {
        kind: 'untold',
        why: `webhooks go to ${other}, to which alone Meta tells its subscriptions`,
        remedy: `Give the app secret of ${other} as well (WA_RECONCILE_APP_SECRET), or look in its App Dashboard, under WhatsApp, Configuration, Webhook fields.`,
      };
}
