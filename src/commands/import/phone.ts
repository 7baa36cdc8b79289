import type { PageOutcome, PageRequest } from '../../whatsapp/history-page.js';

/** The linked devices of the connections: the only way to ask a phone for history. */
export interface Phones {
  /**
   * Brings the connection's device online. Returns the same one until {@link close}: many contacts, one socket. A
   * device that cannot go online reports that in the answer to every request.
   *
   * Throws UserError `not_linked` when none is linked, LockedError when another process has the device, and ConfigError
   * for a missing or wrong secret key.
   */
  open(connection: { id: string; name: string }): Promise<Phone>;
  /** Closes and releases all devices. Harmless if none is open. */
  close(): Promise<void>;
}

/** One linked device. */
export interface Phone {
  /** Asks for one page; one request at a time. What came is in the raw log when it settles. */
  fetchPage(request: PageRequest): Promise<PageOutcome>;
  /** The other address of a person's chat, as known to the device or WhatsApp's directory; null if neither knows it. */
  otherAddress(address: string): Promise<string | null>;
  /** Waits, for a limited time, until everything received, including late answers, is in the raw log. */
  settle(): Promise<void>;
}

export type { PageOutcome, PageRequest };
