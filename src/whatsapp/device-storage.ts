/** One key of a device; `value` null removes it. */
export interface DeviceKey {
  /** Baileys' word: `pre-key`, `session`, `lid-mapping` … */
  type: string;
  id: string;
  value: string | null;
}

/**
 * Where the tool's own device keeps its credentials and keys, as JSON texts. Whoever implements it encrypts them and sees to
 * it that one process alone has the device: two that write to one store break its Signal sessions.
 */
export interface DeviceStorage {
  /** null: nothing is linked. */
  loadCredentials(): Promise<string | null>;
  /** `accountId` is the address of the device: `5511…:12@s.whatsapp.net`. */
  saveCredentials(json: string, accountId: string): Promise<void>;
  /** Those that are there, by id. */
  readKeys(type: string, ids: readonly string[]): Promise<Map<string, string>>;
  writeKeys(keys: readonly DeviceKey[]): Promise<void>;
}
