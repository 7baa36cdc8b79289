import type { SyncPatience } from '../../whatsapp/first-sync.js';
import type { ServiceOptions } from '../../whatsapp/open-socket.js';
import type { PairingStep } from '../../whatsapp/pair-device.js';
import type { DatabaseConfig } from '../database.js';
import type { SecretKey } from './secret-key.js';

export type { PairingStep } from '../../whatsapp/pair-device.js';

/** What every use of a linked device needs. */
export interface DeviceOptions extends Omit<ServiceOptions, 'log'> {
  /** Where `ctx.store` is: a device lock needs its own connection. */
  database: DatabaseConfig;
  /** How long to wait for another process to release the device, in ms. */
  lockWaitMs: number;
  /** Null if none is given: only work that needs no key is possible. */
  secretKey: SecretKey | null;
}

export interface LinkOptions extends DeviceOptions, SyncPatience {
  /** Name, id, phone_number_id or phone of the connection. */
  connection: string;
  organization?: string | undefined;
  /** `code`: `phone` is WhatsApp's spelling of the number, if it differs from the connection's. */
  method: { kind: 'qr' } | { kind: 'code'; phone?: string | undefined };
  /** Messages per transaction. */
  batchSize: number;
  onStep: (step: PairingStep) => void;
  /** For sync_runs.options: what the user asked for, without secrets. */
  recordedOptions: Record<string, string | number | boolean | string[]>;
}

export interface DeviceStatusOptions extends DeviceOptions {
  /** Absent: every connection. */
  connection?: string | undefined;
  organization?: string | undefined;
  /** Briefly logs in every device to see whether WhatsApp still knows it. */
  check: boolean;
}

export interface UnlinkOptions extends DeviceOptions {
  connection: string;
  organization?: string | undefined;
  /** Only removes what is stored here; the phone keeps the device until its owner removes it there. */
  forget: boolean;
}
