import type { SignalDataSet, SignalDataTypeMap, SignalKeyStore } from '@whiskeysockets/baileys';

type Stored = { [T in keyof SignalDataTypeMap]: Map<string, SignalDataTypeMap[T]> };

/** Baileys' key store in memory: for the phone, for contacts, and for test clients that need no disk. */
export function createMemoryKeys(): SignalKeyStore {
  const stored: Stored = {
    'pre-key': new Map(),
    session: new Map(),
    'sender-key': new Map(),
    'sender-key-memory': new Map(),
    'app-state-sync-key': new Map(),
    'app-state-sync-version': new Map(),
    'lid-mapping': new Map(),
    'device-list': new Map(),
    tctoken: new Map(),
    'identity-key': new Map(),
  };

  function get<T extends keyof SignalDataTypeMap>(
    type: T,
    ids: string[],
  ): Record<string, SignalDataTypeMap[T]> {
    const found: Record<string, SignalDataTypeMap[T]> = {};
    for (const id of ids) {
      const value = stored[type].get(id);
      if (value !== undefined) found[id] = value;
    }
    return found;
  }

  function write<T extends keyof SignalDataTypeMap>(type: T, values: SignalDataSet[T]): void {
    const kept = stored[type];
    for (const [id, value] of Object.entries<SignalDataTypeMap[T] | null>(values ?? {})) {
      if (value === null) kept.delete(id);
      else kept.set(id, value);
    }
  }

  return {
    get,
    set: (data) => {
      write('pre-key', data['pre-key']);
      write('session', data.session);
      write('sender-key', data['sender-key']);
      write('sender-key-memory', data['sender-key-memory']);
      write('app-state-sync-key', data['app-state-sync-key']);
      write('app-state-sync-version', data['app-state-sync-version']);
      write('lid-mapping', data['lid-mapping']);
      write('device-list', data['device-list']);
      write('tctoken', data.tctoken);
      write('identity-key', data['identity-key']);
    },
  };
}
