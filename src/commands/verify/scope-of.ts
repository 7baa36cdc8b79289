import type { Scope } from '../../store/checks/scope.js';
import type { VerifyView } from './check.js';

/** What the queries of a check are narrowed to. */
export function scopeOf(view: VerifyView): Scope {
  return {
    connectionIds: view.restricted ? view.connections.map(({ id }) => id) : null,
    since: view.since,
  };
}
