import { z } from 'zod';
import type { SmbSyncType } from '../model/enumerations.js';
import type { GraphAnswer, GraphClient } from './client.js';

const words = z.string().optional().catch(undefined);
const seconds = z.number().optional().catch(undefined);

const Token = z.object({
  data: z.object({
    app_id: words,
    application: words,
    type: words,
    is_valid: z.boolean(),
    /** Seconds since 1970; 0 is never. */
    expires_at: seconds,
    data_access_expires_at: seconds,
    scopes: z.array(z.string()).optional().catch(undefined),
    granular_scopes: z
      .array(z.object({ scope: z.string(), target_ids: z.array(z.string()).optional() }))
      .optional()
      .catch(undefined),
  }),
});

export type TokenFacts = z.infer<typeof Token>['data'];

/** Meta's details of a token, requested with that token. */
export async function readToken(client: GraphClient, token: string): Promise<TokenFacts> {
  const { value } = await client.ask('debug_token', { input_token: token }, Token);
  return value.data;
}

const PhoneNumber = z.object({
  id: z.string(),
  display_phone_number: words,
  verified_name: words,
  quality_rating: words,
  name_status: words,
  status: words,
  throughput: z.object({ level: z.string() }).optional().catch(undefined),
  is_on_biz_app: z.boolean().optional().catch(undefined),
  platform_type: words,
  webhook_configuration: z.record(z.string(), z.string()).optional().catch(undefined),
});

export type NumberFacts = z.infer<typeof PhoneNumber>;

/** Meta's details of a business number, by its phone_number_id. */
export async function readNumber(client: GraphClient, phoneNumberId: string): Promise<NumberFacts> {
  const fields = Object.keys(PhoneNumber.shape).join(',');
  return (await client.get(encodeURIComponent(phoneNumberId), { fields }, PhoneNumber)).value;
}

const SubscribedApps = z.object({
  data: z.array(
    z.object({
      whatsapp_business_api_data: z.object({ id: z.string(), name: words }),
      override_callback_uri: words,
    }),
  ),
});

export interface SubscribedApp {
  id: string;
  name: string | undefined;
  /** Where this account's webhooks go, instead of the app's own address. */
  callback: string | undefined;
}

/** The apps that get the webhooks of a WhatsApp Business Account. */
export async function readSubscribedApps(client: GraphClient, wabaId: string): Promise<SubscribedApp[]> {
  const { value } = await client.get(`${encodeURIComponent(wabaId)}/subscribed_apps`, {}, SubscribedApps);
  return value.data.map(({ whatsapp_business_api_data: { id, name }, override_callback_uri: callback }) => ({
    id,
    name,
    callback,
  }));
}

const Subscriptions = z.object({
  data: z.array(
    z.object({
      object: z.string(),
      active: z.boolean().optional(),
      fields: z.array(z.union([z.string(), z.object({ name: z.string() })])).default([]),
    }),
  ),
});

/** The webhook fields of WhatsApp accounts that an app has subscribed. Meta shows them only to the app’s own token. */
export async function readSubscribedFields(client: GraphClient, appId: string): Promise<string[]> {
  const { value } = await client.get(`${encodeURIComponent(appId)}/subscriptions`, {}, Subscriptions);
  return value.data
    .filter(({ object, active }) => object === 'whatsapp_business_account' && active !== false)
    .flatMap(({ fields }) => fields.map((field) => (typeof field === 'string' ? field : field.name)));
}

const MediaAddress = z.object({
  url: z.string(),
  mime_type: words,
  sha256: words,
  /** A string of digits, or a number. */
  file_size: z.coerce.number().int().nonnegative().optional().catch(undefined),
});

export type MediaAddress = z.infer<typeof MediaAddress>;

/** Where a file is for the next five minutes, and what it is. */
export async function readMediaAddress(
  client: GraphClient,
  mediaId: string,
  phoneNumberId: string | null,
): Promise<MediaAddress> {
  const query: Record<string, string> = phoneNumberId === null ? {} : { phone_number_id: phoneNumberId };
  return (await client.get(encodeURIComponent(mediaId), query, MediaAddress)).value;
}

const Accepted = z.object({ request_id: z.string().min(1) });

/** Asks Meta to send contacts or history of a number: accepted does not mean sent. */
export async function requestSync(
  client: GraphClient,
  phoneNumberId: string,
  type: SmbSyncType,
): Promise<GraphAnswer<{ request_id: string }>> {
  return client.post(
    `${encodeURIComponent(phoneNumberId)}/smb_app_data`,
    { messaging_product: 'whatsapp', sync_type: type },
    Accepted,
  );
}
