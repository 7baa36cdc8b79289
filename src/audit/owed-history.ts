import { amount } from '../model/amount.js';
import type { OwedHistory } from '../store/tables/history.js';

/** What the phone of a linked device has and did not bring: files that it announced, parts that its answers left out. */
export function owedHistoryWords({
  files,
  gaps,
  error,
}: Pick<OwedHistory, 'files' | 'gaps' | 'error'>): string {
  const reason = error === null ? '' : ` (${error})`;
  const parts = [
    ...(files === 0 ? [] : [`${amount(files, 'file')} of history could not be downloaded${reason}`]),
    ...(gaps === 0 ? [] : [`${amount(gaps, 'part')} of chats may be missing`]),
  ];
  return parts.join('; ');
}
