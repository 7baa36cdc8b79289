import type { Identities } from '../model/facts.js';
import type { CrmConnection, CrmRecord, CrmRow, Dialect } from './crm.js';

/** A row as it is, and what it says. */
export interface ReadRow {
  row: CrmRow;
  record: CrmRecord;
}

/** A row that gives a person several names. */
export interface ReadPair {
  person: Identities;
  record: CrmRecord;
}

/** An open CRM: a database or files. */
export interface CrmSource {
  dialect: Dialect;
  /** Where it is, without secrets. */
  location: string;
  connections: readonly CrmConnection[];
  /** Tables that are not there, without which no message can be found under another contact. */
  missingContacts: readonly string[];
  /** Files of its tables that no comparison needs. */
  passedOver: readonly string[];
  /** A row may come twice: in exports that overlap. Its id tells. */
  mayRepeatRows: boolean;
  /** The rows of these connections, a page at a time; of all where files name no connections. */
  rows: (keys: readonly string[]) => AsyncIterable<readonly ReadRow[]>;
  /** Names that the CRM knows to be one person's, besides those in its messages. */
  pairs: () => AsyncIterable<readonly ReadPair[]>;
  close: () => Promise<void>;
}
