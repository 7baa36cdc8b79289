import type { Context } from '../../context.js';
import type { Sql } from '../../store/sql.js';
import { readErasureKey, writeErasureKey } from '../../store/tables/erasures.js';
import { readCredentials, resealCredential } from '../../store/tables/graph.js';
import { readSealedFiles, resealFile } from '../../store/tables/history.js';
import { readDevices, setDeviceKey } from '../../store/tables/linked-devices.js';
import { readConnections } from '../../store/tables/connections.js';
import { readSavedComparisons, resealComparison } from '../../store/tables/saved-comparisons.js';
import { aboutOwedFile } from '../devices/raw-keeper.js';
import {
  aboutDeviceKey,
  aboutDeviceLogin,
  aboutToken,
  aboutUrl,
  accessToken,
  linkedDevice,
  savedUrl,
} from '../devices/sealed-things.js';
import type { SecretKey } from '../devices/secret-key.js';
import { ABOUT_ERASED, ERASED_NAMES } from '../contacts/erased-people.js';

/** What was moved to the new key; excludes what was there already. */
export interface RekeyResult {
  schemaVersion: 1;
  command: 'connection token';
  action: 'rekeyed';
  tokens: number;
  devices: number;
  comparisons: number;
  files: number;
  /** 1 if people were erased: the key of what is left of their names. */
  erased: number;
}

/** The two keys, and the names of connections, for errors. */
interface Keys {
  from: SecretKey;
  to: SecretKey;
  nameOf: (connectionId: string) => string;
}

/**
 * Moves everything sealed to another secret key, in one transaction. Tokens and URLs are resealed. A device's rows
 * cannot be, because their name hashes are keyed, too: the new key seals the device's key instead. Throws ConfigError
 * `secret_key_wrong` for what `from` does not open; then nothing has changed.
 */
export async function rekey(ctx: Context, from: SecretKey, to: SecretKey): Promise<RekeyResult> {
  return ctx.store.transaction(async (tx) => {
    const names = new Map((await readConnections(tx)).map(({ id, name }) => [id, name]));
    const keys: Keys = { from, to, nameOf: (id) => names.get(id) ?? id };
    return {
      schemaVersion: 1,
      command: 'connection token',
      action: 'rekeyed',
      tokens: await rekeyTokens(tx, keys),
      devices: await rekeyDevices(tx, keys),
      comparisons: await rekeyComparisons(tx, keys),
      files: await rekeyFiles(tx, keys),
      erased: await rekeyErased(tx, keys),
    };
  });
}

async function rekeyTokens(tx: Sql, { from, to, nameOf }: Keys): Promise<number> {
  const rows = (await readCredentials(tx)).filter(({ token }) => !to.hasSealed(token));
  for (const { connectionId, token } of rows) {
    const about = aboutToken(connectionId);
    const opened = from.open(token, about, accessToken(nameOf(connectionId)));
    await resealCredential(tx, connectionId, to.seal(opened, about));
  }
  return rows.length;
}

async function rekeyDevices(tx: Sql, { from, to, nameOf }: Keys): Promise<number> {
  let count = 0;
  for (const { connectionId, credentials, deviceKey } of await readDevices(tx)) {
    if (to.hasSealed(deviceKey ?? credentials)) continue;
    const about = aboutDeviceKey(connectionId);
    const thing = linkedDevice(nameOf(connectionId));
    const own = deviceKey === null ? from : from.openKey(deviceKey, about, thing);
    // Its rows stay as they are, so only this tells whether the new key would open them.
    own.open(credentials, aboutDeviceLogin(connectionId), thing);
    await setDeviceKey(tx, connectionId, to.sealKey(own, about));
    count += 1;
  }
  return count;
}

async function rekeyComparisons(tx: Sql, { from, to }: Keys): Promise<number> {
  const rows = (await readSavedComparisons(tx)).filter(({ url }) => !to.hasSealed(url));
  for (const { name, url } of rows) {
    const about = aboutUrl(name);
    await resealComparison(tx, name, to.seal(from.open(url, about, savedUrl(name)), about));
  }
  return rows.length;
}

/** No key can open files sealed by an earlier one: they stay, as in every command. */
async function rekeyFiles(tx: Sql, { from, to, nameOf }: Keys): Promise<number> {
  const rows = (await readSealedFiles(tx)).filter(({ notification }) => from.hasSealed(notification));
  for (const { connectionId, fileId, notification } of rows) {
    const about = aboutOwedFile(connectionId, fileId);
    await resealFile(tx, {
      connectionId,
      fileId,
      notification: to.seal(from.open(notification, about, linkedDevice(nameOf(connectionId))), about),
    });
  }
  return rows.length;
}

/** The names of erased people are hashed under a key of their own: the new key seals that. */
async function rekeyErased(tx: Sql, { from, to }: Keys): Promise<number> {
  const sealed = await readErasureKey(tx);
  if (sealed === null || to.hasSealed(sealed)) return 0;
  await writeErasureKey(tx, to.sealKey(from.openKey(sealed, ABOUT_ERASED, ERASED_NAMES), ABOUT_ERASED));
  return 1;
}
