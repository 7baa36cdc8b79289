import { remedy, type Remedy } from '../../model/remedy.js';

/** `2026-11-03`. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Shows where one message came from: what a person has to decide by. */
export function explainRemedy(subject: string | null): Remedy | null {
  return subject === null ? null : remedy('explain', [subject], 'shows what to decide by');
}

export const DEDUPE_REMEDY = remedy('dedupe', ['--apply'], 'merges the copies');
export const ENFORCE_REMEDY = remedy(
  'verify',
  ['--enforce'],
  'makes the indexes and sets derived values right',
);
export const REPLAY_ALL_REMEDY = remedy('replay', ['--all'], 'brings back everything that the raw log holds');

/** Stores a log once more, which gives the raw log back what it lost. */
export function replayFileRemedy(file: string | null): Remedy {
  const path = file ?? 'FILE';
  const args = path.startsWith('-') ? ['--', path] : [path];
  return remedy('replay', args, 'stores the lost entries again and links their messages to them');
}

/** The first few ids of rows: a group can have thousands. */
export function listRows(ids: readonly string[]): string {
  const shown = ids.slice(0, 3);
  return `rows ${shown.join(', ')}${ids.length > shown.length ? ', …' : ''}`;
}
