import { remedy, type Remedy } from '../../model/remedy.js';
import type { ImportResult } from './result.js';

/** What helps after an import, the most useful first. */
export function adviseImport(result: Omit<ImportResult, 'remedies'>): Remedy[] {
  const { contact, fetch } = result;
  const remedies = adviseOutcome(result);
  const others = fetch.pages.reduce((sum, page) => sum + page.ofOthers, 0);
  if (fetch.gaps.some(({ filled }) => !filled))
    remedies.unshift(
      remedy(
        'import',
        [contact.typed, '--phase', 'fetch', '--force'],
        'asks again for what the answer left out',
      ),
    );
  if (others > 0)
    remedies.push(remedy('replay', [], 'brings in the messages of other people that came with the answer'));
  return remedies;
}

function adviseOutcome({ outcome, connection, contact, dryRun }: Omit<ImportResult, 'remedies'>): Remedy[] {
  switch (outcome) {
    case 'not_linked':
    case 'logged_out':
      return connection === null || connection.kind === 'cloud_api'
        ? []
        : [remedy('link', ['--connection', connection.name], 'links the phone; then import again')];
    case 'cache':
      return dryRun
        ? []
        : [
            remedy(
              'import',
              [contact.typed, '--phase', 'fetch'],
              'asks the phone for what is older than that',
            ),
          ];
    case 'fetched':
      return [
        remedy(
          'import',
          [contact.typed, '--phase', 'fetch', '--pages', '10', '--force'],
          'goes further back; without --force only after five minutes',
        ),
      ];
    case 'silent':
    case 'download_failed':
      return [
        remedy(
          'import',
          [contact.typed, '--phase', 'fetch', '--force'],
          'asks again at once; without --force only after five minutes',
        ),
      ];
    case 'throttled':
      return [remedy('import', [contact.typed, '--force'], 'asks all the same')];
    case 'no_anchor':
      return [remedy('explain', [contact.typed], 'says what is known about this contact')];
    case 'end_of_history':
    case 'empty':
    case 'conflict':
    case 'offline':
    case 'interrupted':
    case 'would_fetch':
      return [];
  }
}
