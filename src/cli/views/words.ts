import type { HistorySyncStatus } from '../../model/enumerations.js';
import { adviceList, isRemedy, type Advices, type Remedy } from '../../model/remedy.js';
import { faint, type Line } from '../ui/document.js';
import { formatAmount } from '../ui/quantities.js';

/** `syncing 42%`, `completed`, `pending consent`; `incomplete, 1 file missing` where a file of it did not arrive. */
export function historyWords(state: {
  status: HistorySyncStatus;
  progress: number | null;
  missingFiles?: number;
}): string {
  const { status, progress, missingFiles = 0 } = state;
  const words = status.replaceAll('_', ' ');
  if (missingFiles > 0) {
    const isOver = status === 'completed' || status === 'not_supported';
    return `${isOver ? 'incomplete' : words}, ${formatAmount(missingFiles, 'file')} missing`;
  }
  return status === 'syncing' && progress !== null ? `${words} ${progress}%` : words;
}

/**
 * The only source of a message stored by `compare --adopt`, by its entry's provider: `evolution`, `an exported chat`.
 */
export function onlyWitness(provider: string): string {
  return provider === 'crm:chat-export' ? 'an exported chat' : provider.replace(/^crm:/, '');
}

/** Where the data is; the embedded database is a directory. */
export function databaseLine(database: string): Line {
  return /^postgres/.test(database) ? database : [database, faint(' (embedded)')];
}

const STEPS_SHOWN = 3;

/** The first few commands of what was found, each once. */
export function firstSteps(advices: readonly (Advices | null)[]): Remedy[] {
  const steps = advices.flatMap(adviceList).filter((advice) => isRemedy(advice));
  const distinct = new Map(steps.map((step) => [JSON.stringify([step.command, step.args]), step]));
  return [...distinct.values()].slice(0, STEPS_SHOWN);
}
