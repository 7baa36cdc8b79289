import type { Advices } from '../../model/remedy.js';
import type { GraphAccess } from './token.js';

/** The checks, in this order. */
export const GRAPH_CHECKS = [
  'token',
  'expiry',
  'scopes',
  'targets',
  'connected',
  'number',
  'phone',
  'coexistence',
  'status',
  'quality',
  'throughput',
  'name',
  'subscription',
  'fields',
  'history',
] as const;
export type GraphCheckName = (typeof GRAPH_CHECKS)[number];

/** `unknown`: cannot be determined; the message says why. */
export type GraphCheckStatus = 'ok' | 'finding' | 'unknown';

export interface GraphCheck {
  check: GraphCheckName;
  status: GraphCheckStatus;
  /** The state, in a sentence. */
  message: string;
  remedy?: Advices;
}

/** What one app has subscribed. `other`: which app, unless it is the token's. */
export type FieldsAnswer =
  | { kind: 'told'; other: string | null; fields: ReadonlySet<string> }
  /** `isFailure`: Meta could not be asked, which says nothing about the app. */
  | { kind: 'untold'; why: string; remedy?: Advices | undefined; isFailure?: true };

export interface CheckedConnection {
  connection: { id: string; name: string; phoneNumberId: string | null; wabaId: string | null };
  /** `ok`, `findings`, or `failed`: some questions to Meta failed. */
  status: 'ok' | 'findings' | 'failed';
  /** The token's source: `stored`, `WA_RECONCILE_GRAPH_TOKEN`; null if there is none. */
  token: string | null;
  checks: GraphCheck[];
  /** For coexistence; times are RFC 3339. */
  history: { onboardedAt: string | null; until: string | null; hoursLeft: number | null };
}

export interface CheckResult {
  schemaVersion: 1;
  command: 'connection check';
  /** The worst of the connections. */
  status: CheckedConnection['status'];
  connections: CheckedConnection[];
}

export interface CheckOptions {
  /** Name, id, phone_number_id or phone; absent: all Meta connections in use. */
  connection?: string | undefined;
  organization?: string | undefined;
  access: GraphAccess;
}
