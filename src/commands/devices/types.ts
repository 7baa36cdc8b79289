import type { ConnectionKind } from '../../model/enumerations.js';
import type { MessageCounts, Problem, RunResult } from '../../model/run-result.js';
import type { SyncPatience } from '../../whatsapp/first-sync.js';
import type { ServiceOptions } from '../../whatsapp/open-socket.js';
import type { PairingStep } from '../../whatsapp/pair-device.js';
import type { DatabaseConfig } from '../database.js';
import type { SecretKey } from './secret-key.js';

export type { PairingStep } from '../../whatsapp/pair-device.js';

/** What every use of a linked device needs. */
export interface DeviceOptions extends Omit<ServiceOptions, 'log'> {
  /** Where `ctx.store` is: the lock of a device wants a connection of its own. */
  database: DatabaseConfig;
  /** How long to wait for another process to give the device free, in ms. */
  lockWaitMs: number;
  /** Null where none is given: then only what needs none is possible. */
  secretKey: SecretKey | null;
}

export interface LinkOptions extends DeviceOptions, SyncPatience {
  /** Name, id, phone_number_id or phone of the connection. */
  connection: string;
  organization?: string | undefined;
  /** `code`: `phone` is how WhatsApp spells the number, where that is not how the connection has it. */
  method: { kind: 'qr' } | { kind: 'code'; phone?: string | undefined };
  /** Messages per transaction. */
  batchSize: number;
  onStep: (step: PairingStep) => void;
  /** For sync_runs.options: what the user asked for, without secrets. */
  recordedOptions: Record<string, string | number | boolean | string[]>;
}

export interface DeviceStatusOptions extends DeviceOptions {
  /** Without it: of every connection. */
  connection?: string | undefined;
  organization?: string | undefined;
  /** Logs every device in for a moment, to see whether WhatsApp still knows it. */
  check: boolean;
}

export interface UnlinkOptions extends DeviceOptions {
  connection: string;
  organization?: string | undefined;
  /** Only removes what is stored here; the phone keeps the device until its owner removes it there. */
  forget: boolean;
}

export interface DeviceView {
  /** E.164. */
  phone: string | null;
  /** Its number among the account's devices. */
  device: number;
}

interface ConnectionName {
  id: string;
  name: string;
}

/** The JSON of `link`, `schemaVersion` 1; fields are only ever added. */
export interface LinkResult {
  schemaVersion: 1;
  command: 'link';
  runId: string;
  /** `partial`: linked, but some of what the phone sent could not be downloaded or read. */
  status: RunResult['status'];
  connection: ConnectionName;
  device: DeviceView;
  /** It was linked before; this call has only logged it in. */
  wasLinked: boolean;
  /** How the phone's first sync ended. */
  sync: 'complete' | 'stalled' | 'interrupted';
  /** Chunks of history that the phone announced, and those that came. */
  chunks: { announced: number; received: number };
  messages: MessageCounts;
  contacts: number;
  leads: RunResult['leads'];
  problems: Problem[];
  problemCount: number;
}

/** What WhatsApp says about a device; `unchecked` without --check. */
export type DeviceState = 'unchecked' | 'online' | 'conflict' | 'logged_out' | 'offline' | 'interrupted';

export interface LinkedDeviceStatus {
  connection: ConnectionName & { kind: ConnectionKind };
  phone: string | null;
  device: number;
  /** RFC 3339. */
  linkedAt: string;
  lastUsedAt: string;
  /** Whether the secret key that was given opens it. */
  key: 'ok' | 'missing' | 'wrong';
  whatsapp: DeviceState;
  /** History that its phone has announced or left out, and that the next import asks for again. */
  owed: { files: number; gaps: number };
}

export interface DeviceStatusResult {
  schemaVersion: 1;
  command: 'link status';
  devices: LinkedDeviceStatus[];
}

export interface UnlinkResult {
  schemaVersion: 1;
  command: 'unlink';
  connection: ConnectionName;
  device: DeviceView;
  /** `unlinked` just now, `was_unlinked` by the phone before, or `left` there (`--forget`). */
  onPhone: 'unlinked' | 'was_unlinked' | 'left';
}
