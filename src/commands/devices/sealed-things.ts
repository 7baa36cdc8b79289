import { remedy } from '../../model/remedy.js';
import { ERASED_NAMES } from '../replay/open-erased.js';
import type { SealedRow } from '../../store/queries/sealed.js';
import type { SealedThing } from '../../model/secrets.js';

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
