import type { TokenResult } from '../../commands/graph/token.js';
import { remedy } from '../../model/remedy.js';
import type { Presentation } from '../ui/presentation.js';

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
