import { IDENTITY_KINDS, type IdentityKind } from '../model/enumerations.js';
import type { Identities } from '../model/facts.js';
import { smaller } from './merge-values.js';

/** One name of a person, as a row of lead_identities is keyed (within one organization). */
export interface IdentityNode {
  kind: IdentityKind;
  value: string;
}

/** A value with the event time that ranks it: the newer wins, a tie goes to the larger value. */
export interface Dated<T> {
  value: T;
  at: number;
}

/**
 * Facts about a person under one identity. Every part is a register that merges in any order, so the lead, a projection
 * of its identities' evidence, is order-independent too (rules I3, I5, I6).
 */
export interface IdentityEvidence {
  firstSeenAt: number | null;
  profileName: Dated<string> | null;
  username: Dated<string> | null;
  bookName: Dated<string> | null;
  bookState: Dated<'added' | 'removed'> | null;
  /** The earliest address-book entry: evidence for the lead's source. */
  bookFirstAt: number | null;
  /** The earliest live event other than a message (a reaction). */
  liveFirstAt: number | null;
}

export function noEvidence(): IdentityEvidence {
  return {
    firstSeenAt: null,
    profileName: null,
    username: null,
    bookName: null,
    bookState: null,
    bookFirstAt: null,
    liveFirstAt: null,
  };
}

/** Merges `other` into `mine`; returns whether anything changed. */
export function absorbEvidence(mine: IdentityEvidence, other: Partial<IdentityEvidence>): boolean {
  const before = { ...mine };
  mine.firstSeenAt = smaller(mine.firstSeenAt, other.firstSeenAt ?? null);
  mine.profileName = newer(mine.profileName, other.profileName ?? null);
  mine.username = newer(mine.username, other.username ?? null);
  mine.bookName = newer(mine.bookName, other.bookName ?? null);
  mine.bookState = newerState(mine.bookState, other.bookState ?? null);
  mine.bookFirstAt = smaller(mine.bookFirstAt, other.bookFirstAt ?? null);
  mine.liveFirstAt = smaller(mine.liveFirstAt, other.liveFirstAt ?? null);
  return (
    before.firstSeenAt !== mine.firstSeenAt ||
    before.profileName !== mine.profileName ||
    before.username !== mine.username ||
    before.bookName !== mine.bookName ||
    before.bookState !== mine.bookState ||
    before.bookFirstAt !== mine.bookFirstAt ||
    before.liveFirstAt !== mine.liveFirstAt
  );
}

/** The newer of two dated values; `a` itself if `b` is no better, so that callers can compare by reference. */
export function newer<T extends string>(a: Dated<T> | null, b: Dated<T> | null): Dated<T> | null {
  if (b === null) return a;
  if (a === null) return b;
  return b.at > a.at || (b.at === a.at && b.value > a.value) ? b : a;
}

/** Added and removed in the same second: the contact exists (WhatsApp sends an edit as remove and add). */
export function newerState(
  a: Dated<'added' | 'removed'> | null,
  b: Dated<'added' | 'removed'> | null,
): Dated<'added' | 'removed'> | null {
  if (b === null) return a;
  if (a === null) return b;
  return b.at > a.at || (b.at === a.at && b.value === 'added' && a.value === 'removed') ? b : a;
}

/** What the address book last said of a person. */
export function bookStateOf(
  identities: readonly { evidence: IdentityEvidence }[],
): Dated<'added' | 'removed'> | null {
  return identities.reduce<Dated<'added' | 'removed'> | null>(
    (last, { evidence }) => newerState(last, evidence.bookState),
    null,
  );
}

/** The identities as nodes, strongest first: evidence is kept under the first one. */
export function nodesOf(identities: Identities): IdentityNode[] {
  const nodes: IdentityNode[] = [];
  if (identities.phone !== undefined) nodes.push({ kind: 'phone', value: identities.phone });
  if (identities.lid !== undefined) nodes.push({ kind: 'lid', value: identities.lid });
  for (const bsuid of identities.bsuids ?? []) nodes.push({ kind: 'bsuid', value: bsuid });
  if (identities.waId !== undefined) nodes.push({ kind: 'wa_id', value: identities.waId });
  return nodes;
}

export function nodeKey(node: IdentityNode): string {
  return `${node.kind}:${node.value}`;
}

export function compareNodes(a: IdentityNode, b: IdentityNode): number {
  if (a.kind !== b.kind) return IDENTITY_KINDS.indexOf(a.kind) - IDENTITY_KINDS.indexOf(b.kind);
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
}
