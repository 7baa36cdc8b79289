import { UserError } from '../../model/errors.js';
import {
  deleteDevice,
  readDevice,
  readDeviceKeys,
  readOtherOwner,
  saveDevice,
  writeDeviceKeys,
} from '../../store/linked-devices.js';
import type { DeviceKey, DeviceStorage } from '../../whatsapp/device-storage.js';
import type { Context } from '../context.js';
import type { SecretKey } from './secret-key.js';

/**
 * The device of one connection in the database, encrypted. Whoever uses it holds the device's lock. Reading throws
 * ConfigError for a wrong key; saving throws UserError `device_taken` for a device that another connection has.
 */
export class StoredDevice implements DeviceStorage {
  constructor(
    private readonly ctx: Pick<Context, 'store' | 'clock'>,
    private readonly connectionId: string,
    private readonly key: SecretKey,
  ) {}

  async loadCredentials(): Promise<string | null> {
    const row = await readDevice(this.ctx.store.sql, this.connectionId);
    return row === null ? null : this.key.open(row.credentials, this.about('credentials'));
  }

  async saveCredentials(json: string, accountId: string): Promise<void> {
    const { sql } = this.ctx.store;
    const owner = await readOtherOwner(sql, accountId, this.connectionId);
    if (owner !== null) {
      throw new UserError(`This very device is linked to the connection '${owner}' already.`, {
        code: 'device_taken',
        remedy: 'Two connections cannot share one login: they would kick each other out.',
      });
    }
    const credentials = this.key.seal(json, this.about('credentials'));
    const now = this.ctx.clock();
    if (await saveDevice(sql, { connectionId: this.connectionId, accountId, credentials, now })) return;
    // It was written by another key since it was looked at: only without the device's lock.
    await this.loadCredentials();
  }

  async readKeys(type: string, ids: readonly string[]): Promise<Map<string, string>> {
    const rows = await readDeviceKeys(this.ctx.store.sql, this.connectionId, type, ids);
    return new Map([...rows].map(([id, value]) => [id, this.key.open(value, this.about(type, id))]));
  }

  async writeKeys(keys: readonly DeviceKey[]): Promise<void> {
    // The same key twice in one statement is an error; the last one counts.
    const last = new Map(keys.map((key) => [JSON.stringify([key.type, key.id]), key]));
    const written: { type: string; id: string; value: Uint8Array }[] = [];
    const removed: { type: string; id: string }[] = [];
    for (const { type, id, value } of last.values()) {
      if (value === null) removed.push({ type, id });
      else written.push({ type, id, value: this.key.seal(value, this.about(type, id)) });
    }
    await this.ctx.store.transaction((tx) => writeDeviceKeys(tx, this.connectionId, written, removed));
  }

  /** Forgets the device; needs no key. */
  static async forget(ctx: Pick<Context, 'store'>, connectionId: string): Promise<void> {
    await ctx.store.transaction((tx) => deleteDevice(tx, connectionId));
  }

  private about(...what: string[]): string[] {
    return [this.connectionId, ...what];
  }
}
