import { randomBytes } from 'node:crypto';
import type { CrmName } from '../../crm/crm.js';
import { pruneFormOf, repairFormOf, type ReadFrom } from '../../crm/repair/forms.js';
import type { DoubledRow, LostMessage } from '../../crm/repair/repair.js';
import { DOUBLES, LOST, Script } from '../../crm/repair/script.js';
import type { RepairSink } from './types.js';

export { takesSql } from '../../crm/repair/forms.js';
export { redactUrl } from '../../store/database-url.js';

/** A text file that appears whole or not at all. */
export interface TextFile {
  /** The name as given. */
  path: string;
  write: (text: string) => Promise<void> | void;
}

/** Where a repair is written. */
export type RepairTarget =
  { kind: 'sql'; script: TextFile; undo: TextFile; ids: TextFile } | { kind: 'ndjson'; data: TextFile };

export interface RepairWriter extends RepairSink {
  /** Writes the part after the last message. */
  end: () => Promise<void>;
}

/** The header of the files. */
export interface RepairSubject {
  /** Where the CRM is, without secrets. */
  place: string;
  from: ReadFrom;
  /** Ms since 1970. */
  now: number;
}

/**
 * Writes the lost messages of a comparison: as SQL with an undo file and a list of ids, or as data, one message a line.
 * Throws ConfigError for a CRM without safe SQL.
 */
export async function writeRepair(
  crm: CrmName,
  target: RepairTarget,
  subject: RepairSubject,
): Promise<RepairWriter> {
  if (target.kind === 'ndjson') {
    return {
      minimumAgeMs: 0,
      needsInstance: false,
      isStoredAsText: () => false,
      lost: (message) => target.data.write(`${JSON.stringify(asData(message))}\n`),
      end: () => Promise.resolve(),
    };
  }
  const form = repairFormOf(crm, subject.from);
  const script = new Script(form, LOST, subjectOf(crm, target.undo, subject));
  await target.script.write(script.head());
  const asText = new Map<string, number>();
  return {
    minimumAgeMs: form.minimumAgeMs,
    needsInstance: true,
    isStoredAsText: form.isStoredAsText,
    lost: async (message) => {
      if (form.isStoredAsText(message)) asText.set(message.type, (asText.get(message.type) ?? 0) + 1);
      await target.ids.write(`${message.connection}\t${message.externalId}\n`);
      await target.script.write(script.add(message));
    },
    end: async () => {
      const types = [...asText].map(([type, count]) => `${type} ${count}`).join(', ');
      await target.script.write(
        script.tail(asText.size === 0 ? [] : [`Stored as text, which says what they were: ${types}.`]),
      );
      await target.undo.write(script.undo());
    },
  };
}

export interface PruneWriter {
  doubled: (row: DoubledRow) => Promise<void>;
  /** Writes the part after the last row. */
  end: () => Promise<void>;
}

/** Writes SQL that removes duplicates, and its undo file. Throws ConfigError for a CRM without safe SQL. */
export async function writePrune(
  crm: CrmName,
  target: { script: TextFile; undo: TextFile },
  subject: RepairSubject,
): Promise<PruneWriter> {
  const script = new Script(pruneFormOf(crm, subject.from), DOUBLES, subjectOf(crm, target.undo, subject));
  await target.script.write(script.head());
  return {
    doubled: async (row) => {
      await target.script.write(script.add(row));
    },
    end: async () => {
      await target.script.write(script.tail());
      await target.undo.write(script.undo());
    },
  };
}

function subjectOf(crm: CrmName, undo: TextFile, { place, now }: RepairSubject) {
  return {
    run: randomBytes(6).toString('hex'),
    crm: `${crm} (${place})`,
    undoFile: undo.path,
    madeAt: new Date(now).toISOString(),
  };
}

function asData({ at, ...message }: LostMessage): Record<string, unknown> {
  return { ...message, timestamp: new Date(at).toISOString() };
}
