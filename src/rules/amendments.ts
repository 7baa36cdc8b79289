import { createHash } from 'node:crypto';
import { MESSAGE_STATUSES, type MessageStatus, type PendingFactKind } from '../model/enumerations.js';
import type {
  EditFact,
  MessageContent,
  MessageError,
  ReactionFact,
  RevokeFact,
  StatusFact,
} from '../model/facts.js';
import type { JsonObject } from '../model/json.js';
import { errorsOf, mediaOf } from '../model/stored-content.js';
import type { PendingFactRow, ReactionRow } from '../store/tables/amendments.js';
import { keyOf, type TrackedMessage } from './message-book.js';
import { textOfErrors } from './merge-values.js';
import { absorbEdit, absorbRevoke, absorbStatus, type MessageState } from './message-state.js';

/** Webhooks arrive in any order, but within minutes: after a day, an update's message is not late but missing. */
export const OVERDUE_MS = 24 * 60 * 60 * 1000;

/** A fact that changes a message instead of making one (rules M3, M5). */
export type Amendment = StatusFact | EditFact | RevokeFact | ReactionFact;

/** An amendment in the form stored in pending_facts. */
export type AmendmentPayload =
  | { kind: 'status'; at: number; status: MessageStatus; errors?: readonly MessageError[] }
  | { kind: 'edit'; at: number; editId: string; content: MessageContent }
  | { kind: 'revoke'; at: number }
  | { kind: 'reaction'; at: number; reactor: string; emoji: string | null };

export function payloadOf(fact: Amendment): AmendmentPayload {
  switch (fact.kind) {
    case 'status':
      return {
        kind: 'status',
        at: fact.at,
        status: fact.status,
        ...(fact.errors === undefined ? {} : { errors: fact.errors }),
      };
    case 'edit':
      return { kind: 'edit', at: fact.at, editId: fact.editId, content: fact.content };
    case 'revoke':
      return { kind: 'revoke', at: fact.at };
    case 'reaction':
      return { kind: 'reaction', at: fact.at, reactor: fact.reactor, emoji: fact.emoji };
  }
}

/**
 * The reactions to a batch's messages: the latest wins, at equal times the larger emoji; a removal stays as a row without
 * emoji.
 */
export class ReactionBook {
  private readonly rows = new Map<string, ReactionRow>();
  private readonly written = new Map<string, ReactionRow>();

  constructor(rows: readonly ReactionRow[]) {
    this.load(rows);
  }

  /** Adds stored reactions; the batch's own values stay. */
  load(rows: readonly ReactionRow[]): void {
    for (const row of rows) if (!this.rows.has(reactionKey(row))) this.rows.set(reactionKey(row), row);
  }

  absorb(row: ReactionRow): boolean {
    const key = reactionKey(row);
    const known = this.rows.get(key);
    if (known !== undefined && !isLater(row, known)) return false;
    this.rows.set(key, row);
    this.written.set(key, row);
    return true;
  }

  /** This reactor's current reaction to the message. */
  get(key: Pick<ReactionRow, 'connectionId' | 'targetExternalId' | 'reactor'>): ReactionRow | null {
    return this.rows.get(reactionKey(key)) ?? null;
  }

  all(): ReactionRow[] {
    return [...this.rows.values()];
  }

  changes(): ReactionRow[] {
    return [...this.written.values()];
  }
}

/** Applies an amendment to its message; returns whether it changed anything. */
export function applyAmendment(
  payload: AmendmentPayload,
  tracked: TrackedMessage,
  reactions: ReactionBook,
): boolean {
  const changed = amendState(payload, tracked.state, reactions);
  if (changed && payload.kind !== 'reaction') tracked.changed = true;
  return changed;
}

/**
 * Whether a stored reaction differs at the same moment: of two the larger wins, so either the log holds both, or the
 * row was changed. At different moments the later wins, and the earlier one is no contradiction.
 */
export function contradictsReaction(
  { reactor, emoji, at }: Extract<AmendmentPayload, { kind: 'reaction' }>,
  { connectionId, externalId: targetExternalId }: Pick<MessageState, 'connectionId' | 'externalId'>,
  reactions: ReactionBook,
): boolean {
  const known = reactions.get({ connectionId, targetExternalId, reactor });
  return known?.at === at && known.emoji !== emoji;
}

/** The same for a state outside a batch. */
export function amendState(payload: AmendmentPayload, state: MessageState, reactions: ReactionBook): boolean {
  switch (payload.kind) {
    case 'status':
      return absorbStatus(state, payload);
    case 'edit':
      return absorbEdit(state, payload.editId, {
        at: payload.at,
        content: withoutEmptyMedia(payload.content),
      });
    case 'revoke':
      return absorbRevoke(state, payload.at);
    case 'reaction':
      return reactions.absorb({
        connectionId: state.connectionId,
        targetExternalId: state.externalId,
        reactor: payload.reactor,
        emoji: payload.emoji,
        at: payload.at,
      });
  }
}

/** Media without an id name no new file: the edit changes the caption and keeps the picture. */
function withoutEmptyMedia({ media, ...rest }: MessageContent): MessageContent {
  return media?.id === undefined ? rest : { ...rest, media };
}

/** The row that keeps an amendment until its message arrives; equal amendments give equal rows. */
export function pendingRow(
  payload: AmendmentPayload,
  target: { connectionId: string; externalId: string; webhookLogId: string | null },
): PendingFactRow {
  const base = {
    connectionId: target.connectionId,
    targetExternalId: target.externalId,
    at: payload.at,
    webhookLogId: target.webhookLogId,
  };
  switch (payload.kind) {
    case 'status':
      return {
        ...base,
        kind: 'status',
        factKey: [payload.status, payload.at, ...digestOf(payload.errors)].join(' '),
        payload: {
          status: payload.status,
          ...(payload.errors === undefined
            ? {}
            : { errors: payload.errors.map((error) => Object.fromEntries(Object.entries(error))) }),
        },
      };
    case 'edit':
      return {
        ...base,
        kind: 'edit',
        factKey: `${payload.editId} ${payload.at}`,
        payload: editPayload(payload.editId, payload.content),
      };
    case 'revoke':
      return { ...base, kind: 'revoke', factKey: `${payload.at}`, payload: {} };
    case 'reaction':
      return {
        ...base,
        kind: 'reaction',
        factKey: `${payload.reactor} ${payload.at} ${payload.emoji ?? ''}`,
        payload: { reactor: payload.reactor, emoji: payload.emoji },
      };
  }
}

/** The inverse of {@link pendingRow}; null for a row unknown to this version (it stays pending). */
export function payloadOfPending(row: PendingFactRow): AmendmentPayload | null {
  const { payload, at } = row;
  const kind: PendingFactKind = row.kind;
  switch (kind) {
    case 'status': {
      const status = MESSAGE_STATUSES.find((candidate) => candidate === payload['status']);
      const errors = errorsOf(payload['errors']);
      return status === undefined ? null : { kind, at, status, ...(errors === null ? {} : { errors }) };
    }
    case 'edit': {
      const editId = payload['editId'];
      const content = contentOfPending(payload);
      return typeof editId !== 'string' || content === null ? null : { kind, at, editId, content };
    }
    case 'revoke':
      return { kind, at };
    case 'reaction': {
      const reactor = payload['reactor'];
      const emoji = payload['emoji'];
      if (typeof reactor !== 'string' || (emoji !== null && typeof emoji !== 'string')) return null;
      return { kind, at, reactor, emoji };
    }
  }
}

/** Two different failures in one second are two facts; a digest, because the key must fit an index. */
function digestOf(errors: readonly MessageError[] | undefined): string[] {
  if (errors === undefined) return [];
  return [createHash('sha256').update(textOfErrors(errors)).digest('hex').slice(0, 16)];
}

function editPayload(editId: string, content: MessageContent): JsonObject {
  return {
    editId,
    type: content.type,
    ...(content.body === undefined ? {} : { body: content.body }),
    ...(content.media === undefined ? {} : { media: Object.fromEntries(Object.entries(content.media)) }),
  };
}

function contentOfPending(payload: JsonObject): MessageContent | null {
  const { type, body, media } = payload;
  if (typeof type !== 'string') return null;
  const mediaObject =
    typeof media === 'object' && media !== null && !Array.isArray(media) ? mediaOf(media) : null;
  return {
    type,
    ...(typeof body === 'string' ? { body } : {}),
    ...(mediaObject === null ? {} : { media: mediaObject }),
  };
}

function isLater(a: ReactionRow, b: ReactionRow): boolean {
  return a.at > b.at || (a.at === b.at && (a.emoji ?? '') > (b.emoji ?? ''));
}

function reactionKey(row: Pick<ReactionRow, 'connectionId' | 'targetExternalId' | 'reactor'>): string {
  return `${keyOf(row.connectionId, row.targetExternalId)} ${row.reactor}`;
}
