import { canonicalPhone, phoneEquivalents } from '../../identity/phone.js';
import type { ConnectionKind, HistorySyncStatus } from '../../model/enumerations.js';
import { violatedConstraint } from '../../store/sql-state.js';
import {
  readConnectionRecords,
  updateConnectionRecord,
  type ConnectionFields,
  type ConnectionRecord,
} from '../../store/tables/connections.js';
import { requeueEntriesNaming } from '../../store/tables/webhook-log.js';
import type { Context } from '../../context.js';
import { countWaiting, type WaitingEntries } from './add.js';
import { findConnection } from './find.js';
import { missingChunks } from './list.js';
import { parseBusinessPhone } from './phone.js';
import { assertReachable, assertUnique, checkId, checkName, initialHistoryStatus } from './validate.js';
import { viewOf, type ConnectionView } from './view.js';

/** What is to change; what is absent stays. */
export interface ConnectionChanges {
  name?: string;
  kind?: ConnectionKind;
  phone?: string;
  phoneNumberId?: string;
  wabaId?: string;
}

export interface EditConnectionResult {
  schemaVersion: 1;
  command: 'connection edit';
  connection: ConnectionView;
  /** Names of the fields that now say something else. */
  changed: string[];
  waiting: WaitingEntries;
}

/** Changes a connection. Throws ConfigError when it is not there, or for values that are wrong or taken. */
export async function editConnection(
  ctx: Context,
  reference: string,
  changes: ConnectionChanges,
  organization?: string,
): Promise<EditConnectionResult> {
  const { store } = ctx;
  const before = await findConnection(ctx, reference, organization);
  const after = applyChanges(before, changes);
  assertReachable(after);
  const slug = before.organization;
  assertUnique(after, slug, await others(ctx, before.id));
  try {
    await updateConnectionRecord(store.sql, {
      ...after,
      id: before.id,
      historySyncStatus: historyStatusAfter(before, after.kind),
    });
  } catch (error) {
    if (violatedConstraint(error)?.kind === 'unique') assertUnique(after, slug, await others(ctx, before.id));
    throw error;
  }
  await requeueOwnNumbers(ctx, before, after);
  const record = (await readConnectionRecords(store.sql, { id: before.id }))[0] ?? before;
  return {
    schemaVersion: 1,
    command: 'connection edit',
    connection: viewOf(record, (await missingChunks(ctx, [before.id])).get(before.id) ?? []),
    changed: changedFields(before, after),
    waiting: await countWaiting(store, after),
  };
}

/** Entries about the number that it had, and about the one that it has now, are due again: that number is no lead (I4). */
async function requeueOwnNumbers(
  ctx: Context,
  before: Pick<ConnectionFields, 'displayPhoneNumber'>,
  after: Pick<ConnectionFields, 'displayPhoneNumber'>,
): Promise<void> {
  if (before.displayPhoneNumber === after.displayPhoneNumber) return;
  const numbers = [before, after].flatMap(({ displayPhoneNumber }) =>
    displayPhoneNumber === null ? [] : (canonicalPhone(displayPhoneNumber) ?? []),
  );
  const names = numbers.flatMap((number) => [number, ...phoneEquivalents(number)]);
  await ctx.store.transaction((tx) => requeueEntriesNaming(tx, names));
}

async function others(ctx: Context, id: string): Promise<ConnectionRecord[]> {
  return (await readConnectionRecords(ctx.store.sql)).filter((record) => record.id !== id);
}

function applyChanges(before: ConnectionRecord, changes: ConnectionChanges): ConnectionFields {
  return {
    name: changes.name === undefined ? before.name : checkName(changes.name),
    kind: changes.kind ?? before.kind,
    displayPhoneNumber:
      changes.phone === undefined ? before.displayPhoneNumber : parseBusinessPhone(changes.phone),
    phoneNumberId:
      changes.phoneNumberId === undefined
        ? before.phoneNumberId
        : checkId(changes.phoneNumberId, 'phone_number_id'),
    wabaId: changes.wabaId === undefined ? before.wabaId : checkId(changes.wabaId, 'waba_id'),
  };
}

/** The history status follows the kind as long as nothing has come of the history; what a webhook has said stays. */
function historyStatusAfter(before: ConnectionRecord, kind: ConnectionKind): HistorySyncStatus | null {
  const untouched = before.historySyncStatus === initialHistoryStatus(before.kind);
  return untouched && before.historySyncStartedAt === null ? initialHistoryStatus(kind) : null;
}

function changedFields(before: ConnectionRecord, after: ConnectionFields): string[] {
  const fields = ['name', 'kind', 'displayPhoneNumber', 'phoneNumberId', 'wabaId'] as const;
  const words = {
    name: 'name',
    kind: 'kind',
    displayPhoneNumber: 'phone',
    phoneNumberId: 'phoneNumberId',
    wabaId: 'wabaId',
  };
  return fields.filter((field) => before[field] !== after[field]).map((field) => words[field]);
}
