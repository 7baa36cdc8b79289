import { adviceList, type Advice, type Advices } from './remedy.js';

/** A sealed value, in words for an error: what it is, and what to do if its key is lost. */
export interface SealedThing {
  /** `The linked device of 'main'`. */
  noun: string;
  whenLost: Advices;
}

/** What to do about a sealed value that is damaged: no key opens it, so the advice to find the right one is left out. */
export function adviceWhenDamaged({ whenLost }: SealedThing): readonly Advice[] {
  return [
    'Restore the row from a backup, or forget it here and store it again:',
    ...adviceList(whenLost).filter((advice) => typeof advice !== 'string'),
  ];
}

/** A key that gives names to what must not be stored by its own. */
export interface KeyedNames {
  nameOf(what: readonly string[]): string;
}

/** What opens sealed keys. */
export interface KeyOpener {
  openKey(sealed: Uint8Array, about: readonly string[], thing: SealedThing): KeyedNames;
}
