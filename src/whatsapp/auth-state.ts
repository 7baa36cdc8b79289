import {
  type AuthenticationCreds,
  type AuthenticationState,
  BufferJSON,
  initAuthCreds,
  proto,
  type SignalDataTypeMap,
  type SignalKeyStore,
  jidDecode,
} from './baileys.js';

/**
 * The credentials and keys of one device, kept in memory as texts and written through to a storage. One process owns
 * the device, so each is read only once. A device being paired has no storage yet: until the phone has agreed, nothing
 * is worth keeping.
 */
export class DeviceAuth {
  private readonly keys = new Map<string, string | null>();
  private writing: Promise<void> = Promise.resolve();
  private failure: { error: unknown } | undefined;

  constructor(
    readonly creds: AuthenticationCreds,
    private storage: DeviceStorage | null,
  ) {}

  /** The device that is stored; null when none is. Throws what the storage throws. */
  static async load(storage: DeviceStorage): Promise<DeviceAuth | null> {
    const json = await storage.loadCredentials();
    if (json === null) return null;
    // Fields added by a later version of Baileys get their initial value.
    const creds = initAuthCreds();
    Object.assign(creds, JSON.parse(json, BufferJSON.reviver));
    return new DeviceAuth(creds, storage);
  }

  static create(): DeviceAuth {
    return new DeviceAuth(initAuthCreds(), null);
  }

  get state(): AuthenticationState {
    return { creds: this.creds, keys: this.keyStore };
  }

  /** The phone has agreed: only now is there an identity that it signed. */
  get isPaired(): boolean {
    return this.creds.account !== undefined && this.creds.me !== undefined;
  }

  /** From now on everything is stored, including what already exists. */
  attach(storage: DeviceStorage): void {
    this.storage = storage;
    this.save();
    this.enqueue((target) =>
      target.writeKeys([...this.keys].map(([key, value]) => ({ ...partsOf(key), value }))),
    );
  }

  /** Stores the current credentials, after writes in progress. */
  save(): void {
    const { me } = this.creds;
    if (this.storage === null || me === undefined) return;
    const json = JSON.stringify(this.creds, BufferJSON.replacer);
    this.enqueue((storage) => storage.saveCredentials(json, me.id));
  }

  /** Settles when everything is stored; rejects with the first failure. */
  async flush(): Promise<void> {
    await this.writing;
    if (this.failure !== undefined) throw this.failure.error;
  }

  /**
   * The same, and nothing is stored after it: Baileys keeps writing for a moment after its socket has closed, when the
   * device may already be released or owned by another process. Anything lost with it was not confirmed to WhatsApp.
   */
  async close(): Promise<void> {
    this.storage = null;
    await this.flush();
  }

  private readonly keyStore: SignalKeyStore = {
    get: async (type, ids) => {
      await this.fetch(type, ids);
      const found: Record<string, SignalDataTypeMap[typeof type]> = {};
      for (const id of ids) {
        const json = this.keys.get(keyOf(type, id));
        if (json !== undefined && json !== null) Object.assign(found, { [id]: revive(type, json) });
      }
      return found;
    },
    set: async (data) => {
      const changed: DeviceKey[] = [];
      for (const [type, values] of Object.entries(data)) {
        for (const [id, value] of Object.entries(values)) {
          const json =
            value === null || value === undefined ? null : JSON.stringify(value, BufferJSON.replacer);
          this.keys.set(keyOf(type, id), json);
          changed.push({ type, id, value: json });
        }
      }
      if (changed.length === 0) return;
      this.enqueue((storage) => storage.writeKeys(changed));
      // A message must not leave before its ratchet is stored: after a kill it would be used twice.
      await this.flush();
    },
  };

  private async fetch(type: string, ids: readonly string[]): Promise<void> {
    const missing = ids.filter((id) => !this.keys.has(keyOf(type, id)));
    if (missing.length === 0 || this.storage === null) return;
    const read = await this.storage.readKeys(type, missing);
    for (const id of missing) {
      const key = keyOf(type, id);
      // Written since: what was read is older.
      if (!this.keys.has(key)) this.keys.set(key, read.get(id) ?? null);
    }
  }

  /** Writes go one after the other: a later one must not be overtaken by an earlier one. */
  private enqueue(write: (storage: DeviceStorage) => Promise<void>): void {
    const { storage } = this;
    if (storage === null) return;
    this.writing = this.writing
      .then(() => (this.failure === undefined ? write(storage) : undefined))
      .catch((error: unknown) => {
        this.failure ??= { error };
      });
  }
}

function keyOf(type: string, id: string): string {
  return `${type} ${id}`;
}

function partsOf(key: string): { type: string; id: string } {
  const space = key.indexOf(' ');
  return { type: key.slice(0, space), id: key.slice(space + 1) };
}

function revive(type: string, json: string): unknown {
  const value: unknown = JSON.parse(json, BufferJSON.reviver);
  // Baileys hands these to code that needs the class, not its fields.
  return type === 'app-state-sync-key' && typeof value === 'object' && value !== null
    ? proto.Message.AppStateSyncKeyData.fromObject(value)
    : value;
}

/** One key of a device; `value` null removes it. */
export interface DeviceKey {
  /** Baileys' word: `pre-key`, `session`, `lid-mapping` … */
  type: string;
  id: string;
  value: string | null;
}

/**
 * Where the tool's own device keeps its credentials and keys, as JSON texts. The implementation encrypts them and
 * ensures that only one process owns the device: two that write to one store break its Signal sessions.
 */
export interface DeviceStorage {
  /** null: nothing is linked. */
  loadCredentials(): Promise<string | null>;
  /** `accountId` is the address of the device: `5511…:12@s.whatsapp.net`. */
  saveCredentials(json: string, accountId: string): Promise<void>;
  /** The existing ones, by id. */
  readKeys(type: string, ids: readonly string[]): Promise<Map<string, string>>;
  writeKeys(keys: readonly DeviceKey[]): Promise<void>;
}

/** A device as WhatsApp names it. */
export interface LinkedAccount {
  /** `5511…:12@s.whatsapp.net` */
  id: string;
  /** The number that it belongs to, as WhatsApp writes it, digits only. */
  phone: string;
  /** Its number among the account's devices. */
  device: number;
}

/** The account of the credentials; undefined before they are paired. */
export function accountOf({ me }: AuthenticationCreds): LinkedAccount | undefined {
  if (me === undefined) return undefined;
  const decoded = jidDecode(me.id);
  return decoded === undefined ? undefined : { id: me.id, phone: decoded.user, device: decoded.device ?? 0 };
}
