import type { Context } from '../../context.js';
import { remedy } from '../../model/remedy.js';
import type { Sql } from '../../store/sql.js';
import { readCredentials, resealCredential } from '../../store/tables/graph.js';
import { readSealedFiles, resealFile } from '../../store/tables/history.js';
import { readDevices, setDeviceKey } from '../../store/tables/linked-devices.js';
import { readSavedComparisons, resealComparison } from '../../store/tables/saved-comparisons.js';
import { aboutUrl } from '../compare/saved.js';
import { aboutOwedFile } from '../devices/raw-keeper.js';
import { LINKED_DEVICE, type SealedThing, type SecretKey } from '../devices/secret-key.js';
import { aboutDeviceKey } from '../devices/stored-device.js';
import { aboutToken, TOKEN } from '../graph/token.js';

/** What was moved to the new key; excludes what was there already. */
export interface RekeyResult {
  schemaVersion: 1;
  command: 'connection token';
  action: 'rekeyed';
  tokens: number;
  devices: number;
  comparisons: number;
  files: number;
}

const URL_OF_CRM: SealedThing = {
  noun: 'The URL of a saved comparison',
  whenLost: [
    'Use the key that it was saved with. If it is lost, forget the comparison and save it again:',
    remedy('compare', ['NAME', '--forget'], 'forgets it; needs no key'),
  ],
};

/**
 * Moves everything sealed to another secret key, in one transaction. Tokens and URLs are resealed. A device's rows
 * cannot be, because their name hashes are keyed, too: the new key seals the device's key instead. Throws ConfigError
 * `secret_key_wrong` for what `from` did not seal; then nothing has changed.
 */
export async function rekey(ctx: Context, from: SecretKey, to: SecretKey): Promise<RekeyResult> {
  return ctx.store.transaction(async (tx) => ({
    schemaVersion: 1,
    command: 'connection token',
    action: 'rekeyed',
    tokens: await rekeyTokens(tx, from, to),
    devices: await rekeyDevices(tx, from, to),
    comparisons: await rekeyComparisons(tx, from, to),
    files: await rekeyFiles(tx, from, to),
  }));
}

async function rekeyTokens(tx: Sql, from: SecretKey, to: SecretKey): Promise<number> {
  const rows = (await readCredentials(tx)).filter(({ token }) => !to.hasSealed(token));
  for (const { connectionId, token } of rows) {
    const about = aboutToken(connectionId);
    await resealCredential(tx, connectionId, to.seal(from.open(token, about, TOKEN), about));
  }
  return rows.length;
}

async function rekeyDevices(tx: Sql, from: SecretKey, to: SecretKey): Promise<number> {
  let count = 0;
  for (const { connectionId, credentials, deviceKey } of await readDevices(tx)) {
    if (to.hasSealed(deviceKey ?? credentials)) continue;
    const about = aboutDeviceKey(connectionId);
    if (deviceKey === null && !from.hasSealed(credentials)) throw from.wrong(LINKED_DEVICE);
    const own = deviceKey === null ? from : from.openKey(deviceKey, about);
    await setDeviceKey(tx, connectionId, to.sealKey(own, about));
    count += 1;
  }
  return count;
}

async function rekeyComparisons(tx: Sql, from: SecretKey, to: SecretKey): Promise<number> {
  const rows = (await readSavedComparisons(tx)).filter(({ url }) => !to.hasSealed(url));
  for (const { name, url } of rows) {
    const about = aboutUrl(name);
    await resealComparison(tx, name, to.seal(from.open(url, about, URL_OF_CRM), about));
  }
  return rows.length;
}

/** No key can open files sealed by an earlier one: they stay, as in every command. */
async function rekeyFiles(tx: Sql, from: SecretKey, to: SecretKey): Promise<number> {
  const rows = (await readSealedFiles(tx)).filter(({ notification }) => from.hasSealed(notification));
  for (const { connectionId, fileId, notification } of rows) {
    const about = aboutOwedFile(connectionId, fileId);
    await resealFile(tx, {
      connectionId,
      fileId,
      notification: to.seal(from.open(notification, about), about),
    });
  }
  return rows.length;
}
