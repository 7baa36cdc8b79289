import { faint, type Line } from '../ui/document.js';

/** `syncing 42%`, `completed`, `pending consent`. */
export function historyWords(state: { status: string; progress: number | null }): string {
  const words = state.status.replaceAll('_', ' ');
  return state.status === 'syncing' && state.progress !== null ? `${words} ${state.progress}%` : words;
}

/** Where the data is; the embedded database is a directory. */
export function databaseLine(database: string): Line {
  return /^postgres/.test(database) ? database : [database, faint(' (embedded)')];
}
