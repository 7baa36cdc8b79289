import type { SecretKey } from '../devices/secret-key.js';
import type { TableRows } from '../../store/queries/erasure.js';
import type { ErasedBodies } from './erase-bodies.js';
import type { NamedIdentity } from './find-person.js';

/** Whom `erase --apply` erases. The caller holds the exclusive lock, and somebody has confirmed it. */
export interface EraseOptions {
  contact: string;
  /** Seals the key of what is left of the person's names. */
  secretKey: SecretKey | null;
  /** Messages that are removed in one transaction. */
  batchSize: number;
  /** Once the person is erased, our tables are written anew, so that the deleted rows leave their files. */
  vacuum?: boolean;
}

/** The JSON of `erase`, `schemaVersion` 1; fields are only ever added. */
export interface EraseResult {
  schemaVersion: 1;
  command: 'erase';
  action: 'planned' | 'erased' | 'allowed';
  /** Null if nothing changed. */
  runId: string | null;
  /** `interrupted`: the same command goes on. */
  status: 'completed' | 'interrupted';
  /** All identities of the person. Empty after the erasure. */
  identities: NamedIdentity[];
  /** Rows that would go, or are gone, in earlier runs as well. */
  tables: TableRows[];
  /** The same of the raw log. Null for `--allow`. */
  bodies: ErasedBodies | null;
  /** What no command reaches. */
  outOfReach: readonly string[];
  /** Whether the deleted rows have left the files of our tables. */
  vacuumed: boolean;
  /** People of whom it is forgotten that they were erased. */
  allowed: number;
  database: string;
}
