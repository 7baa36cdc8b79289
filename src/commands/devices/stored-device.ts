import { UserError } from '../../model/errors.js';
import {
  deleteDevice,
  HASHED_NAME,
  readDevice,
  readDeviceKeys,
  readOtherOwner,
  readPlainKeys,
  renameDeviceKeys,
  saveDevice,
  writeDeviceKeys,
} from '../../store/tables/linked-devices.js';
import type { DeviceKey, DeviceStorage } from '../../whatsapp/auth-state.js';
import type { Context } from '../../context.js';
import { aboutDeviceKey, aboutDeviceLogin, linkedDevice } from './sealed-things.js';
import type { SealedThing } from '../../model/secrets.js';
import type { SecretKey } from './secret-key.js';

/**
 * The device of one connection in the database, encrypted. The caller holds the device's lock. Reading throws
 * ConfigError for a wrong key; saving throws UserError `device_taken` for a device that another connection has.
 */
export class StoredDevice implements DeviceStorage {
  private isOurs = false;
  /** The key of this device's rows: the secret key, or, after a rekey, the one that it was linked with. */
  private key: SecretKey;
  private readonly connectionId: string;
  private readonly thing: SealedThing;

  constructor(
    private readonly ctx: Pick<Context, 'store' | 'clock'>,
    { id, name }: { id: string; name: string },
    private readonly secretKey: SecretKey,
  ) {
    this.connectionId = id;
    this.thing = linkedDevice(name);
    this.key = secretKey;
  }

  async loadCredentials(): Promise<string | null> {
    const row = await readDevice(this.ctx.store.sql, this.connectionId);
    if (row === null) return null;
    this.use(row);
    const credentials = this.key.open(row.credentials, aboutDeviceLogin(this.connectionId), this.thing);
    await this.renameKeys();
    return credentials;
  }

  async saveCredentials(json: string, accountId: string): Promise<void> {
    const { sql } = this.ctx.store;
    const owner = await readOtherOwner(sql, accountId, this.connectionId);
    if (owner !== null) {
      throw new UserError(`This device is already linked to the connection '${owner}'.`, {
        code: 'device_taken',
        remedy: 'Two connections cannot share one login: they would log each other out.',
      });
    }
    await this.assertOurs();
    const credentials = this.key.seal(json, aboutDeviceLogin(this.connectionId));
    const now = this.ctx.clock();
    if (await saveDevice(sql, { connectionId: this.connectionId, accountId, credentials, now })) return;
    // Another key wrote it since the last read: possible only without the device's lock.
    await this.loadCredentials();
  }

  async readKeys(type: string, ids: readonly string[]): Promise<Map<string, string>> {
    await this.assertOurs();
    const named = new Map(ids.map((id) => [this.nameOf(type, id), id]));
    const rows = await readDeviceKeys(this.ctx.store.sql, this.connectionId, type, [...named.keys()]);
    return new Map(
      [...named].flatMap(([name, id]): [string, string][] => {
        const value = rows.get(name);
        return value === undefined ? [] : [[id, this.key.open(value, this.about(type, id), this.thing)]];
      }),
    );
  }

  async writeKeys(keys: readonly DeviceKey[]): Promise<void> {
    await this.assertOurs();
    // The same key twice in one statement is an error; the last one counts.
    const last = new Map(keys.map((key) => [JSON.stringify([key.type, key.id]), key]));
    const written: { type: string; id: string; value: Uint8Array }[] = [];
    const removed: { type: string; id: string }[] = [];
    for (const { type, id, value } of last.values()) {
      const name = this.nameOf(type, id);
      if (value === null) removed.push({ type, id: name });
      else written.push({ type, id: name, value: this.key.seal(value, this.about(type, id)) });
    }
    await this.ctx.store.transaction((tx) => writeDeviceKeys(tx, this.connectionId, written, removed));
  }

  /** Forgets the device; needs no key. */
  static async forget(ctx: Pick<Context, 'store'>, connectionId: string): Promise<void> {
    await ctx.store.transaction((tx) => deleteDevice(tx, connectionId));
  }

  /** Another secret key would find none of the rows, and write its own beside them. Throws ConfigError. */
  private async assertOurs(): Promise<void> {
    if (this.isOurs) return;
    const row = await readDevice(this.ctx.store.sql, this.connectionId);
    if (row === null) return;
    this.use(row);
    this.key.open(row.credentials, aboutDeviceLogin(this.connectionId), this.thing);
    this.isOurs = true;
  }

  private use({ deviceKey }: { deviceKey: Uint8Array | null }): void {
    this.key =
      deviceKey === null
        ? this.secretKey
        : this.secretKey.openKey(deviceKey, aboutDeviceKey(this.connectionId), this.thing);
  }

  /** Renames keys stored under their own names, including contacts' numbers, to opaque ones. */
  private async renameKeys(): Promise<void> {
    const { store } = this.ctx;
    const plain = await readPlainKeys(store.sql, this.connectionId);
    if (plain.length === 0) return;
    const renamed = plain.map(({ type, id }) => ({ type, id, name: this.nameOf(type, id) }));
    await store.transaction((tx) => renameDeviceKeys(tx, this.connectionId, renamed));
  }

  /** Most of Baileys' ids are or contain a contact's number; only the key type shows which. */
  private nameOf(type: string, id: string): string {
    return `${HASHED_NAME}${this.key.nameOf(this.about(type, id))}`;
  }

  private about(...what: string[]): string[] {
    return [this.connectionId, ...what];
  }
}
