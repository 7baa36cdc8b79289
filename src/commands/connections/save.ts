import type { Context } from '../../context.js';
import { canonicalPhone, phoneEquivalents } from '../../identity/phone.js';
import {
  initialHistoryStatus,
  type Provider,
  type ConnectionKind,
  type HistorySyncStatus,
} from '../../model/enumerations.js';
import { ConfigError } from '../../model/errors.js';
import { violatedConstraint } from '../../store/sql-state.js';
import type { Store } from '../../store/store.js';
import {
  countPendingEntries,
  ensureOrganization,
  insertConnectionRecord,
  readConnectionRecords,
  type ConnectionFields,
  updateConnectionRecord,
  type ConnectionRecord,
} from '../../store/tables/connections.js';
import { requeueEntriesNaming, requeueUnnumbered } from '../../store/tables/webhook-log.js';
import { createIdGenerator } from '../../store/uuid.js';
import { findConnection } from './find.js';
import { viewOf, type ConnectionView, missingChunks } from './list.js';
import {
  assertReachable,
  assertUnique,
  checkFields,
  type TypedFields,
  parseBusinessPhone,
  checkId,
  checkName,
} from './validate.js';

export interface NewConnection extends TypedFields {
  /** Slug; a missing organization is created. */
  organization: string;
}

export interface AddConnectionResult {
  schemaVersion: 1;
  command: 'connection add';
  connection: ConnectionView;
  /** True when the organization was created for it. */
  organizationCreated: boolean;
  waiting: WaitingEntries;
}

/** Stored entries that could not be filed without this connection. */
interface WaitingEntries {
  /** They name its phone_number_id: `replay` files them. */
  named: number;
  /**
   * They may belong to it: WhatsApp Web events that name no connection, and entries of an id that it does not have yet.
   */
  possible: number;
}

/** Adds a connection. Throws ConfigError for invalid or taken fields. */
export async function addConnection(ctx: Context, input: NewConnection): Promise<AddConnectionResult> {
  const { store } = ctx;
  const fields = checkFields(input);
  assertReachable(fields);
  const slug = checkSlug(input.organization);
  assertUnique(fields, slug, await readConnectionRecords(store.sql));
  const nextId = createIdGenerator(ctx.clock);
  const organization = await ensureOrganization(store.sql, slug, nextId());
  const id = nextId();
  await insert(store, id, organization.id, slug, fields);
  await requeueSharedWaba(ctx, null, fields);
  const [record] = await readConnectionRecords(store.sql, { id });
  if (record === undefined) throw new Error('the connection that was just stored is gone');
  return {
    schemaVersion: 1,
    command: 'connection add',
    connection: viewOf(record, []),
    organizationCreated: organization.isCreated,
    waiting: await countWaiting(store, fields),
  };
}

async function insert(
  store: Store,
  id: string,
  organizationId: string,
  slug: string,
  fields: ConnectionFields,
): Promise<void> {
  try {
    await insertConnectionRecord(store.sql, {
      ...fields,
      id,
      organizationId,
      historySyncStatus: initialHistoryStatus(fields.kind),
    });
  } catch (error) {
    // Another process added it after the check above: report the same error as the check.
    if (violatedConstraint(error)?.kind === 'unique')
      assertUnique(fields, slug, await readConnectionRecords(store.sql));
    throw error;
  }
}

/** How many stored entries a new or changed connection can take. */
async function countWaiting(
  store: Store,
  { kind, phoneNumberId }: Pick<ConnectionFields, 'kind' | 'phoneNumberId'>,
): Promise<WaitingEntries> {
  const providers: Provider[] = [
    ...(kind === 'cloud_api' ? [] : (['baileys'] as const)),
    ...(kind === 'baileys' || phoneNumberId !== null ? [] : (['meta'] as const)),
  ];
  const { named, ofProviders } = await countPendingEntries(store.sql, { phoneNumberId, providers });
  return { named, possible: ofProviders };
}

function checkSlug(typed: string): string {
  if (!/^[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$/.test(typed)) {
    throw new ConfigError('The slug of an organization has lowercase letters, digits, - and _.', {
      remedy: 'For example --organization acme; leave it out for the organization `default`.',
      inProgram: 'For example organization: "acme"; leave it out for the organization `default`.',
      code: 'invalid_organization',
    });
  }
  return typed;
}

/** The changes; absent fields stay. */
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
  /** Names of the fields that changed. */
  changed: string[];
  waiting: WaitingEntries;
}

/** Changes a connection. Throws ConfigError for an unknown connection, or for invalid or taken values. */
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
      isPhoneEntered: changes.phone !== undefined,
    });
  } catch (error) {
    if (violatedConstraint(error)?.kind === 'unique') assertUnique(after, slug, await others(ctx, before.id));
    throw error;
  }
  const record = (await readConnectionRecords(store.sql, { id: before.id }))[0] ?? before;
  await requeueOwnNumbers(ctx, before, record);
  await requeueSharedWaba(ctx, before, after);
  return {
    schemaVersion: 1,
    command: 'connection edit',
    connection: viewOf(record, (await missingChunks(ctx, [before.id])).get(before.id) ?? []),
    changed: changedFields(before, after),
    waiting: await countWaiting(store, after),
  };
}

/** Entries about the numbers that it had, and about its new one, are due again: only an own number is no lead (I4). */
async function requeueOwnNumbers(
  ctx: Context,
  before: ConnectionRecord,
  after: ConnectionRecord,
): Promise<void> {
  const [had, has] = [new Set(numbersOf(before)), new Set(numbersOf(after))];
  const changed = [...had, ...has].filter((number) => !had.has(number) || !has.has(number));
  if (changed.length === 0) return;
  const names = changed.flatMap((number) => [number, ...phoneEquivalents(number)]);
  await ctx.store.transaction((tx) => requeueEntriesNaming(tx, names));
}

function numbersOf({ displayPhoneNumber: shown, numbers }: ConnectionRecord): string[] {
  return [...numbers, ...(shown === null ? [] : [canonicalPhone(shown) ?? shown])];
}

/** Entries that name only a WABA that now has several numbers are due again: which number they are about is unknown. */
async function requeueSharedWaba(
  ctx: Context,
  before: Pick<ConnectionFields, 'wabaId'> | null,
  { wabaId }: Pick<ConnectionFields, 'wabaId'>,
): Promise<void> {
  if (wabaId === null || wabaId === before?.wabaId) return;
  await ctx.store.transaction((tx) => requeueUnnumbered(tx, wabaId));
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

/** The history status follows the kind until history has started; a status set by a webhook stays. */
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
