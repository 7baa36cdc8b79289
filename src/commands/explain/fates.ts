import type { Sql } from '../../store/sql.js';
import { readDuplicateIds } from '../../store/tables/message-lookup.js';
import type { StoredMessageRow } from '../../store/tables/messages.js';
import type { Difference } from '../../audit/differences.js';
import { ItemJudge, recheckAll } from '../../audit/item-judge.js';
import {
  entryRefOf,
  standingOf,
  type ItemOutcome,
  type JudgedItem,
  type LogItem,
} from '../../audit/outcome.js';
import { Keys, Window } from '../../audit/window.js';
import { subjectOf } from '../../rules/fact-traits.js';
import { OwnNumbers } from '../../ingest/batch/own-number.js';
import { keyOf } from '../../rules/message-book.js';
import type { RawLog } from '../../rawlog/raw-log.js';
import type { LoggedItem } from './read-items.js';
import type { Outcome } from './result.js';

/** Items per look-up. */
const WINDOW = 1_000;

/** What became of an item, as it is told. */
export interface Fate {
  outcome: Outcome;
  reason: string | null;
  /** The row that the item is about. */
  row: StoredMessageRow | null;
  /** The row that holds the item's id in another conversation. */
  holder: StoredMessageRow | null;
  /** Where the row is not what the log says. */
  differences: readonly Difference[];
}

/** Asks the judge that `verify` asks, too, what became of items. */
export class FateFinder {
  private readonly judge: ItemJudge;
  /** Of chats that were left out: what came of them says nothing of what waits for the same ids. */
  private readonly judgeOfIncluded: ItemJudge;
  private readonly ownNumbers = new OwnNumbers();

  constructor(
    private readonly sql: Sql,
    private readonly log: RawLog,
  ) {
    this.judge = new ItemJudge(sql);
    this.judgeOfIncluded = new ItemJudge(sql);
  }

  /** The fate of every item. `first`: rows to be held against where an id has several. */
  async fatesOf(
    items: readonly LoggedItem[],
    first: readonly StoredMessageRow[] = [],
  ): Promise<Map<LoggedItem, Fate>> {
    const fates = new Map<LoggedItem, Fate>();
    const isLeftOut = ({ fact }: LoggedItem): boolean => fact.kind === 'skipped';
    await this.settle(
      items.filter((item) => !isLeftOut(item)),
      this.judge,
      first,
      fates,
    );
    await this.settle(items.filter(isLeftOut), this.judgeOfIncluded, first, fates);
    return new Map(items.map((item) => [item, fates.get(item) ?? fate('noted')]));
  }

  private async settle(
    items: readonly LoggedItem[],
    judge: ItemJudge,
    first: readonly StoredMessageRow[],
    fates: Map<LoggedItem, Fate>,
  ): Promise<void> {
    let window = new Window();
    let asked = new Map<LogItem['fact'], LoggedItem>();
    const judgeWindow = async (): Promise<void> => {
      const judged = await recheckAll(this.sql, this.log, await judge.judge(window, first));
      const told = judged.flatMap((one): [LoggedItem, Fate][] => {
        const item = asked.get(one.item.fact);
        return item === undefined ? [] : [[item, fateOf(one, item)]];
      });
      for (const [item, one] of await this.withDuplicates(told)) fates.set(item, one);
      window = new Window();
      asked = new Map();
    };
    for (const item of items) {
      const judged = this.toBeJudged(item);
      if (judged === null) {
        fates.set(item, this.fateOutside(item));
        continue;
      }
      window.add(judged);
      asked.set(judged.fact, item);
      if (window.size >= WINDOW) await judgeWindow();
    }
    if (window.size > 0) await judgeWindow();
  }

  /** A message whose id several rows bear is one too many, whatever the row says that it was held against. */
  private async withDuplicates(told: readonly [LoggedItem, Fate][]): Promise<[LoggedItem, Fate][]> {
    const ids = new Keys();
    for (const [, { row }] of told) if (row !== null) ids.add(row.connectionId, row.externalId);
    const found = await readDuplicateIds(this.sql, ids.all());
    const doubled = new Set(found.map(({ connectionId, id }) => keyOf(connectionId, id)));
    return told.map(([item, one]) =>
      item.fact.kind === 'message' &&
      one.row !== null &&
      !isFault(one) &&
      doubled.has(keyOf(one.row.connectionId, one.row.externalId))
        ? [item, { ...one, outcome: 'different', reason: 'doubled' }]
        : [item, one],
    );
  }

  /** The item as the judge wants it; one of a chat that was left out as what it would have been with `--include`. */
  private toBeJudged(item: LoggedItem): LogItem | null {
    const { included, fact, entry } = item;
    const told = fact.kind === 'skipped' && included?.kind === 'message' ? included : fact;
    const standing = standingOf(told, item, this.ownNumbers);
    if (standing.kind !== 'judged') return null;
    return { fact: standing.fact, connection: standing.connection, entry: entryRefOf(entry) };
  }

  private fateOutside(item: LoggedItem): Fate {
    const standing = standingOf(item.fact, item, this.ownNumbers);
    // What concerns no connection is no item that was left out: it only counts.
    const isItem = subjectOf(item.fact) !== null;
    switch (standing.kind) {
      case 'pending':
        return fate('pending', standing.reason);
      case 'skipped':
        return isItem ? fate('skipped', standing.reason) : fate('noted');
      case 'judged':
      case 'noted':
        return fate('noted');
    }
  }
}

/** Whether the database does not have what the item says. */
export function isFault({ outcome }: Pick<Fate, 'outcome'>): boolean {
  return outcome === 'missing' || outcome === 'different';
}

function fateOf({ item, outcome }: JudgedItem, { fact }: LoggedItem): Fate {
  // A chat that was left out by rule lacks nothing; a replay with --include may have brought it in.
  if (fact.kind === 'skipped' && !isThere(outcome)) return fate('skipped', fact.reason);
  switch (outcome.kind) {
    case 'there': {
      const { row } = outcome;
      return { ...fate(row.batchId === item.entry.id ? 'created' : 'stored'), row };
    }
    case 'applied':
      return { ...fate('applied'), row: outcome.row };
    case 'missing':
    case 'targetless':
      return fate('missing');
    case 'different':
      return { ...fate('different'), row: outcome.row, differences: outcome.differences };
    case 'doubled':
      return { ...fate('different', 'doubled'), row: outcome.row };
    case 'elsewhere':
      return { ...fate('missing', 'in_another_conversation'), holder: outcome.row };
    case 'rejected':
      return { ...fate('rejected', outcome.reason), holder: outcome.holder };
    case 'unrecorded':
      return fate('rejected', item.fact.kind === 'rejected' ? item.fact.reason : null);
    case 'pending':
      return fate('pending', 'not_replayed');
    case 'waiting':
      return fate('pending', 'no_message_yet');
    case 'unapplied':
      return { ...fate('missing', 'not_applied'), row: outcome.row };
  }
}

function isThere({ kind }: ItemOutcome): boolean {
  return kind === 'there' || kind === 'different' || kind === 'doubled';
}

function fate(outcome: Outcome, reason: string | null = null): Fate {
  return { outcome, reason, row: null, holder: null, differences: [] };
}
