import { UserError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import { violatedConstraint } from '../../store/sql-state.js';

/**
 * What the database would not take back, as an error that says why and what to do. Undefined for every other error.
 * An index that came after the run: doubles cannot come back where they are forbidden.
 */
export function refusedByDatabase(error: unknown, force: boolean): UserError | undefined {
  const violated = violatedConstraint(error);
  if (violated === undefined) return undefined;
  const { kind, name } = violated;
  if (name === 'webhook_log_connection_scope_sha256_key') {
    return new UserError('Some of the raw entries were stored again since; nothing was changed.', {
      code: 'stored_again',
      remedy:
        'A replay of the same files stores the others again as well. To undo the discard itself, discard the new entries first.',
      cause: error,
    });
  }
  if (kind === 'unique') {
    return new UserError(
      `The unique index ${name} does not allow the rows as they were before; nothing was changed.`,
      {
        code: 'index_in_the_way',
        remedy: [
          `If it was made after that run and the duplicates are to come back: drop index ${name}; then undo again.`,
          remedy('verify', ['--enforce'], 'makes the index again later; until then verify misses it'),
        ],
        cause: error,
      },
    );
  }
  return new UserError(
    `The rows cannot be put back as they were: ${name} is in the way, because rows that they belong to were touched since; nothing was changed.`,
    {
      code: 'touched_since',
      remedy: force
        ? 'Undo the later runs first, the newest first.'
        : 'Undo the later runs first, the newest first; --force puts back what still can be.',
      cause: error,
    },
  );
}
