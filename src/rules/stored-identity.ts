import type { IdentityRow } from '../store/tables/leads.js';
import type { IdentityEvidence, IdentityNode } from './identity-evidence.js';
import type { StoredIdentity } from './people.js';

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

/** Its inverse: the row of one name of `person`. */
export function identityRow(
  identity: IdentityNode & { evidence: IdentityEvidence },
  person: { id: string; isLead: boolean },
): IdentityRow {
  const { evidence } = identity;
  return {
    kind: identity.kind,
    value: identity.value,
    personId: person.id,
    leadId: person.isLead ? person.id : null,
    firstSeenAt: evidence.firstSeenAt,
    profileName: evidence.profileName?.value ?? null,
    profileNameAt: evidence.profileName?.at ?? null,
    username: evidence.username?.value ?? null,
    usernameAt: evidence.username?.at ?? null,
    bookName: evidence.bookName?.value ?? null,
    bookNameAt: evidence.bookName?.at ?? null,
    bookState: evidence.bookState?.value ?? null,
    bookStateAt: evidence.bookState?.at ?? null,
    bookFirstAt: evidence.bookFirstAt,
    liveFirstAt: evidence.liveFirstAt,
  };
}
