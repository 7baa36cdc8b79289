import type { UserError } from '../model/errors.js';

export function translateDatabaseError(_error: unknown, _location: string): UserError | undefined {
  return undefined;
}
