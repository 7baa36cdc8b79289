import type { AsideReason, CrmConnection } from '../../crm/crm.js';
import { ASIDE_REASONS } from '../../crm/crm.js';
import { openCrm } from '../../crm/open-crm.js';
import type { CrmSource, ReadPair } from '../../crm/source.js';
import type { Context } from '../../context.js';
import { remedy } from '../../model/remedy.js';
import type { Severity } from '../../model/enumerations.js';
import { LeadFinder } from '../../rawlog/lead-finder.js';
import { RawLog } from '../../rawlog/raw-log.js';
import type { Sql } from '../../store/sql.js';
import {
  countCompared,
  nameContactsByMessages,
  pairRows,
  prepareComparison,
  readBatchSamples,
  readSplitPeople,
  streamMissing,
  streamPairs,
  streamUnpaired,
  type ComparedPair,
  type ComparisonScope,
  type MissingMessage,
  type UnpairedRow,
} from '../../store/queries/comparison.js';
import { readLeadNames } from '../../store/queries/lead-names.js';
import { readConnectionRecords } from '../../store/tables/connections.js';
import { recordAccess } from '../access/record-access.js';
import { findConnection } from '../connections/find.js';
import { resolveContact, theOneLead } from '../contacts/resolve-contact.js';
import { adoptRows } from './adopt.js';
import { findFirstOnly } from './likely-causes.js';
import { judgeMessage, whyNotKept, type Judged } from './judge.js';
import { matchConnections, type ConnectionMatch, type Matches } from './match-connections.js';
import { addAside, addNews, stageCrm, type Staged } from './stage-rows.js';
import { Tally } from './tally.js';
import { namesCutId, noteLikelyRows, pairCutIds } from './unequal-ids.js';
import { giveLostMessages } from './lost-messages.js';
import type {
  AbsentConnection,
  CompareOptions,
  CompareResult,
  ComparedItem,
  DoubledRow,
  RepairSummary,
} from './types.js';

/**
 * Compares a CRM's rows with the messages of the database and classifies each. Reads each side in one snapshot and
 * changes neither. Every message and every row ends in exactly one class: sums that do not balance throw. Throws
 * ConfigError for connections that do not match, an unknown connection or an unknown contact.
 */
export async function compare(ctx: Context, options: CompareOptions): Promise<CompareResult> {
  const source = await openCrm(options.crm, options.place);
  try {
    return await compareWith(ctx, source, options);
  } finally {
    await source.close();
  }
}

async function compareWith(ctx: Context, source: CrmSource, options: CompareOptions): Promise<CompareResult> {
  const startedAt = ctx.clock();
  const only =
    options.connection === undefined ? undefined : (await findConnection(ctx, options.connection)).id;
  const records = await readConnectionRecords(ctx.store.sql);
  const found = matchConnections(source, records, {
    map: options.map,
    connection: only,
    matchedBefore: options.matchedBefore,
  });
  const { matches, gone, unmatched } = found;
  const onlyInCrm = new Map<string, Set<string>>();
  const { tally, people, repair, news, absent } = await ctx.store.transaction(async (tx) => {
    await prepareComparison(tx);
    const lead =
      options.contact === undefined
        ? null
        : await theOneLead(tx, await resolveContact(tx, options.contact), ctx.secretKey);
    return runComparison(ctx, tx, source, found, {
      connectionIds: [
        ...new Set(matches.map(({ connection }) => connection.id)),
        ...gone.map(({ id }) => id),
      ],
      since: options.since ?? null,
      until: options.until ?? null,
      leadId: lead?.leadId ?? null,
      onItem: options.onItem,
      onlyInCrm: options.adopt && onlyInCrm,
      onDoubled: options.onDoubled,
      repaired: options.repaired,
      repair: options.repair,
    });
  });
  if (repair !== null) {
    // The file appears only after this.
    await recordAccess(ctx, { command: 'compare', shown: tally.lostByLead() });
  }
  const adopted =
    options.adopt === undefined || ctx.signal.aborted
      ? null
      : await adoptRows(ctx, source, matches, onlyInCrm, news, options.adopt);
  const isInterrupted = ctx.signal.aborted;
  const connections = tally.connections();
  const counts = tally.total();
  const finishedAt = ctx.clock();
  return {
    schemaVersion: 1,
    command: 'compare',
    crm: source.dialect.name,
    source: source.location,
    status: isInterrupted ? 'interrupted' : 'completed',
    startedAt: new Date(startedAt).toISOString(),
    finishedAt: new Date(finishedAt).toISOString(),
    durationMs: finishedAt - startedAt,
    connections,
    unmatched: {
      crm: unmatched.crm.map(({ key, name }: CrmConnection) => ({ key, name })),
      connections: unmatched.connections.map(({ name }) => name),
    },
    absent,
    missingContacts: [...source.missingContacts],
    passedOver: [...source.passedOver],
    counts,
    people,
    severity: severityOf(counts, absent, connections),
    repaired: options.repaired === undefined ? null : tally.repaired(options.repaired.size),
    adopted,
    repair,
    next: [
      ...(counts.only_in_crm > 0 && adopted === null
        ? [remedy('verify', [], 'verifies that the database holds everything that the log has')]
        : []),
      ...(adopted?.dryRun === false
        ? adopted.runs.map((run) => remedy('undo', [run], 'takes the adoption back'))
        : []),
    ],
    database: ctx.store.location,
  };
}

function severityOf(
  counts: CompareResult['counts'],
  absent: CompareResult['absent'],
  connections: CompareResult['connections'],
): Severity | null {
  if (counts.lost + counts.differs + counts.other_contact + counts.doubled > 0) return 'loss';
  // The CRM may have lost all of it, or never had it: only --connection or --map says that (V2).
  if (absent.length > 0) return 'degraded';
  const isNoted =
    counts.only_in_crm + counts.without_id > 0 || connections.some((one) => one.editedLater > 0);
  return isNoted ? 'note' : null;
}

interface Compared {
  tally: Tally;
  people: CompareResult['people'];
  repair: RepairSummary | null;
  absent: AbsentConnection[];
  /** Names that only the CRM links to one person, by connection. */
  news: Map<string, ReadPair[]>;
}

type Scope = ComparisonScope &
  Pick<CompareOptions, 'onItem' | 'repair' | 'onDoubled' | 'repaired'> & {
    /** Collects the rows to adopt, by connection. */
    onlyInCrm: Map<string, Set<string>> | undefined;
  };

/** The comparison itself, in one transaction with one snapshot. */
async function runComparison(
  ctx: Context,
  tx: Sql,
  source: CrmSource,
  found: Matches,
  scope: Scope,
): Promise<Compared> {
  const { matches, unmatched } = found;
  const steps = 4;
  ctx.emit({ event: 'step', step: 'read the CRM', number: 1, of: steps });
  const leads = new LeadFinder(tx);
  const staged = await stageCrm(tx, source, matches, leads, {
    signal: ctx.signal,
    read: (rows) => {
      ctx.emit({ event: 'progress', bytesRead: 0, entries: rows, messages: rows });
    },
  });
  const tally = new Tally(found, staged, source.dialect.name);
  const comparison = new Comparison(ctx, tx, source, scope, staged, tally);
  const isStopped = (): boolean => ctx.signal.aborted;
  if (!isStopped()) {
    ctx.emit({ event: 'step', step: 'match messages', number: 2, of: steps });
    await pairRows(tx);
    await pairCutIds(tx, scope.connectionIds);
    await nameContactsByMessages(tx);
    await comparison.pairs();
    ctx.emit({ event: 'step', step: 'find lost messages', number: 3, of: steps });
    await noteLikelyRows(tx, scope, source.dialect);
    await comparison.missing();
    ctx.emit({ event: 'step', step: 'find rows that only the CRM has', number: 4, of: steps });
    await comparison.unpaired();
    await comparison.causes();
    tally.splitPeople = await nameSplitPeople(tx, scope);
    if (!isStopped()) tally.assertBalanced(await countCompared(tx, scope));
  }
  const repair =
    scope.repair === undefined || isStopped()
      ? null
      : await giveLostMessages(
          tx,
          {
            dialect: source.dialect,
            matches,
            gone: found.gone,
            scope,
            contactNames: staged.contactNames,
            isCloudApi: (id) => tally.isCloudApi(id),
            now: ctx.clock(),
          },
          scope.repair,
        );
  if (scope.onlyInCrm !== undefined && !isStopped()) await collectPairs(source, matches, leads, staged);
  const affected = tally.people();
  const names = await readLeadNames(
    tx,
    affected.map(({ leadId }) => leadId),
  );
  return {
    tally,
    repair,
    absent: isStopped() ? [] : await countAbsent(tx, scope, unmatched.connections),
    news: staged.news,
    people: affected.map(({ leadId, ...person }) => ({ ...person, contact: names.get(leadId) ?? leadId })),
  };
}

async function nameSplitPeople(tx: Sql, scope: ComparisonScope): Promise<Tally['splitPeople']> {
  const split = await readSplitPeople(tx, scope);
  const names = await readLeadNames(
    tx,
    [...split.values()].flatMap(({ leadIds }) => leadIds),
  );
  return new Map(
    [...split].map(([connectionId, { people, leadIds }]) => [
      connectionId,
      { splitPeople: people, splitContacts: leadIds.map((id) => names.get(id) ?? id) },
    ]),
  );
}

/** Those of the connections that have messages in the scope. */
async function countAbsent(
  tx: Sql,
  scope: ComparisonScope,
  connections: Matches['unmatched']['connections'],
): Promise<AbsentConnection[]> {
  if (connections.length === 0) return [];
  const messages = await countCompared(tx, { ...scope, connectionIds: connections.map(({ id }) => id) });
  return connections.flatMap(({ id, name }) => {
    const count = messages.get(id) ?? 0;
    return count === 0 ? [] : [{ connection: name, messages: count }];
  });
}

/** Enough to show a pattern. */
const LOST_REMEMBERED = 10_000;

/** Adds what the CRM knows about people apart from messages to the first connection: the CRM does not name one. */
async function collectPairs(
  source: CrmSource,
  matches: readonly ConnectionMatch[],
  leads: LeadFinder,
  staged: Staged,
): Promise<void> {
  const connection = matches[0]?.connection;
  if (connection === undefined) return;
  for await (const page of source.pairs()) {
    await leads.load(
      page.map(({ person }) => ({ organizationId: connection.organizationId, identities: person })),
    );
    for (const { person, record } of page) addNews(staged, leads, connection, { person, record });
  }
}

class Comparison {
  private readonly someLost = new Set<string>();

  constructor(
    private readonly ctx: Context,
    private readonly tx: Sql,
    private readonly source: CrmSource,
    private readonly scope: Scope,
    private readonly staged: Staged,
    private readonly tally: Tally,
  ) {}

  /** Messages that the CRM has. */
  async pairs(): Promise<void> {
    let group: ComparedPair[] = [];
    const judge = async (): Promise<void> => {
      const [first] = group;
      if (first === undefined) return;
      if (first.isInScope) await this.judged(judgeMessage(group, this.source.dialect));
      else this.tally.outside(first.connectionId, group.length);
    };
    for await (const page of streamPairs(this.tx, this.scope)) {
      if (this.ctx.signal.aborted) return;
      for (const pair of page) {
        if (group[0]?.messageId !== pair.messageId) {
          await judge();
          group = [];
        }
        group.push(pair);
      }
    }
    await judge();
  }

  private async judged({ kind, row, fields, isEditedLater, doubles }: Judged): Promise<void> {
    const { connectionId, leadId, messageExternalId: externalId, rowId } = row;
    this.tally.count(connectionId, kind, leadId);
    this.tally.media(row, false);
    switch (kind) {
      case 'same':
        if (namesCutId(row)) this.wanted(connectionId, rowId);
        if (isEditedLater) this.tally.editedLater(connectionId);
        await this.item({
          sign: isEditedLater ? '!' : '=',
          class: kind,
          connectionId,
          externalId,
          rowId,
          detail: isEditedLater ? 'edited after the end of the log' : '',
        });
        break;
      case 'differs':
        this.tally.fields(connectionId, fields);
        await this.item({
          sign: '*',
          class: kind,
          connectionId,
          externalId,
          rowId,
          detail: fields.join(', '),
        });
        break;
      case 'other_contact': {
        const contact = (this.staged.contactNames[row.contact] ?? '') || 'no contact';
        const isLidSplit = !row.isKnownContact && contact.endsWith('@lid');
        this.tally.cause(connectionId, isLidSplit ? 'lid_split' : 'filed_under_another_contact', 1);
        await this.item({
          sign: '*',
          class: kind,
          connectionId,
          externalId,
          rowId,
          detail: `under ${contact}`,
        });
        break;
      }
    }
    for (const { row: double, isEqual } of doubles) {
      this.tally.count(connectionId, 'doubled', leadId);
      await this.doubled(connectionId, { keptRowId: rowId, rowId: double.rowId, isEqual });
      await this.item({
        sign: '*',
        class: 'doubled',
        connectionId,
        externalId,
        rowId: double.rowId,
        detail: `duplicate of row ${rowId}`,
      });
    }
  }

  /** Messages that the CRM lacks. */
  async missing(): Promise<void> {
    for await (const page of streamMissing(this.tx, this.scope)) {
      if (this.ctx.signal.aborted) return;
      for (const message of page) {
        const { connectionId, leadId, messageExternalId: externalId } = message;
        const reason = whyNotKept(message, this.source.dialect, {
          isCloudApi: this.tally.isCloudApi(connectionId),
          isGone: this.tally.isGone(connectionId),
        });
        const className = reason === null ? 'lost' : 'not_kept_by_design';
        this.tally.count(connectionId, className, leadId);
        if (reason === null) this.noteLost(message);
        else this.tally.notKept(connectionId, reason);
        await this.item({
          sign: reason === null ? '+' : '=',
          class: className,
          connectionId,
          externalId,
          rowId: null,
          detail: reason ?? `${message.messageType}, ${new Date(message.timestamp).toISOString()}`,
        });
      }
    }
  }

  private noteLost(message: MissingMessage): void {
    this.tally.media(message, true);
    if (message.messageExternalId !== null && this.someLost.size < LOST_REMEMBERED)
      this.someLost.add(message.messageExternalId);
  }

  /** Rows that only the CRM has. */
  async unpaired(): Promise<void> {
    let before: UnpairedRow | undefined;
    for await (const page of streamUnpaired(this.tx, this.scope)) {
      if (this.ctx.signal.aborted) return;
      for (const row of page) {
        const { connectionId, sameAs } = row;
        if (row.aside !== null) addAside(this.staged, connectionId, asideOf(row.aside));
        else if (!this.isInWindow(row)) this.tally.outside(connectionId, 1);
        else if (sameAs === null) await this.unpairedRow(row, 'without_id');
        else if (before?.connectionId === connectionId && before.sameAs === sameAs) {
          await this.unpairedRow(row, 'doubled');
          // Without a message of ours, nothing shows which is right; a row under another contact may belong to another.
          const isEqual = row.contact === before.contact && row.direction === before.direction;
          await this.doubled(connectionId, { keptRowId: before.rowId, rowId: row.rowId, isEqual });
        } else {
          before = row;
          await this.unpairedRow(row, 'only_in_crm');
        }
      }
    }
  }

  /** Known reasons for what is lost. */
  async causes(): Promise<void> {
    const losing = new Set(this.tally.withLosses());
    if (losing.size === 0) return;
    const samples = await readBatchSamples(this.tx, this.scope);
    const log = await RawLog.open(this.tx);
    const found = await findFirstOnly(
      log,
      samples,
      ({ connectionId, externalId, isKept }) =>
        losing.has(connectionId) && (isKept || this.someLost.has(externalId)),
    );
    for (const [connectionId, lost] of found) this.tally.cause(connectionId, 'first_of_batch_only', lost);
  }

  private async unpairedRow(
    { connectionId, externalId, rowId, type }: UnpairedRow,
    className: 'only_in_crm' | 'doubled' | 'without_id',
  ): Promise<void> {
    this.tally.count(connectionId, className, null);
    if (className === 'only_in_crm') this.wanted(connectionId, rowId);
    const sign = className === 'only_in_crm' ? '-' : className === 'doubled' ? '*' : '!';
    await this.item({ sign, class: className, connectionId, externalId, rowId, detail: type });
  }

  /** A row to adopt. */
  private wanted(connectionId: string, rowId: string): void {
    const { onlyInCrm } = this.scope;
    if (onlyInCrm === undefined) return;
    const rows = onlyInCrm.get(connectionId) ?? new Set<string>();
    onlyInCrm.set(connectionId, rows.add(rowId));
  }

  private async doubled(connectionId: string, row: Omit<DoubledRow, 'connection'>): Promise<void> {
    await this.scope.onDoubled?.({ connection: this.tally.crmKeyOf(connectionId), ...row });
  }

  private isInWindow({ at, storedAt, isContactInScope }: UnpairedRow): boolean {
    const time = at ?? storedAt;
    const { since, until } = this.scope;
    if (!isContactInScope) return false;
    return time === null || ((since === null || time >= since) && (until === null || time < until));
  }

  private async item({
    connectionId,
    ...item
  }: Omit<ComparedItem, 'connection'> & { connectionId: string }): Promise<void> {
    const { onItem, repaired } = this.scope;
    if (item.externalId !== null && repaired?.has(item.externalId) === true)
      this.tally.countRepaired(item.class);
    await onItem?.({ ...item, connection: this.tally.nameOf(connectionId) });
  }
}

function asideOf(word: string): AsideReason {
  const reason = ASIDE_REASONS.find((known) => known === word);
  if (reason === undefined) throw new Error(`a staged row is aside for an unknown reason: ${word}`);
  return reason;
}
