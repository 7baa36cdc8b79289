import type { LinkedDevice } from './linked-device.js';
import type { SignalPeer } from './signal-peer.js';

/** A person's names at WhatsApp, as digits. */
export interface FakePerson {
  /** `5511912345678` */
  phone: string;
  /** `102030405060708` */
  lid: string;
  /** What others see as the push name. */
  name?: string;
}

/** The account that clients are linked to. */
export type FakeAccount = FakePerson;

/** Somebody else at WhatsApp, with the device that they write with. */
export interface Contact {
  person: FakePerson;
  peer: SignalPeer;
}

/** What the parts of the fake server share. */
export interface World {
  account: FakeAccount;
  /** Device 0 of the account; its identity key also signs the identities of linked devices. */
  phone: SignalPeer;
  devices: LinkedDevice[];
  /** Those that were just paired, and get their first history when they log in. */
  newcomers: Set<LinkedDevice>;
  /** With which the account's settings and address book are encrypted; the phone shares it with every new device. */
  appStateKey: { id: Uint8Array; data: Uint8Array };
  /** Other people, by their phone number. */
  contacts: Map<string, Contact>;
}

export function pnOf({ phone }: FakePerson): string {
  return `${phone}@s.whatsapp.net`;
}

export function lidOf({ lid }: FakePerson): string {
  return `${lid}@lid`;
}

/** Whether an address is the account's own, by number or by LID, whatever the device. */
export function isOwn(account: FakeAccount, jid: string): boolean {
  const user = jid.replace(/:\d+@/, '@');
  return user === pnOf(account) || user === lidOf(account);
}
