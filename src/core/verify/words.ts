/** `2026-11-03`. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** The command that shows where one message came from. An id that a shell would read otherwise is left to the reader. */
export function explainCommand(externalId: string | null): string {
  const isPlain = externalId !== null && /^\w[\w@%+=:,./~-]*$/.test(externalId);
  return `wa-reconcile explain ${isPlain ? externalId : 'ID'}`;
}

export const DEDUPE_COMMAND = 'wa-reconcile dedupe --apply';
export const ENFORCE_COMMAND = 'wa-reconcile verify --enforce';

/** The first few ids of rows: a group can have thousands. */
export function listRows(ids: readonly string[]): string {
  const shown = ids.slice(0, 3);
  return `rows ${shown.join(', ')}${ids.length > shown.length ? ', …' : ''}`;
}
