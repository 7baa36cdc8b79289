import type { TokenResult } from '../../commands/graph/token.js';
import type { RekeyResult } from '../../commands/rekey/rekey.js';
import { remedy } from '../../model/remedy.js';
import type { Presentation } from '../ui/presentation.js';
import { formatAmount } from '../ui/quantities.js';

const WORDS: Readonly<Record<TokenResult['action'], string>> = {
  stored: 'Access token stored, encrypted',
  replaced: 'Access token replaced, encrypted',
  removed: 'Access token removed',
  unchanged: 'There was no access token to remove',
};

export function presentToken(result: TokenResult): Presentation {
  const { connection, action } = result;
  const isThere = action === 'stored' || action === 'replaced';
  return {
    json: result,
    lines: [result],
    csv: {
      columns: ['connection_id', 'connection', 'action'],
      rows: [[connection.id, connection.name, action]],
    },
    document: {
      verdict: {
        mark: action === 'unchanged' ? 'note' : 'good',
        text: `${WORDS[action]}: ${connection.name}.`,
        ...(action === 'removed'
          ? { remarks: ['It stays valid at Meta until it is revoked there or expires.'] }
          : {}),
      },
      blocks: [],
      ...(isThere
        ? {
            next: [remedy('connection check', [connection.name], 'asks Meta what it allows, and until when')],
          }
        : {}),
    },
  };
}

export function presentRekey(result: RekeyResult): Presentation {
  const { tokens, devices, comparisons, files, erased } = result;
  return {
    json: result,
    lines: [result],
    csv: {
      columns: ['tokens', 'devices', 'comparisons', 'files', 'erased'],
      rows: [[tokens, devices, comparisons, files, erased]],
    },
    isNews: true,
    document: {
      verdict: {
        mark: 'good',
        text: `Everything is under the new secret key: ${formatAmount(tokens, 'token')}, ${formatAmount(devices, 'linked device')}, ${formatAmount(comparisons, 'saved URL')}${erased === 0 ? '' : ', the key of erased people’s names'} taken over.`,
        remarks: [
          'Set WA_RECONCILE_SECRET_KEY to it from now on.',
          ...(devices === 0
            ? []
            : [
                'A linked device keeps the key of its own rows, now under the new one. Where others may know the old key, unlink the device and link again.',
              ]),
        ],
      },
      blocks: [],
    },
  };
}
