import { createHash, randomUUID } from 'node:crypto';
import type { GraphRequest } from './server.js';

export interface Answer {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** A business at Meta, as the Graph API shows it. Tests change it. */
export interface FakeAccount {
  token: string;
  app: {
    id: string;
    name: string;
    secret: string;
    /** Webhook fields that it has subscribed. */ fields: string[];
  };
  tokenIsValid: boolean;
  /** Seconds since 1970; 0 is never. */
  expiresAt: number;
  scopes: string[];
  /** The accounts that the token's scopes name; undefined where Meta names none. */
  targets: string[] | undefined;
  waba: { id: string; subscribedApps: { id: string; name: string; callback?: string }[] };
  number: {
    id: string;
    display: string;
    isOnBizApp: boolean;
    platformType: string;
    quality: string;
    nameStatus: string;
    status: string;
    throughput: string;
  };
  /** When the 24 hours of history end, in ms since 1970. */
  historyUntil: number;
  /** What was requested, by sync_type. */
  granted: Map<string, string>;
  /** Its files, by media id. */
  media: Map<string, FakeFile>;
  /** Addresses of files that are alive; a test may end them. */
  addresses: Set<string>;
}

export interface FakeFile {
  bytes: Buffer;
  mimeType: string;
  /** What Meta says of it, where that is wrong. */
  said?: { sha256?: string; size?: number; url?: string };
}

export const TOKEN = `EAAG${'m0ckTokenZ'.repeat(9)}`;
export const APP_SECRET = '0123456789abcdef0123456789abcdef';

/** A coexistence number with all that history needs. */
export function healthyAccount(changes: Partial<FakeAccount> = {}): FakeAccount {
  return {
    token: TOKEN,
    app: {
      id: '634974688087057',
      name: 'CRM',
      secret: APP_SECRET,
      fields: ['messages', 'history', 'smb_app_state_sync', 'smb_message_echoes', 'account_update'],
    },
    tokenIsValid: true,
    expiresAt: 0,
    scopes: ['whatsapp_business_management', 'whatsapp_business_messaging'],
    targets: undefined,
    waba: { id: '102290129340398', subscribedApps: [{ id: '634974688087057', name: 'CRM' }] },
    number: {
      id: '106540352242922',
      display: '+55 11 90000-0000',
      isOnBizApp: true,
      platformType: 'CLOUD_API',
      quality: 'GREEN',
      nameStatus: 'APPROVED',
      status: 'CONNECTED',
      throughput: 'STANDARD',
    },
    historyUntil: Number.MAX_SAFE_INTEGER,
    granted: new Map(),
    media: new Map(),
    addresses: new Set(),
    ...changes,
  };
}

export function errorBody(code: number, message: string): unknown {
  return {
    error: {
      message: `(#${code}) ${message}`,
      type: 'OAuthException',
      code,
      error_data: { messaging_product: 'whatsapp', details: message },
      fbtrace_id: 'AbCdEfTrace2',
    },
  };
}

/** What Meta answers; pure but for the requests of history that it grants. */
export function answerOf(account: FakeAccount, { method, url, headers, body, scheme }: GraphRequest): Answer {
  const { pathname, searchParams } = new URL(url, 'http://loopback');
  const [version = '', ...path] = pathname.slice(1).split('/');
  if (version === 'files') return fileOf(account, path.join('/'), headers.authorization, url);
  if (!/^v2[1-6]\.0$/.test(version)) return refuse(400, 2500, 'Unknown path components');
  const bearer = headers.authorization?.replace(/^Bearer /, '') ?? '';
  const isApp = bearer === `${account.app.id}|${account.app.secret}`;
  if (bearer !== account.token && !isApp) {
    // Meta repeats what it refuses.
    return refuse(401, 190, `Malformed access token ${bearer}`);
  }
  if (!isApp && !account.tokenIsValid) {
    return refuse(401, 190, 'Error validating access token: The session has been invalidated');
  }
  const form = new URLSearchParams(body);
  const isForm = headers['content-type'] === 'application/x-www-form-urlencoded';
  const isRead = method === 'GET' || (method === 'POST' && isForm && form.get('method') === 'get');
  const parameters = method === 'GET' ? searchParams : form;
  const file = account.media.get(path.join('/'));
  if (isRead && file !== undefined)
    return addressOf(account, path.join('/'), file, `${scheme}://${headers.host ?? ''}`);
  if (isRead) return readOf(account, path.join('/'), parameters, isApp);
  if (method === 'POST' && path.join('/') === `${account.number.id}/smb_app_data`) {
    return requestOf(account, JSON.parse(body) as Record<string, unknown>);
  }
  return refuse(400, 100, 'Unsupported post request');
}

function addressOf(account: FakeAccount, id: string, file: FakeFile, origin: string): Answer {
  const address = `/files/file/${id}?hash=${randomUUID()}`;
  account.addresses.add(address);
  return {
    status: 200,
    body: {
      messaging_product: 'whatsapp',
      url: file.said?.url ?? `${origin}${address}`,
      mime_type: file.mimeType,
      sha256: file.said?.sha256 ?? createHash('sha256').update(file.bytes).digest('hex'),
      file_size: String(file.said?.size ?? file.bytes.length),
      id,
    },
  };
}

function fileOf(account: FakeAccount, path: string, bearer: string | undefined, url: string): Answer {
  const file = account.media.get(path.replace(/^file\//, ''));
  if (bearer !== `Bearer ${account.token}` || file === undefined || !account.addresses.has(url))
    return { status: 404, body: 'Not Found', headers: { 'content-type': 'text/plain' } };
  return { status: 200, body: file.bytes, headers: { 'content-type': file.mimeType } };
}

function readOf(account: FakeAccount, path: string, parameters: URLSearchParams, isApp: boolean): Answer {
  const { app, waba, number } = account;
  switch (path) {
    case 'debug_token':
      return { status: 200, body: { data: tokenOf(account, parameters.get('input_token') ?? '') } };
    case number.id:
      return { status: 200, body: fieldsOf(account, parameters.get('fields') ?? '') };
    case `${waba.id}/subscribed_apps`:
      return {
        status: 200,
        body: {
          data: waba.subscribedApps.map(({ id, name, callback }) => ({
            whatsapp_business_api_data: { id, link: `https://www.facebook.com/games/?app_id=${id}`, name },
            ...(callback === undefined ? {} : { override_callback_uri: callback }),
          })),
        },
      };
    case `${app.id}/subscriptions`:
      if (!isApp) return refuse(400, 15, 'This method must be called with an app access token.');
      return {
        status: 200,
        body: {
          data: [
            {
              object: 'whatsapp_business_account',
              callback_url: 'https://crm.example.com/webhook',
              active: true,
              fields: app.fields.map((name) => ({ name, version: 'v25.0' })),
            },
          ],
        },
      };
    default:
      return refuse(
        400,
        100,
        `Unsupported get request. Object with ID '${path}' does not exist, or cannot be loaded due to missing permissions`,
      );
  }
}

function tokenOf(
  { app, token, tokenIsValid, expiresAt, scopes, targets }: FakeAccount,
  asked: string,
): unknown {
  if (asked !== token) return { app_id: app.id, is_valid: false, scopes: [] };
  return {
    app_id: app.id,
    type: 'SYSTEM_USER',
    application: app.name,
    data_access_expires_at: 0,
    expires_at: expiresAt,
    is_valid: tokenIsValid,
    issued_at: 1_760_000_000,
    scopes,
    granular_scopes: scopes.map((scope) => ({
      scope,
      ...(targets === undefined ? {} : { target_ids: targets }),
    })),
  };
}

function fieldsOf({ number }: FakeAccount, fields: string): Record<string, unknown> {
  const all: Record<string, unknown> = {
    display_phone_number: number.display,
    verified_name: 'Loja',
    quality_rating: number.quality,
    code_verification_status: 'VERIFIED',
    name_status: number.nameStatus,
    status: number.status,
    throughput: { level: number.throughput },
    is_on_biz_app: number.isOnBizApp,
    platform_type: number.platformType,
    webhook_configuration: { application: 'https://crm.example.com/webhook' },
  };
  return Object.fromEntries([
    ...fields.split(',').flatMap((name) => (name in all ? [[name, all[name]]] : [])),
    ['id', number.id],
  ]) as Record<string, unknown>;
}

function requestOf(
  account: FakeAccount,
  { messaging_product: product, sync_type: type }: Record<string, unknown>,
): Answer {
  if (product !== 'whatsapp' || (type !== 'history' && type !== 'smb_app_state_sync')) {
    return refuse(400, 100, 'Invalid parameter');
  }
  if (Date.now() > account.historyUntil) {
    return refuse(400, 2593108, 'SMB data sharing request is outside of the allowed window');
  }
  if (account.granted.has(type)) return refuse(400, 2593107, 'SMB data sharing limit exceeded');
  const requestId = `req-${type}-${account.granted.size + 1}`;
  account.granted.set(type, requestId);
  return { status: 200, body: { messaging_product: 'whatsapp', request_id: requestId } };
}

function refuse(status: number, code: number, message: string): Answer {
  return { status, body: errorBody(code, message) };
}
