import type { CrmConnection, CrmRow, Dialect } from './crm.js';

/** An open CRM: a database or files. */
export interface CrmSource {
  dialect: Dialect;
  /** Where it is, without secrets. */
  location: string;
  connections: readonly CrmConnection[];
  /** The rows of these connections, a page at a time; of all where files name no connections. */
  rows: (keys: readonly string[]) => AsyncIterable<readonly CrmRow[]>;
  close: () => Promise<void>;
}
