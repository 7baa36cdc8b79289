import type { Advices } from './remedy.js';

/** A sealed value, in words for an error: what it is, and what to do if its key is lost. */
export interface SealedThing {
  /** `The linked device of 'main'`. */
  noun: string;
  whenLost: Advices;
}

/** A key that gives names to what must not be stored by its own. */
export interface KeyedNames {
  nameOf(what: readonly string[]): string;
}

/** What opens sealed keys. */
export interface KeyOpener {
  openKey(sealed: Uint8Array, about: readonly string[], thing: SealedThing): KeyedNames;
}
