/**
 * The product's words, once. TypeScript, SQL (check constraints), flags, JSON and the README have the same spelling; a
 * migration test compares the lists with the database's checks.
 *
 * Glossary
 * - connection: one WhatsApp number of the business, however its messages come.
 * - lead: a contact of an organization; known by identities (phone, wa_id, LID, BSUID).
 * - person: the owner of one or more identities, whether or not it is a lead yet.
 * - raw entry: one stored webhook body or Baileys event, byte for byte.
 * - fact: one thing that a raw entry says.
 * - evidence: the basis of a stored value; better evidence replaces worse, never the other way round.
 */
export const CONNECTION_KINDS = ['coexistence', 'cloud_api', 'baileys'] as const;
export type ConnectionKind = (typeof CONNECTION_KINDS)[number];

export const IDENTITY_KINDS = ['phone', 'wa_id', 'lid', 'bsuid'] as const;
export type IdentityKind = (typeof IDENTITY_KINDS)[number];

export const DIRECTIONS = ['INBOUND', 'OUTBOUND'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** From the least to the best evidence about a message (rule M2). */
export const MESSAGE_SOURCES = ['app_echo', 'history', 'live'] as const;
export type MessageSource = (typeof MESSAGE_SOURCES)[number];

/** How the row came into the database. From the least to the most telling. */
export const SYNC_SOURCES = ['batch_recover', 'manual_sync', 'webhook'] as const;
export type SyncSource = (typeof SYNC_SOURCES)[number];

/** Rule M3, as one ladder: a status never steps down. `failed` beats pending and sent only. */
export const MESSAGE_STATUSES = ['pending', 'sent', 'failed', 'delivered', 'read', 'played'] as const;
export type MessageStatus = (typeof MESSAGE_STATUSES)[number];

/** From the first to the last in a tie of event times (rule I6). `direct_creation` is written by other programs only. */
export const LEAD_SOURCES = ['direct_creation', 'live_message', 'history_sync', 'state_sync'] as const;
export type LeadSource = (typeof LEAD_SOURCES)[number];

export const TICKET_SOURCES = ['incoming_message', 'api', 'manual'] as const;
export type TicketSource = (typeof TICKET_SOURCES)[number];

export const TICKET_ORIGINS = ['new_contact', 'history_lead', 'existing'] as const;
export type TicketOrigin = (typeof TICKET_ORIGINS)[number];

export const TICKET_STATUSES = ['open', 'closed'] as const;
export type TicketStatus = (typeof TICKET_STATUSES)[number];

/** From the weakest to the strongest: the state of a connection's history never steps back (rule H2). */
export const HISTORY_SYNC_STATUSES = [
  'not_supported',
  'pending_consent',
  'pending_history',
  'syncing',
  'failed',
  'declined',
  'completed',
] as const;
export type HistorySyncStatus = (typeof HISTORY_SYNC_STATUSES)[number];

export const ENTRY_STATUSES = [
  'pending',
  'processed',
  'partial',
  'failed',
  'unrecognized',
  'ignored',
] as const;
export type EntryStatus = (typeof ENTRY_STATUSES)[number];

/**
 * What became of a raw entry's body on purpose. `pruned` (retention) and `erased` (a person's request): it is empty; `redacted`: it
 * lacks what was about an erased person.
 */
export const BODY_STATES = ['pruned', 'erased', 'redacted'] as const;
export type BodyState = (typeof BODY_STATES)[number];

/**
 * What an entry is, for retention: the chats that rule M6 left out of it, if it has nothing else; `processed` for everything else
 * that was applied as a whole, also for such chats that `--include` brought in: these are messages, and the default must not empty the
 * bodies that prove them.
 */
export const PRUNE_CLASSES = ['status', 'group', 'newsletter', 'broadcast', 'processed'] as const;
export type PruneClass = (typeof PRUNE_CLASSES)[number];

/** The CRMs whose tables this tool reads; `table` is any database or file with seven named columns. */
export const CRM_NAMES = ['evolution', 'chatwoot', 'ticketz', 'whaticket', 'whatrack', 'table'] as const;
export type CrmName = (typeof CRM_NAMES)[number];

/**
 * What a message is in a comparison. Of ours: `same`, `lost` (in the log, not in the CRM), `not_kept_by_design`, `differs`,
 * `other_contact` (the same id under another person). Of the CRM's rows: the same, `only_in_crm`, `doubled` (further rows of one
 * message), `without_id`.
 */
export const COMPARISON_CLASSES = [
  'same',
  'lost',
  'not_kept_by_design',
  'only_in_crm',
  'differs',
  'other_contact',
  'doubled',
  'without_id',
] as const;
export type ComparisonClass = (typeof COMPARISON_CLASSES)[number];
export type ComparisonCounts = Record<ComparisonClass, number>;

/**
 * Where a raw entry came from: `crm:…` is a row of a CRM, or a line of a chat that a phone has exported, with a message which the
 * log lacks (`compare --adopt`).
 */
export const PROVIDERS = [
  'meta',
  'baileys',
  'crm:evolution',
  'crm:chatwoot',
  'crm:ticketz',
  'crm:whaticket',
  'crm:whatrack',
  'crm:table',
  'crm:chat-export',
] as const satisfies readonly ('meta' | 'baileys' | `crm:${CrmName | 'chat-export'}`)[];
export type Provider = (typeof PROVIDERS)[number];

export const RUN_STATUSES = ['running', 'completed', 'partial', 'failed', 'interrupted'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const SYNC_TYPES = ['initial_contact', 'manual_recovery', 'batch'] as const;
export type SyncType = (typeof SYNC_TYPES)[number];

export const PENDING_FACT_KINDS = ['status', 'edit', 'revoke', 'reaction'] as const;
export type PendingFactKind = (typeof PENDING_FACT_KINDS)[number];

/** Chats that are no one-to-one conversation; skipped and counted unless `--include` names them (rule M6). */
export const INCLUDABLE_CHATS = ['group', 'status_broadcast', 'broadcast', 'newsletter'] as const;
export type IncludableChat = (typeof INCLUDABLE_CHATS)[number];

/**
 * How bad a finding is, the worst first. `loss`: a message is missing, duplicated or different, a raw entry is gone or
 * altered, an item was rejected or cannot be read. `degraded`: something expected does not arrive. `note`: for
 * information, nothing to do.
 */
export const SEVERITIES = ['loss', 'degraded', 'note'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Orders by severity, the worst first: `alerts.sort((a, b) => compareSeverity(a.severity, b.severity))`. */
export function compareSeverity(a: Severity, b: Severity): number {
  return SEVERITIES.indexOf(a) - SEVERITIES.indexOf(b);
}

/** Whether a severity is as bad as `threshold`, or worse. */
export function isAtLeast(severity: Severity, threshold: Severity): boolean {
  return compareSeverity(severity, threshold) <= 0;
}

/** Rule V2: green means that nothing is lost or degraded. */
export function isGreen(severity: Severity | null): boolean {
  return severity === null || !isAtLeast(severity, 'degraded');
}

/** The worst of them; null where there are none. */
export function worstSeverity(severities: readonly Severity[]): Severity | null {
  return SEVERITIES.find((severity) => severities.includes(severity)) ?? null;
}

/** What Meta can be asked to send of a number's past, in the order in which it is asked: contacts, then messages. */
export const SMB_SYNC_TYPES = ['smb_app_state_sync', 'history'] as const;
export type SmbSyncType = (typeof SMB_SYNC_TYPES)[number];

/**
 * The state of this request. `sent`: it is in flight, or its sender died. `unknown`: no answer came, so Meta may have
 * accepted it.
 */
export const REQUEST_OUTCOMES = ['sent', 'accepted', 'refused', 'unknown'] as const;
export type RequestOutcome = (typeof REQUEST_OUTCOMES)[number];

/**
 * The state of a file named in a message by Meta's id. `owed`: not fetched yet; `denied`: Meta refuses it; `mismatch`:
 * it does not match its announcement.
 */
export const MEDIA_STATES = ['owed', 'fetched', 'expired', 'denied', 'mismatch'] as const;
export type MediaState = (typeof MEDIA_STATES)[number];

/** Where a connection's history stands before anything came of it. */
export function initialHistoryStatus(kind: ConnectionKind): HistorySyncStatus {
  switch (kind) {
    case 'cloud_api':
      return 'not_supported';
    case 'coexistence':
      return 'pending_consent';
    case 'baileys':
      return 'pending_history';
  }
}
