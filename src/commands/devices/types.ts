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
