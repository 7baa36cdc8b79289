import { randomBytes } from 'node:crypto';
import type { CrmName } from '../../crm/crm.js';
import { repairFormOf } from '../../crm/repair/forms.js';
import type { LostMessage } from '../../crm/repair/repair.js';
import { RepairScript } from '../../crm/repair/script.js';
import type { RepairSink } from './types.js';

/** A text file that appears whole or not at all. */
export interface TextFile {
  /** As it was named. */
  path: string;
  write: (text: string) => Promise<void> | void;
}

/** Where a repair goes. */
export type RepairTarget =
  { kind: 'sql'; script: TextFile; undo: TextFile; ids: TextFile } | { kind: 'ndjson'; data: TextFile };

export interface RepairWriter extends RepairSink {
  /** Writes what comes after the last message. */
  end: () => Promise<void>;
}

/**
 * Writes the lost messages of a comparison: as SQL with its undo file and the list of the ids in it, or as data, one message a
 * line. Throws ConfigError for a CRM that has no safe SQL.
 */
export async function writeRepair(
  crm: CrmName,
  target: RepairTarget,
  { place, now }: { /** Where the CRM is, without secrets. */ place: string; now: number },
): Promise<RepairWriter> {
  if (target.kind === 'ndjson') {
    return {
      minimumAgeMs: 0,
      lost: (message) => target.data.write(`${JSON.stringify(asData(message))}\n`),
      end: () => Promise.resolve(),
    };
  }
  const form = repairFormOf(crm);
  const script = new RepairScript(form, {
    run: randomBytes(6).toString('hex'),
    crm: `${crm} (${place})`,
    undoFile: target.undo.path,
    madeAt: new Date(now).toISOString(),
  });
  await target.script.write(script.head());
  return {
    minimumAgeMs: form.minimumAgeMs,
    lost: async (message) => {
      await target.ids.write(`${message.connection}\t${message.externalId}\n`);
      const text = script.add(message);
      if (text !== '') await target.script.write(text);
    },
    end: async () => {
      await target.script.write(script.tail());
      await target.undo.write(script.undo());
    },
  };
}

function asData({ at, ...message }: LostMessage): Record<string, unknown> {
  return { ...message, timestamp: new Date(at).toISOString() };
}

export { redactUrl } from '../../store/database-url.js';
