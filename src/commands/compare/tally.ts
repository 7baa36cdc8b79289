import type { AsideReason, CrmName, NotKeptReason } from '../../crm/crm.js';
import { COMPARISON_CLASSES, type ComparisonClass, type ComparisonCounts } from '../../model/enumerations.js';
import type { MissingMessage } from '../../store/queries/comparison.js';
import { causeWords } from './likely-causes.js';
import type { CrmConnection } from '../../crm/crm.js';
import type { ConnectionRecord } from '../../store/tables/connections.js';
import type { Matches } from './match-connections.js';
import type { Staged } from './stage-rows.js';
import type { AffectedPerson, CauseFound, ComparedConnection, ComparedField, LikelyCause } from './types.js';

/** How many people a result names. */
const PEOPLE_SHOWN = 10;

/** With this few lost files, a CRM that has none at all may be chance. */
const FEW_FILES = 3;

const MEDIA_TYPES = new Set(['image', 'audio', 'video', 'document', 'sticker']);

type Trouble = Omit<AffectedPerson, 'contact' | 'connection'>;

interface Side {
  connection: ConnectionRecord;
  /** Null: gone from the CRM. */
  crm: CrmConnection | null;
  crmNames: string[];
  counts: ComparisonCounts;
  fields: Map<ComparedField, number>;
  notKept: Map<NotKeptReason, number>;
  outside: number;
  editedLater: number;
  causes: Map<LikelyCause, number>;
  lostMedia: number;
  keptMedia: number;
  people: Map<string, Trouble>;
}

/** Counts a comparison, per connection. */
export class Tally {
  private readonly sides = new Map<string, Side>();

  constructor(
    { matches, gone }: Pick<Matches, 'matches' | 'gone'>,
    private readonly staged: Staged,
    private readonly crm: CrmName,
  ) {
    for (const { connection, crm } of matches) {
      const name = crm.name === '' ? crm.key : crm.name;
      const known = this.sides.get(connection.id);
      if (known === undefined) this.sides.set(connection.id, emptySide(connection, crm, [name]));
      else known.crmNames.push(name);
    }
    for (const connection of gone) this.sides.set(connection.id, emptySide(connection, null, []));
  }

  nameOf(connectionId: string): string {
    return this.side(connectionId).connection.name;
  }

  crmKeyOf(connectionId: string): string {
    return this.side(connectionId).crm?.key ?? '';
  }

  /** By connection. */
  splitPeople: ReadonlyMap<string, Pick<ComparedConnection, 'splitPeople' | 'splitContacts'>> = new Map();
  private readonly repairedCounts: Partial<ComparisonCounts> = {};

  countRepaired(className: ComparisonClass): void {
    this.repairedCounts[className] = (this.repairedCounts[className] ?? 0) + 1;
  }

  /** The outcome of repaired messages. */
  repaired(messages: number): Partial<ComparisonCounts> & { messages: number } {
    return { messages, ...this.repairedCounts };
  }

  /** The CRM's name, else the connection's name here. */
  isCloudApi(connectionId: string): boolean {
    const { crm, connection } = this.side(connectionId);
    return crm?.isCloudApi ?? connection.kind !== 'baileys';
  }

  isGone(connectionId: string): boolean {
    return this.side(connectionId).crm === null;
  }

  count(connectionId: string, className: ComparisonClass, leadId: string | null): void {
    const side = this.side(connectionId);
    side.counts[className] += 1;
    if (leadId === null) return;
    switch (className) {
      case 'lost':
      case 'differs':
      case 'other_contact':
      case 'doubled': {
        const person = side.people.get(leadId) ?? { lost: 0, differs: 0, other_contact: 0, doubled: 0 };
        side.people.set(leadId, person);
        person[className] += 1;
        return;
      }
      case 'same':
      case 'not_kept_by_design':
      case 'only_in_crm':
      case 'without_id':
        return;
    }
  }

  fields(connectionId: string, fields: readonly ComparedField[]): void {
    for (const field of fields) increase(this.side(connectionId).fields, field, 1);
  }

  notKept(connectionId: string, reason: NotKeptReason): void {
    increase(this.side(connectionId).notKept, reason, 1);
  }

  cause(connectionId: string, cause: LikelyCause, messages: number): void {
    increase(this.side(connectionId).causes, cause, messages);
  }

  outside(connectionId: string, rows: number): void {
    this.side(connectionId).outside += rows;
  }

  editedLater(connectionId: string): void {
    this.side(connectionId).editedLater += 1;
  }

  /** A message that the CRM lacks or has. */
  media(
    { connectionId, messageType }: Pick<MissingMessage, 'connectionId' | 'messageType'>,
    isLost: boolean,
  ): void {
    if (MEDIA_TYPES.has(messageType)) this.side(connectionId)[isLost ? 'lostMedia' : 'keptMedia'] += 1;
  }

  /** The connections with lost messages that the CRM still has. */
  withLosses(): string[] {
    return [...this.sides].filter(([, { counts, crm }]) => crm !== null && counts.lost > 0).map(([id]) => id);
  }

  /** Throws when a message or a row has no class or two: no number of the result could be trusted. */
  assertBalanced(messages: ReadonlyMap<string, number>): void {
    for (const [id, side] of this.sides) {
      const ours = messages.get(id) ?? 0;
      if (messagesOf(side.counts) !== ours) {
        throw new Error(
          `the comparison does not balance: ${ours} messages, ${messagesOf(side.counts)} in classes`,
        );
      }
      const {
        same,
        differs,
        other_contact: other,
        only_in_crm: only,
        doubled,
        without_id: without,
      } = side.counts;
      const classed =
        same + differs + other + only + doubled + without + side.outside + sum(this.asideOf(id));
      const rows = this.staged.rows.get(id) ?? 0;
      if (classed !== rows) {
        throw new Error(`the comparison does not balance: ${rows} rows of the CRM, ${classed} in classes`);
      }
    }
  }

  connections(): ComparedConnection[] {
    return [...this.sides].map(([id, side]) => ({
      connection: side.connection.name,
      connectionId: id,
      crm: side.crmNames.join(', '),
      messages: messagesOf(side.counts),
      rows: this.staged.rows.get(id) ?? 0,
      counts: side.counts,
      fields: Object.fromEntries(side.fields),
      notKept: Object.fromEntries(side.notKept),
      aside: Object.fromEntries(this.asideOf(id)),
      outside: side.outside,
      editedLater: side.editedLater,
      causes: causesOf(side, this.crm, this.isCloudApi(id)),
      splitPeople: 0,
      splitContacts: [],
      ...this.splitPeople.get(id),
    }));
  }

  total(): ComparisonCounts {
    const total = noCounts();
    for (const { counts } of this.sides.values()) {
      for (const name of COMPARISON_CLASSES) total[name] += counts[name];
    }
    return total;
  }

  /** Contacts with the most problems, worst first. */
  people(): (Trouble & { connection: string; leadId: string })[] {
    return [...this.sides.values()]
      .flatMap(({ connection, people }) =>
        [...people].map(([leadId, trouble]) => ({ connection: connection.name, leadId, ...trouble })),
      )
      .sort(
        (a, b) =>
          b.lost - a.lost ||
          b.other_contact + b.differs + b.doubled - (a.other_contact + a.differs + a.doubled),
      )
      .slice(0, PEOPLE_SHOWN);
  }

  /** How many messages of each person are lost. */
  lostByLead(): { leadId: string; messages: number }[] {
    const sides = [...this.sides.values()];
    return sides.flatMap(({ people }) =>
      [...people].map(([leadId, { lost }]) => ({ leadId, messages: lost })),
    );
  }

  private asideOf(id: string): ReadonlyMap<AsideReason, number> {
    return this.staged.aside.get(id) ?? new Map<AsideReason, number>();
  }

  private side(connectionId: string): Side {
    const side = this.sides.get(connectionId);
    if (side === undefined) throw new Error('a row of a connection that is not compared');
    return side;
  }
}

function emptySide(connection: ConnectionRecord, crm: CrmConnection | null, crmNames: string[]): Side {
  return {
    connection,
    crm,
    crmNames,
    counts: noCounts(),
    fields: new Map(),
    notKept: new Map(),
    outside: 0,
    editedLater: 0,
    causes: new Map(),
    lostMedia: 0,
    keptMedia: 0,
    people: new Map(),
  };
}

function causesOf(
  { causes, counts, lostMedia, keptMedia, crm: theirs }: Side,
  crm: CrmName,
  isCloudApi: boolean,
): CauseFound[] {
  const found = (cause: LikelyCause, messages: number): CauseFound => ({
    cause,
    messages,
    why: causeWords(crm, cause, isCloudApi),
  });
  if (theirs === null) return [found('connection_gone', counts.lost)];
  // Other messages may be lost for other reasons; a CRM with file storage has at least one file.
  const isMedia = keptMedia === 0 && lostMedia > 0 && (lostMedia >= FEW_FILES || lostMedia === counts.lost);
  const all = new Map(causes);
  if (isMedia) all.set('media_without_storage', lostMedia);
  return [...all].map(([cause, messages]) => found(cause, messages));
}

function messagesOf(counts: ComparisonCounts): number {
  return counts.same + counts.lost + counts.not_kept_by_design + counts.differs + counts.other_contact;
}

function noCounts(): ComparisonCounts {
  return {
    same: 0,
    lost: 0,
    not_kept_by_design: 0,
    only_in_crm: 0,
    differs: 0,
    other_contact: 0,
    doubled: 0,
    without_id: 0,
  };
}

function increase<K>(counts: Map<K, number>, key: K, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

function sum(counts: ReadonlyMap<unknown, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}
