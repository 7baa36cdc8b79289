import { isWamid } from '../../identity/wamid.js';
import type { MessageFact } from '../../model/facts.js';
import type { PlacedMessage } from '../../store/queries/explain.js';
import { amendState, payloadOf, ReactionBook, type Amendment } from '../../rules/amendments.js';
import { projectMessage } from '../../rules/message-projection.js';
import { absorbState, stateOfFact, type MessageState } from '../../rules/message-state.js';
import { iso } from './fact-view.js';
import { isFault, type Fate } from './fates.js';
import type { LoggedItem } from './read-items.js';
import type { Change, Outcome } from './result.js';

export interface FatedItem {
  item: LoggedItem;
  fate: Fate;
}

/** An item with what it changed, by the rules of merging. */
export interface ToldItem extends FatedItem {
  changes: Change[];
}

export interface Story {
  told: ToldItem[];
  /** What the facts and the row do not agree in: `from` is the facts' word, `to` the row's. */
  unexplained: Change[];
  /** Ids other than the row's that facts called the message by. */
  twins: string[];
}

/**
 * Tells how a row came to be what it is: folds its facts again, one after the other as they were applied, with the very
 * functions that merge them (M2, M3, M5), and notes what each changed. Pure.
 */
export function tellStory(
  row: PlacedMessage,
  items: readonly FatedItem[],
  /** Fields of the row that are known to be wrong: what the log makes of them needs no explanation. */
  wrong: ReadonlySet<string> = new Set(),
): Story {
  const story = new StoryTeller(row);
  const told = [...items].sort((a, b) => compareArrival(a.item, b.item, row)).map((one) => story.tell(one));
  story.settle();
  const unexplained = story.unexplained().filter(({ field }) => !wrong.has(field));
  return { told, unexplained, twins: story.twins() };
}

class StoryTeller {
  private state: MessageState | null = null;
  private readonly waiting: { fact: Amendment; told: ToldItem }[] = [];
  private readonly reactions = new ReactionBook([]);
  private readonly ids = new Set<string>();

  constructor(private readonly row: PlacedMessage) {}

  tell({ item, fate }: FatedItem): ToldItem {
    const told: ToldItem = { item, fate, changes: [] };
    const fact = item.fact.kind === 'skipped' ? item.included : item.fact;
    if (fact === null || fate.row?.id !== this.row.id) return told;
    switch (fact.kind) {
      case 'message':
        this.ids.add(fact.externalId);
        this.message(fact, told);
        break;
      case 'status':
      case 'edit':
      case 'revoke':
      case 'reaction':
        if (this.state === null) this.waiting.push({ fact, told });
        else this.amend(fact, told);
        break;
      default:
        break;
    }
    return told;
  }

  /** Amendments to a row whose message facts are not in the log have changed it nonetheless. */
  settle(): void {
    for (const { told } of this.waiting) became(told, 'applied', null);
  }

  unexplained(): Change[] {
    if (this.state === null) return [];
    const facts = shown(this.state);
    const changes: Change[] = [];
    for (const [field, to] of Object.entries(shownOfRow(this.row))) {
      const from = facts[field] ?? null;
      if (from !== to) changes.push({ field, from, to });
    }
    return changes;
  }

  twins(): string[] {
    return [...this.ids].filter((id) => id !== this.row.externalId);
  }

  private message(fact: MessageFact, told: ToldItem): void {
    const { row } = this;
    const incoming = stateOfFact(fact, {
      id: row.id,
      connectionId: row.connectionId,
      conversationId: row.conversationId,
      leadId: row.leadId,
      batchId: null,
      runId: row.runId ?? '',
      syncSource: row.syncSource,
    });
    if (this.state === null) {
      this.state = incoming;
      became(told, 'created');
      for (const waiting of this.waiting.splice(0)) {
        this.amend(waiting.fact, waiting.told);
        if (!isFault(waiting.told.fate))
          waiting.told.fate = { ...waiting.told.fate, reason: 'waited_for_message' };
      }
      return;
    }
    const before = shown(this.state);
    absorbState(this.state, incoming);
    if (isWamid(incoming.externalId) && !isWamid(this.state.externalId)) {
      this.state.externalId = incoming.externalId;
    }
    this.note(told, before);
  }

  private amend(fact: Amendment, told: ToldItem): void {
    if (this.state === null) return;
    const before = shown(this.state);
    const payload = payloadOf(fact);
    const isChanged = amendState(payload, this.state, this.reactions);
    if (payload.kind === 'reaction') {
      if (isChanged)
        told.changes.push({ field: 'reaction', to: payload.emoji === null ? null : payload.reactor });
      became(told, isChanged ? 'changed' : 'unchanged');
      return;
    }
    this.note(told, before);
  }

  private note(told: ToldItem, before: Readonly<Record<string, string | null>>): void {
    if (this.state === null) return;
    for (const [field, to] of Object.entries(shown(this.state))) {
      const from = before[field] ?? null;
      if (from === to) continue;
      // What was said stays unsaid here; that it was empty before says enough.
      if (!PRIVATE.has(field)) told.changes.push({ field, from, to });
      else told.changes.push({ field, ...(from === null ? { from } : to === null ? { to } : {}) });
    }
    became(told, told.changes.length > 0 ? 'changed' : 'unchanged');
  }
}

/** What a fact did to the row as it was folded; that the row lacks it now is said instead. */
function became(told: ToldItem, outcome: Outcome, reason: string | null = told.fate.reason): void {
  if (!isFault(told.fate)) told.fate = { ...told.fate, outcome, reason };
}

const PRIVATE: ReadonlySet<string> = new Set(['text', 'media']);

/** What people see of a state, as texts to be compared. */
function shown(state: MessageState): Record<string, string | null> {
  const projected = projectMessage(state);
  return {
    externalId: state.externalId,
    source: state.source,
    direction: state.direction,
    timestamp: iso(state.timestamp),
    status: state.status,
    type: projected.type,
    editedAt: iso(projected.editedAt),
    deletedAt: iso(projected.deletedAt),
    text: projected.body,
    media: projected.media === null ? null : JSON.stringify(projected.media),
    answers: state.contextExternalId,
  };
}

function shownOfRow(row: PlacedMessage): Record<string, string | null> {
  return {
    source: row.source,
    direction: row.direction,
    timestamp: iso(row.timestamp),
    status: row.status,
    type: row.type,
    editedAt: iso(row.editedAt),
    deletedAt: iso(row.deletedAt),
  };
}

/**
 * The order in which items were applied: as their entries were stored. One that was taken up again later (it had waited for
 * its connection) counts from then, unless it is the one that brought the row.
 */
function compareArrival(a: LoggedItem, b: LoggedItem, row: PlacedMessage): number {
  const left = appliedAt(a, row);
  const right = appliedAt(b, row);
  if (left !== right) return left - right;
  return a.entry.id < b.entry.id ? -1 : a.entry.id > b.entry.id ? 1 : 0;
}

function appliedAt({ entry }: LoggedItem, row: PlacedMessage): number {
  const again = entry.attempts > 1 && entry.id !== row.batchId;
  return again ? (entry.processedAt ?? entry.createdAt) : entry.createdAt;
}
