import { remedy } from '../../model/remedy.js';
import { ABOUT_ERASED, ERASED_NAMES } from '../contacts/erased-people.js';
import type { SealedRow } from '../../store/queries/sealed.js';
import { UserError } from '../../model/errors.js';
import type { SealedThing } from '../../model/secrets.js';
import type { SecretKey } from './secret-key.js';

/** The linked device of the connection with this name. */
export function linkedDevice(name: string): SealedThing {
  return {
    noun: `The linked device of '${name}'`,
    whenLost: [
      'Use the key that it was linked with. If it is lost, forget the device, remove it on the phone, and link again:',
      remedy('unlink', ['--connection', name, '--forget'], 'forgets the device here'),
    ],
  };
}

/** The access token of the connection with this name. */
export function accessToken(name: string): SealedThing {
  return {
    noun: `The access token of '${name}'`,
    whenLost: [
      'Use the key that it was stored with. If it is lost, remove the token here and store it again:',
      remedy('connection token', [name, '--remove'], 'removes it; needs no key'),
    ],
  };
}

/** The URL of the saved comparison with this name. */
export function savedUrl(name: string): SealedThing {
  return {
    noun: `The URL of the saved comparison '${name}'`,
    whenLost: [
      'Use the key that it was saved with. If it is lost, forget the comparison and save it again:',
      remedy('compare', [name, '--forget'], 'forgets it; needs no key'),
    ],
  };
}

/** What a row holds. */
export function sealedThing({ kind, name }: Pick<SealedRow, 'kind' | 'name'>): SealedThing {
  switch (kind) {
    case 'token':
      return accessToken(name);
    case 'device':
      return linkedDevice(name);
    case 'comparison':
      return savedUrl(name);
    case 'erased':
      return ERASED_NAMES;
  }
}

/** What a sealed token is bound to. */
export function aboutToken(connectionId: string): string[] {
  return [connectionId, 'graph token'];
}

/** What the sealed key of a device's rows is bound to. */
export function aboutDeviceKey(connectionId: string): string[] {
  return [connectionId, 'device key'];
}

/** What the sealed login of a device is bound to. */
export function aboutDeviceLogin(connectionId: string): string[] {
  return [connectionId, 'credentials'];
}

/** What a sealed URL is bound to. */
export function aboutUrl(name: string): readonly string[] {
  return ['crm url', name];
}

/** Whether a row that this key sealed is damaged, or is another row's. */
export function isDamaged(row: SealedRow, key: SecretKey): boolean {
  const thing = sealedThing(row);
  const id = row.connectionId ?? '';
  try {
    switch (row.kind) {
      case 'token':
        key.open(row.sealed, aboutToken(id), thing);
        break;
      case 'device':
        if (row.underIt === null) key.open(row.sealed, aboutDeviceLogin(id), thing);
        else
          key.openKey(row.sealed, aboutDeviceKey(id), thing).open(row.underIt, aboutDeviceLogin(id), thing);
        break;
      case 'comparison':
        key.open(row.sealed, aboutUrl(row.name), thing);
        break;
      case 'erased':
        key.openKey(row.sealed, ABOUT_ERASED, thing);
    }
    return false;
  } catch (error) {
    if (error instanceof UserError) return true;
    throw error;
  }
}
