import type { IdentityRow } from '../../store/persons.js';
import type { StoredIdentity } from './persons.js';

/** What is known under one name of a person, from its row; flat there, in dated values here. */
export function storedIdentity(row: IdentityRow): StoredIdentity {
  const dated = <T extends string>(value: T | null, at: number | null): { value: T; at: number } | null =>
    value === null || at === null ? null : { value, at };
  return {
    kind: row.kind,
    value: row.value,
    personId: row.personId,
    leadId: row.leadId,
    evidence: {
      firstSeenAt: row.firstSeenAt,
      profileName: dated(row.profileName, row.profileNameAt),
      username: dated(row.username, row.usernameAt),
      bookName: dated(row.bookName, row.bookNameAt),
      bookState: dated(row.bookState, row.bookStateAt),
      bookFirstAt: row.bookFirstAt,
      liveFirstAt: row.liveFirstAt,
    },
  };
}
