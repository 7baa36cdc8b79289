import type { Advices } from '../../model/remedy.js';
import type { GraphAccess } from './token.js';

/** What is checked, in this order. */
export const GRAPH_CHECKS = [
  'token',
  'expiry',
  'scopes',
  'targets',
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

/** `unknown`: it cannot be told, and the message says why. */
export type GraphCheckStatus = 'ok' | 'finding' | 'unknown';

export interface GraphCheck {
  check: GraphCheckName;
  status: GraphCheckStatus;
  /** What is so, in a sentence. */
  message: string;
  remedy?: Advices;
}

export interface CheckedConnection {
  connection: { id: string; name: string; phoneNumberId: string | null; wabaId: string | null };
  /** `ok`, `findings`, or `failed`: Meta could not be asked about all of it. */
  status: 'ok' | 'findings' | 'failed';
  /** Where the token stands: `stored`, `WA_RECONCILE_GRAPH_TOKEN`; null where there is none. */
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
  /** Name, id, phone_number_id or phone; all connections of Meta that are in use where it is absent. */
  connection?: string | undefined;
  organization?: string | undefined;
  access: GraphAccess;
}
