import { type AuthenticationCreds, BufferJSON } from '@whiskeysockets/baileys';
import type { AnnouncedFile, HistoryKeeper } from '../../src/whatsapp/history-keeper.js';
import type { DeviceStorage } from '../../src/whatsapp/auth-state.js';

/** A keeper in memory: the events that were kept, and the files that are owed. */
export function memoryKeeper(): HistoryKeeper & {
  readonly kept: unknown[];
  readonly owed: Map<string, AnnouncedFile>;
  readonly failures: string[];
} {
  const kept: unknown[] = [];
  const owed = new Map<string, AnnouncedFile>();
  const failures: string[] = [];
  return {
    kept,
    owed,
    failures,
    keep: (raw) => kept.push(JSON.parse(Buffer.from(raw).toString())),
    owe: (file) => owed.set(file.id, file),
    settle: (id) => owed.delete(id),
    fail: (_id, reason) => failures.push(reason),
  };
}

/** A storage of a device in memory, empty or with the credentials of a device that is linked. */
export function memoryDevice(creds?: AuthenticationCreds): DeviceStorage & {
  credentials: string | null;
  readonly keys: Map<string, string>;
} {
  const keys = new Map<string, string>();
  const device = {
    credentials: creds === undefined ? null : JSON.stringify(creds, BufferJSON.replacer),
    keys,
    loadCredentials: () => Promise.resolve(device.credentials),
    saveCredentials: (json: string) => {
      device.credentials = json;
      return Promise.resolve();
    },
    readKeys: (type: string, ids: readonly string[]) =>
      Promise.resolve(
        new Map(
          ids.flatMap((id): [string, string][] => {
            const value = keys.get(`${type}/${id}`);
            return value === undefined ? [] : [[id, value]];
          }),
        ),
      ),
    writeKeys: (written: readonly { type: string; id: string; value: string | null }[]) => {
      for (const { type, id, value } of written) {
        if (value === null) keys.delete(`${type}/${id}`);
        else keys.set(`${type}/${id}`, value);
      }
      return Promise.resolve();
    },
  };
  return device;
}
