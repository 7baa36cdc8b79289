import type { JidKind } from '../../identity/jid.js';
import type { IncludableChat } from '../../model/enumerations.js';
import type { RejectedFact, RejectReason, SkippedFact, SkipReason, Subject } from '../../model/facts.js';
import type { JsonValue } from '../../model/json.js';
import { excerptOf } from '../read.js';

export function skipped(subject: Subject, reason: SkipReason, path: string): SkippedFact {
  return { kind: 'skipped', path, subject, reason };
}

export function rejected(
  subject: Subject,
  reason: RejectReason,
  path: string,
  element: JsonValue,
): RejectedFact {
  return { kind: 'rejected', path, subject, reason, excerpt: excerptOf(element) };
}

/**
 * Why a chat is skipped (rule M6); undefined for a conversation, for a chat that `--include` names, and for an unknown
 * address.
 */
export function skippedChat(kind: JidKind, include: ReadonlySet<IncludableChat>): SkipReason | undefined {
  switch (kind) {
    case 'group':
    case 'status_broadcast':
    case 'broadcast':
    case 'newsletter':
      return include.has(kind) ? undefined : kind;
    case 'official':
      return 'official_account';
    case 'user':
    case 'lid':
    case 'unknown':
      return undefined;
  }
}
