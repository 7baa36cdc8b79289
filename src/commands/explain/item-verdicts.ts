import type { Sql } from '../../store/sql.js';
import { readDuplicateIds } from '../../store/tables/message-lookup.js';
import type { StoredMessageRow } from '../../store/tables/messages.js';
import type { Difference } from '../../audit/differences.js';
import { ItemJudge, recheckAll } from '../../audit/item-judge.js';
import {
  type ItemOutcome,
  type JudgedItem,
  type LogItem,
  entryRefOf,
  standingOf,
} from '../../audit/outcome.js';
import { Keys, Window } from '../../audit/window.js';
import { subjectOf } from '../../rules/fact-traits.js';
import { OwnNumbers } from '../../ingest/batch/own-number.js';
import { keyOf } from '../../rules/message-book.js';
import type { RawLog } from '../../rawlog/raw-log.js';
import type { EntryItem } from './log-items.js';
import type { Outcome } from './result.js';

/** Items per look-up. */
const WINDOW = 1_000;

/** An item of the raw log, and its outcome. */
export interface ItemVerdict {
  item: EntryItem;
  outcome: Outcome;
  reason: string | null;
  /** The row of the item's message. */
  row: StoredMessageRow | null;
  /** The row that has the item's id in another conversation. */
  holder: StoredMessageRow | null;
  /** Where the row differs from the raw log. */
  differences: readonly Difference[];
  /** Whether other rows have the id of this one. */
  isDoubled: boolean;
}

/** Determines the outcome of items, with the same judge as `verify`. */
export class VerdictFinder {
  private readonly judge: ItemJudge;
  /** From chats that rule M6 skips: a missing one must not explain an update of the same id without a message. */
  private readonly judgeOfIncluded: ItemJudge;
  private readonly ownNumbers = new OwnNumbers();

  constructor(
    private readonly sql: Sql,
    private readonly log: RawLog,
  ) {
    this.judge = new ItemJudge(sql);
    this.judgeOfIncluded = new ItemJudge(sql);
  }

  /** The verdict on every item, in order. `first`: rows to compare first if an id has several. */
  async verdictsOn(
    items: readonly EntryItem[],
    first: readonly StoredMessageRow[] = [],
  ): Promise<ItemVerdict[]> {
    const verdicts = new Map<EntryItem, ItemVerdict>();
    const skipped = items.filter(({ fact }) => fact.kind === 'skipped');
    const others = items.filter(({ fact }) => fact.kind !== 'skipped');
    await this.judgeAll(others, this.judge, first, verdicts);
    await this.judgeAll(skipped, this.judgeOfIncluded, first, verdicts);
    return items.map((item) => verdicts.get(item) ?? verdict(item, 'noted'));
  }

  private async judgeAll(
    items: readonly EntryItem[],
    judge: ItemJudge,
    first: readonly StoredMessageRow[],
    verdicts: Map<EntryItem, ItemVerdict>,
  ): Promise<void> {
    let window = new Window();
    let asked = new Map<LogItem['fact'], EntryItem>();
    const judgeWindow = async (): Promise<void> => {
      const judged = await recheckAll(this.sql, this.log, await judge.judge(window, first));
      const found = judged.flatMap((one) => {
        const item = asked.get(one.item.fact);
        return item === undefined ? [] : [verdictOf(one, item)];
      });
      for (const one of await this.withDuplicates(found)) verdicts.set(one.item, one);
      window = new Window();
      asked = new Map();
    };
    for (const item of items) {
      const judged = this.toBeJudged(item);
      if (judged === null) {
        verdicts.set(item, this.verdictWithoutJudge(item));
        continue;
      }
      window.add(judged);
      asked.set(judged.fact, item);
      if (window.size >= WINDOW) await judgeWindow();
    }
    if (window.size > 0) await judgeWindow();
  }

  /** A message with several rows of its id is a duplicate, whichever of them was compared, and even if that one is right. */
  private async withDuplicates(verdicts: readonly ItemVerdict[]): Promise<ItemVerdict[]> {
    const ids = new Keys();
    for (const { row } of verdicts) if (row !== null) ids.add(row.connectionId, row.externalId);
    const found = await readDuplicateIds(this.sql, ids.all());
    const duplicates = new Set(found.map(({ connectionId, id }) => keyOf(connectionId, id)));
    return verdicts.map((one) => {
      const { item, row } = one;
      if (item.fact.kind !== 'message' || row === null) return one;
      if (!duplicates.has(keyOf(row.connectionId, row.externalId))) return one;
      return {
        ...one,
        isDoubled: true,
        ...(isFault(one) ? {} : { outcome: 'different', reason: 'doubled' }),
      };
    });
  }

  /** The item in the judge's form; from a skipped chat, the message that `--include` would import. */
  private toBeJudged(item: EntryItem): LogItem | null {
    const { included, fact, entry } = item;
    const asked = fact.kind === 'skipped' && included?.kind === 'message' ? included : fact;
    const standing = standingOf(asked, item, this.ownNumbers);
    if (standing.kind !== 'judged') return null;
    return {
      fact: standing.fact,
      connection: standing.connection,
      entry: entryRefOf(entry),
      field: item.field,
    };
  }

  private verdictWithoutJudge(item: EntryItem): ItemVerdict {
    const standing = standingOf(item.fact, item, this.ownNumbers);
    switch (standing.kind) {
      case 'pending':
        return verdict(item, 'pending', standing.reason);
      case 'skipped':
        // A fact without a subject is not a skipped item: it is only counted.
        if (subjectOf(item.fact) === null) return verdict(item, 'noted');
        // The next replay takes up the entry again: a row that it created may then be removed.
        return entryRefOf(item.entry).isOpen
          ? verdict(item, 'pending', 'not_replayed')
          : verdict(item, 'skipped', standing.reason);
      case 'judged':
      case 'noted':
        return verdict(item, 'noted');
    }
  }
}

/** Whether the database lacks the item, or differs from it. */
export function isFault({ outcome }: { outcome: Outcome }): boolean {
  return outcome === 'missing' || outcome === 'different';
}

function verdictOf({ item: { entry, fact }, outcome }: JudgedItem, item: EntryItem): ItemVerdict {
  // A chat skipped by a rule is not missing; a replay with --include may have imported it.
  if (item.fact.kind === 'skipped' && !isThere(outcome)) return verdict(item, 'skipped', item.fact.reason);
  switch (outcome.kind) {
    case 'there':
      return verdict(item, outcome.row.batchId === entry.id ? 'created' : 'stored', null, outcome);
    case 'applied':
      return verdict(item, 'applied', null, outcome);
    case 'missing':
    case 'targetless':
      return verdict(item, 'missing');
    case 'different':
      return verdict(item, 'different', null, outcome);
    case 'doubled':
      return verdict(item, 'different', 'doubled', { row: outcome.row });
    case 'overruled':
      return verdict(item, 'skipped', 'overruled', { holder: outcome.row });
    case 'elsewhere':
      return verdict(item, 'missing', 'in_another_conversation', { holder: outcome.row });
    case 'leadless':
      return verdict(item, 'different', 'no_lead', outcome);
    case 'rejected':
      return verdict(item, 'rejected', outcome.reason, { holder: outcome.holder });
    case 'unrecorded':
      return verdict(item, 'rejected', fact.kind === 'rejected' ? fact.reason : null);
    case 'pending':
      return verdict(item, 'pending', 'not_replayed');
    case 'waiting':
      return verdict(item, 'pending', 'no_message_yet');
    case 'unapplied':
      return verdict(item, 'missing', 'not_applied', outcome);
  }
}

function isThere({ kind }: ItemOutcome): boolean {
  return kind === 'there' || kind === 'different' || kind === 'doubled';
}

function verdict(
  item: EntryItem,
  outcome: Outcome,
  reason: string | null = null,
  {
    row = null,
    holder = null,
    differences = [],
  }: Partial<Pick<ItemVerdict, 'row' | 'holder' | 'differences'>> = {},
): ItemVerdict {
  return { item, outcome, reason, row, holder, differences, isDoubled: false };
}
