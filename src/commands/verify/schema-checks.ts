import { ENFORCE_VALUES_REMEDY } from '../../audit/derived-rows.js';
import { findLackingConnections } from '../../audit/lacking-connections.js';
import { amount } from '../../model/amount.js';
import { CAME_LIVE_SQL } from '../../rules/evidence.js';
import {
  readConstraintStates,
  MESSAGE_KEY,
  readDoubledKeys,
  readKeyStates,
  type KeyState,
  type UniqueKey,
} from '../../store/checks/schema.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import { countMessages } from '../../store/checks/messages.js';
import { streamMalformed } from '../../store/checks/malformed.js';
import { streamOwnNumberChats, type OwnNumberChat } from '../../store/checks/own-numbers.js';
import { streamBrokenRelations } from '../../store/checks/relations.js';
import {
  copiesRemedy,
  DEDUPE_REMEDY,
  ENFORCE_INDEX_REMEDY,
  REPLAY_ALL_REMEDY,
  forEachRow,
  joined,
  scopeOf,
  type Check,
  type Recorder,
  type VerifyView,
} from './check.js';

/** Every unique index and primary key exists, is valid and on its columns: they prevent duplicates, whoever writes. */
export const uniqueIndexCheck: Check = {
  severity: 'degraded',
  async run({ sql }, recorder) {
    const states = await readKeyStates(sql);
    recorder.checked = states.size;
    for (const [key, state] of states) {
      const item = { connectionId: null, subject: key.index, detail: detailOf(key, state) };
      if (state.state === 'sound') await recorder.good(item);
      else await recorder.finding('*', item);
    }
    const { found } = recorder;
    const isOpen = [...states].some(([{ table }, { state }]) => table === 'webhook_log' && state !== 'sound');
    return found === 0
      ? {
          summary: `${amount(states.size, 'unique index', 'unique indexes')} present and valid`,
        }
      : {
          summary: `${amount(found, 'unique index is', 'unique indexes are')} missing or invalid`,
          remedy: (isOpen ? await copiesRemedy(sql) : null) ?? ENFORCE_INDEX_REMEDY,
        };
  },
};

function detailOf(key: UniqueKey, state: KeyState): string {
  const place = `${key.table} (${key.columns.join(', ')})`;
  switch (state.state) {
    case 'sound':
      return state.by === key.index ? place : `${place}, by ${state.by}`;
    case 'missing':
      return `is missing on ${place}`;
    case 'wrong':
      return `${state.why}; expected on ${place}`;
    case 'table_missing':
      return `the table ${key.table} is missing`;
  }
}

const SAMPLES = 5;

/** Other checks report duplicates of these. */
const CHECKED_ELSEWHERE = new Set([
  MESSAGE_KEY.index,
  'conversations_lead_id_connection_id_key',
  'tickets_one_open_per_conversation',
]);

/**
 * Messages, conversations, leads, connections and organizations are consistent, each row can be read, and the constraints that
 * ensure it exist.
 */
export const consistencyCheck: Check = {
  severity: 'degraded',
  async run(view, recorder) {
    const scope = scopeOf(view);
    recorder.checked = await countMessages(view.sql, scope);
    const by = { log: false, enforce: false };
    const relations = streamBrokenRelations(view.sql, scope, CAME_LIVE_SQL);
    await forEachRow(view, relations, async ({ isInLog, isDerived, ...broken }) => {
      by.log ||= isInLog;
      by.enforce ||= isDerived;
      await recorder.finding('*', broken);
    });
    const misfits = recorder.found;
    const malformed = await findMalformed(view, recorder);
    by.enforce ||= malformed > 0;
    const own = await findOwnNumbers(view, recorder);
    by.log ||= own.entered > 0;
    const lacking = await findLacking(view, recorder);
    by.log ||= lacking > 0;
    const doubled = await findDoubledKeys(view, recorder);
    const constraints = await findLooseConstraints(view, recorder);
    const others = own.entered + own.strange.size;
    if (recorder.found === 0) return { summary: 'All foreign keys are consistent' };
    const summary = joined([
      [
        misfits,
        amount(misfits, 'row references a row that does not match', 'rows reference rows that do not match'),
      ],
      [
        malformed,
        amount(malformed, 'row holds a value that cannot be read', 'rows hold values that cannot be read'),
      ],
      [
        others,
        `${amount(others, 'contact has', 'contacts have')} a number that the connection has as its own`,
      ],
      [
        lacking,
        `${amount(lacking, 'connection lacks', 'connections lack')} a number or a WABA that entries have named`,
      ],
      [
        doubled.rows,
        amount(doubled.rows, 'row repeats the key of another', 'rows repeat the keys of others'),
      ],
      [
        constraints,
        // No command adds a constraint: the rows that break it must be fixed first.
        `${amount(constraints, 'constraint')} missing or not validated: add by hand as in prisma/migrations`,
      ],
    ]);
    if (doubled.leads) return { summary, remedy: DEDUPE_REMEDY };
    // A number that is not its own would hide what its contact writes.
    if (own.strange.size > 0) return { summary, remedy: ownNumberRemedy(view, own.strange) };
    // A replay opens a ticket where one is away: they go back first.
    const values = by.enforce ? ENFORCE_VALUES_REMEDY : null;
    return { summary, remedy: values ?? (by.log ? REPLAY_ALL_REMEDY : null) };
  },
};

/** Rows of which a part reads as absent, because no reader takes it. */
async function findMalformed(view: VerifyView, recorder: Recorder): Promise<number> {
  let malformed = 0;
  await forEachRow(view, streamMalformed(view.sql, scopeOf(view)), async (row) => {
    malformed += 1;
    await recorder.finding('*', row);
  });
  return malformed;
}

/** Contacts with a connection's own number: `entered` by a person, whom a replay removes; and the strange numbers. */
async function findOwnNumbers(
  view: VerifyView,
  recorder: Recorder,
): Promise<{ entered: number; strange: Map<string, OwnNumberChat> }> {
  const found = { entered: 0, strange: new Map<string, OwnNumberChat>() };
  await forEachRow(view, streamOwnNumberChats(view.sql, scopeOf(view)), async (chat) => {
    const { connectionId, conversationId, number, isEntered } = chat;
    if (isEntered) found.entered += 1;
    else found.strange.set(number, chat);
    const detail = `is with ${number}, which the connection has as its own number`;
    await recorder.finding('*', { connectionId, subject: `conversation ${conversationId}`, detail });
  });
  return found;
}

/** Connections without what entries have named: a replay completes them (H1). */
async function findLacking({ sql, connections }: VerifyView, recorder: Recorder): Promise<number> {
  const lacking = await findLackingConnections(sql, connections);
  for (const { connection, lacks } of lacking) {
    const detail = `lacks its ${lacks.join(' and its ')}, which entries have named`;
    await recorder.finding('*', {
      connectionId: connection.id,
      subject: `connection ${connection.name}`,
      detail,
    });
  }
  return lacking.length;
}

/** Where a person enters the right number, it is the only one. Null if no other one is known. */
function ownNumberRemedy(
  { connections }: VerifyView,
  strange: ReadonlyMap<string, OwnNumberChat>,
): Remedy | null {
  const [one] = strange.values();
  const row = connections.find(({ id }) => id === one?.connectionId);
  const known = row === undefined ? [] : [row.displayPhoneNumber, ...[...row.numbers].reverse()];
  const own = known.find((number) => number !== null && !strange.has(number)) ?? null;
  return row === undefined || own === null
    ? null
    : remedy('connection edit', [row.name, '--phone', own], 'leaves it only its own number; then replay');
}

/** Rows with the same key, if no valid index rules them out. */
async function findDoubledKeys(
  view: VerifyView,
  recorder: Recorder,
): Promise<{ rows: number; leads: boolean }> {
  const found = { rows: 0, leads: false };
  for (const [key, { state }] of await readKeyStates(view.sql)) {
    if (view.signal.aborted) break;
    if (state === 'sound' || state === 'table_missing' || CHECKED_ELSEWHERE.has(key.index)) continue;
    const { rows, groups, samples } = await readDoubledKeys(view.sql, key, SAMPLES);
    if (rows === 0) continue;
    found.rows += rows;
    if (key.table === 'leads') found.leads = true;
    const shared = `${amount(groups, 'group of rows shares', 'groups of rows share')} ${key.columns.join(', ')}`;
    const detail = `${shared}: ${samples.join('; ')}${groups > samples.length ? '; …' : ''}`;
    await recorder.finding('*', { connectionId: null, subject: key.table, detail }, rows);
  }
  return found;
}

async function findLooseConstraints(view: VerifyView, recorder: Recorder): Promise<number> {
  let loose = 0;
  for (const { what, fault } of await readConstraintStates(view.sql)) {
    if (fault === null) continue;
    loose += 1;
    await recorder.finding('*', { connectionId: null, subject: what, detail: `is ${fault}` });
  }
  return loose;
}
