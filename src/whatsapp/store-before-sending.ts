import type { WASocket } from '@whiskeysockets/baileys';

/**
 * Lets a message leave only when the ratchet that encrypted it is stored. Baileys 7.0.0-rc14 sends inside a transaction of
 * its keys, under the device's own address, and writes them after that: a kill in between would use a key twice, and the
 * phone could read nothing until the session is renewed. Without that outer transaction each encryption is one of its own.
 */
export function storeBeforeSending(sock: WASocket): void {
  const { creds, keys } = sock.authState;
  const transaction = keys.transaction.bind(keys);
  keys.transaction = (work, key) => (key === creds.me?.id ? work() : transaction(work, key));
}
