import type { Header } from '../../archive/format.js';
import type { Backend } from '../../store/store.js';

/** Where the bytes of a backup go: whole, or not at all. */
export interface BackupTarget {
  /** A path without secrets, or `-`. */
  place: string;
  write: (bytes: Uint8Array) => Promise<void>;
  /** All is written: gives the file its name. One that may not restore makes no room for itself. */
  finish: (written: { isDoubtful: boolean }) => Promise<void>;
  /** Leaves no trace. Harmless after `finish`. */
  discard: () => Promise<void>;
}

/** A backup that can be read several times, from its beginning; decrypted. */
export interface BackupSource {
  place: string;
  /** Of the file, for the progress. */
  size: number;
  isEncrypted: boolean;
  open: () => AsyncIterable<Uint8Array>;
}

export interface TableFigures {
  table: string;
  rows: number;
  parts: number;
  /** Compressed, as in the file. */
  bytes: number;
}

interface Figures {
  schemaVersion: 1;
  /** The file; `-` is a stream. */
  file: string;
  /** Of the file. */
  bytes: number;
  rows: number;
  tables: TableFigures[];
  encrypted: boolean;
  /** What the file says of itself. */
  format: number;
  toolVersion: string;
  /** The newest migration of the database that it was made of. */
  schema: string;
  createdAt: string;
  scope: Header['scope'] | null;
}

export interface BackupResult extends Figures {
  command: 'backup';
  database: string;
  backend: Backend;
  /** Files that messages name and `media fetch` has kept: they are on disk, and not in the backup. */
  mediaFiles: number;
  /** Rows that only the secret key of this database opens. */
  sealedRows: number;
  /** Unique indexes, foreign keys and checks that the tables lack: the rows may break them, and the copy may not restore then. */
  lacking: string[];
  /** Of a directory: the older backups that gave way. */
  removed: string[];
  /** Of a directory: those with a later time in their names than this one. */
  later: string[];
  /** Of a directory: unfinished files of backups that were killed. They were removed. */
  abandoned: string[];
}

export interface CheckResult extends Figures {
  command: 'backup --check';
  sealedRows: number;
}

export interface RestoreResult extends Figures {
  command: 'restore';
  database: string;
  backend: Backend;
  sealedRows: number;
  /** Migrations that brought the restored rows up to this version. */
  migrated: string[];
}
