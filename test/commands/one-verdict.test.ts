import fc from 'fast-check';
import { expect, it } from 'vitest';
import { acknowledgeAlerts, listAlerts, unacknowledgeAlerts } from '../../src/commands/alerts/alerts.js';
import type { Alert } from '../../src/audit/alert.js';
import { worstSeverity } from '../../src/model/enumerations.js';
import { dedupe } from '../../src/commands/dedupe/dedupe.js';
import type { ReconcileOptions, ReconcileResult } from '../../src/commands/reconcile/types.js';
import { report } from '../../src/commands/report/report.js';
import type { ReportResult } from '../../src/commands/report/types.js';
import { CHECK_NAMES, type VerifiedItem, type VerifyResult } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import { decodeWamid } from '../../src/identity/wamid.js';
import type { Store } from '../../src/store/store.js';
import { describeOnBackends, type TestBackend } from '../support/databases.js';
import { night as runNight } from '../support/nights.js';
import { ask } from '../support/explaining.js';
import { normalizedDatabase } from '../support/normalized.js';
import { restoreUniqueIndex } from '../support/damage.js';
import { anyLosses, lose, rowLosses, STRANGER, type Loss } from '../support/random-loss.js';
import { metaLog, mixedLog, WEB_CONNECTION } from '../support/random-log.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { tries } from '../support/seed.js';

const flags = fc.record({
  scan: fc.boolean(),
  bodies: fc.boolean(),
  full: fc.boolean(),
  /** Whether a night had proven everything before the damage. */
  proven: fc.boolean(),
  batchSize: fc.constantFrom(1, 3, 1000),
  /** Which of the alerts somebody acknowledges, by their place in the list; `all` of them. */
  acks: fc.oneof(fc.constant('all' as const), fc.array(fc.nat(12), { maxLength: 4 })),
});
type Flags = typeof flags extends fc.Arbitrary<infer F> ? F : never;
type Log = readonly (object | string)[];

const log = fc.oneof(metaLog, mixedLog);

describeOnBackends('after any losses', (backend) => {
  const options = { numRuns: backend.name === 'postgresql' ? tries(6) : 1 };

  it('explain, verify, report and reconcile give one answer, and reconcile mends what the log holds', async () => {
    await fc.assert(
      fc.asyncProperty(log, rowLosses, flags, (bodies, losses, how) =>
        withLog(backend, bodies, how, async (store) => {
          const before = await pictureOf(store, losses);
          await lose(store, losses);
          await sameAnswers(store, how);
          if (isForAPerson(losses)) return;
          await mendByReconcile(store, how);
          await handOver(store);
          expect(await pictureOf(store, losses)).toEqual(before);
          expect((await night(store, how)).figures).toMatchObject({ restored: 0, missing: 0, doubled: 0 });
          expect(await lossesIn(store)).toEqual([]);
        }),
      ),
      options,
    );
  }, 300_000);

  backend.once(
    'also of the raw log, they give one answer, and the file brings back what it lost',
    async () => {
      await fc.assert(
        fc.asyncProperty(log, anyLosses, flags, (bodies, losses, how) =>
          withLog(backend, bodies, how, async (store) => {
            const before = await pictureOf(store, losses);
            await lose(store, losses);
            await sameAnswers(store, how);
            if (isForAPerson(losses)) return;
            await mendByReconcile(store, how);
            await sameAnswers(store, how);
            // Twice: a copy stands in the way of its message until it is merged.
            for (let times = 0; times < 2; times += 1) {
              await replayBodies(store, bodies, { batchSize: how.batchSize });
              await mendByReconcile(store, how);
            }
            expect(await pictureOf(store, losses)).toEqual(before);
            expect(await lossesIn(store)).toEqual([]);
          }),
        ),
        options,
      );
    },
    300_000,
  );
});

/** A copy of which one or the other was changed is two messages under one id: nothing merges those, a person looks. */
function isForAPerson(losses: readonly Loss[]): boolean {
  return losses.some(({ kind }) => kind === 'copy') && losses.length > 1;
}

async function withLog(
  backend: TestBackend,
  bodies: Log,
  how: Flags,
  work: (store: Store) => Promise<void>,
): Promise<void> {
  const store = await backend.open();
  try {
    await store.sql.execute(
      `insert into connections (id, organization_id, name, kind, phone_number_id, display_phone_number, history_sync_status)
         select gen_random_uuid(), id, $1, 'coexistence', $2, $3, 'pending_consent' from organizations where slug = 'default'`,
      [WEB_CONNECTION.name, WEB_CONNECTION.phoneNumberId, WEB_CONNECTION.number],
    );
    await replayBodies(store, bodies, { batchSize: how.batchSize });
    if (how.proven) await night(store, how);
    await work(store);
  } finally {
    await restoreUniqueIndex(store);
    await store.close();
  }
}

/**
 * The database without the rows of strangers, which every command leaves where they are, and without what is on record about
 * raw entries that are gone.
 */
async function pictureOf(store: Store, losses: readonly Loss[]): Promise<Record<string, unknown[]>> {
  const { messages = [], rejects = [], ...others } = await normalizedDatabase(store);
  // The times and the lead of a conversation follow from a stranger's rows, too.
  const isStrange = losses.some(
    ({ kind }) => kind === 'stranger' || kind === 'foreign' || kind === 'rehomed',
  );
  return {
    ...(isStrange ? {} : others),
    messages: messages.filter((row) => !JSON.stringify(row).includes(STRANGER)),
    rejects: rejects.filter((row) => !JSON.stringify(row).includes('"sha256":null')),
  };
}

function night(
  store: Store,
  { full, batchSize }: Pick<Flags, 'full' | 'batchSize'>,
  options: Partial<ReconcileOptions> = {},
): Promise<ReconcileResult> {
  return runNight(store, { full, apply: true, register: true, batchSize, ...options });
}

/**
 * What no entry holds, a person hands over to the other program. Of what was moved to a connection that its entry is not about,
 * nothing is left then but a row that this program does not know.
 */
async function handOver(store: Store): Promise<void> {
  await verify(testContext(store), { checks: new Set(['raw_log']), enforce: true });
  await store.sql.execute(
    `delete from messages where batch_id is null and external_id not like '${STRANGER}%'`,
  );
}

/**
 * A night leaves it to a person to merge more than a small share of the messages; the person looks, and says yes. What it has
 * restored may have a copy, which the next one merges.
 */
async function mendByReconcile(store: Store, how: Flags): Promise<void> {
  for (let nights = 0; nights < 3; nights += 1) {
    const { heldBack, figures } = await night(store, how);
    if (figures.doubled === 0) return;
    if (heldBack === undefined) continue;
    await dedupe(testContext(store), {
      classes: new Set(['same_id', 'same_message']),
      apply: true,
      batchSize: how.batchSize,
      force: true,
      recordedOptions: {},
    });
  }
}

interface Checked {
  result: VerifyResult;
  items: VerifiedItem[];
}

async function verifyItems(store: Store, connection?: string): Promise<Checked> {
  const items: VerifiedItem[] = [];
  const result = await verify(testContext(store), {
    checks: new Set(CHECK_NAMES),
    enforce: false,
    onItem: (item) => {
      items.push(item);
    },
    ...(connection === undefined ? {} : { connection }),
  });
  return { result, items };
}

/** What verify says of the losses, as lines. */
async function lossesIn(store: Store): Promise<string[]> {
  const { result } = await verifyItems(store);
  return (
    result.checks
      // What was rejected is no matter of the database.
      .filter(({ check, severity }) => severity === 'loss' && check !== 'rejects')
      .map(({ check, summary }) => `${check}: ${summary}`)
  );
}

/** One message has two names (M10): the key id of WhatsApp Web is inside the wamid. */
function nameOf(id: string): string {
  return decodeWamid(id)?.stanzaId ?? id;
}

async function sameAnswers(store: Store, how: Flags): Promise<void> {
  const whole = await verifyItems(store);
  await sameAsExplain(store, whole, how);
  const said = await sameAsReport(store, whole);
  await sameAsReconcile(store, whole, how);
  await sameOfForeignRows(store, whole, said);
  await sameByConnection(store, whole);
  await sameAcknowledged(store, whole, how);
}

/** What report and reconcile look at besides. */
const NOT_OF_VERIFY: ReadonlySet<Alert['kind']> = new Set([
  'silent',
  'run_died',
  'partner_removed',
  'no_history',
  'declined',
]);

/** What somebody has acknowledged is so for all three, and for all three no longer once it is taken back. */
async function sameAcknowledged(store: Store, { result: before }: Checked, how: Flags): Promise<void> {
  const limits = { historyMinutes: 60, silentHours: 1_000_000 };
  const { alerts } = await listAlerts(testContext(store), { audit: true, ...limits });
  const { acks } = how;
  // All by their kinds: each acknowledgement looks at the whole database first.
  const meant =
    acks === 'all'
      ? [...new Set(alerts.map(({ kind }) => kind))]
      : alerts.filter((_, place) => acks.includes(place)).map(({ id }) => id);
  if (meant.length === 0) return;
  for (const alert of meant) await acknowledgeAlerts(testContext(store), { alert, ...limits });
  const { result } = await verifyItems(store);
  const said = await report(testContext(store), reportOptions({ silentHours: 1_000_000 }));
  const { report: parts } = await night(store, how, { dryRun: true });
  // verify notes more than alerts are raised of: what is to come, or cannot be read.
  const inNight = parts?.alerts ?? [];
  const open = (list: readonly Alert[]): unknown => {
    const own = list.filter(({ kind, acknowledged }) => acknowledged === null && !NOT_OF_VERIFY.has(kind));
    return worstSeverity(own.flatMap(({ severity }) => (severity === 'note' ? [] : severity)));
  };
  const severity = result.severity === 'note' ? null : result.severity;
  const told = result.checks.map(({ check, severity, summary }) => ({ check, severity, summary }));
  expect({ severity, told }).toEqual({ severity: open(said.alerts), told });
  expect(open(inNight)).toBe(severity);
  for (const alert of meant) await unacknowledgeAlerts(testContext(store), { alert });
  expect((await verifyItems(store)).result.checks).toEqual(before.checks);
}

/** Which ids are not fine, by what is wrong with them. */
type Faults = Record<'faulty' | 'doubled' | 'gone' | 'damaged', Set<string>>;

/**
 * Where the index is gone and an id has several rows, `verify` holds the log against one of them and tells of the others by
 * themselves, and `explain` holds it against each: there, that the id is not fine is one answer.
 */
async function sameAsExplain(store: Store, { items }: Checked, { scan, bodies }: Flags): Promise<void> {
  const ids = await idsIn(store, items);
  const verified = await faultsOf(store, items);
  // Where a row was renamed, its key id still finds it.
  const renamed = await store.sql.query(
    `select stanza_id from messages where external_id = any(string_to_array($1, ' ')) and stanza_id is not null`,
    [
      items
        .flatMap(({ check, sign, subject }) => (check === 'raw_log' && sign === '-' ? subject : []))
        .join(' '),
    ],
  );
  for (const { stanza_id: key } of renamed) if (ids.includes(String(key))) verified.faulty.add(String(key));
  const explained = newFaults();
  for (const id of ids) {
    const { findings } = await ask(store, id, { as: 'message', scan, bodies });
    for (const { outcome } of findings) {
      if (outcome === 'gone' || outcome === 'damaged') explained[outcome].add(nameOf(id));
      else if (outcome === 'missing' || outcome === 'different') explained.faulty.add(nameOf(id));
    }
  }
  const several = await namesWithSeveralRows(store);
  const sole = (names: ReadonlySet<string>): string[] => sorted(names).filter((name) => !several.has(name));
  const all = ({ faulty, doubled, gone, damaged }: Faults): string[] =>
    sorted([...faulty, ...doubled, ...gone, ...damaged]);
  for (const kind of ['faulty', 'gone', 'damaged'] as const)
    expect([kind, sole(explained[kind])]).toEqual([kind, sole(verified[kind])]);
  expect(all(explained)).toEqual(all(verified));
}

function newFaults(): Faults {
  return { faulty: new Set(), doubled: new Set(), gone: new Set(), damaged: new Set() };
}

async function faultsOf(store: Store, items: readonly VerifiedItem[]): Promise<Faults> {
  const faults = newFaults();
  for (const { check, sign, subject, detail } of items) {
    if (!isId(subject)) continue;
    const name = nameOf(subject);
    if (check === 'raw_log' && (sign === '+' || sign === '*' || sign === '-')) faults.faulty.add(name);
    if (check === 'duplicate_ids' && sign === '*') faults.doubled.add(name);
    if (check === 'collisions' && sign === '!' && detail.includes(': rows')) faults.doubled.add(name);
    if (check === 'raw_entry' && sign === '-' && detail.includes('is gone')) faults.gone.add(name);
  }
  const damaged = await store.sql.query(
    `select m.external_id from messages m join webhook_log w on w.id = m.batch_id where sha256(w.raw_body) <> w.sha256`,
  );
  for (const { external_id: id } of damaged) faults.damaged.add(nameOf(String(id)));
  return faults;
}

/** Entries are named `log:…`, items without an id by their path. */
function isId(subject: string): boolean {
  return !/^(log:|\$|message )/.test(subject);
}

async function namesWithSeveralRows(store: Store): Promise<Set<string>> {
  const rows = await store.sql.query(
    'select external_id as id from messages group by connection_id, external_id having count(*) > 1',
  );
  return new Set(rows.map(({ id }) => nameOf(String(id))));
}

function sorted(ids: Iterable<string>): string[] {
  return [...new Set(ids)].sort();
}

/** Every id that anything knows of. */
async function idsIn(store: Store, items: readonly VerifiedItem[]): Promise<string[]> {
  const rows = await store.sql.query(
    `select external_id as id from messages union select target_external_id from pending_facts`,
  );
  return sorted([
    ...rows.map(({ id }) => String(id)),
    ...items
      .filter(({ check }) => check === 'raw_log')
      .flatMap(({ subject }) => (isId(subject) ? [subject] : [])),
  ]);
}

async function sameAsReport(store: Store, { result, items }: Checked): Promise<ReportResult> {
  const said = await report(testContext(store), reportOptions());
  const { alerts, audit } = said;
  const signs = (sign: VerifiedItem['sign']): number =>
    items.filter((item) => item.check === 'raw_log' && item.sign === sign).length;
  const lost = alerts.filter(({ severity }) => severity === 'loss');
  expect(lost.length > 0).toBe(result.severity === 'loss');
  const { missing, different, unapplied, doubled, damaged } = audit ?? {};
  expect({ missing, others: (different ?? 0) + (unapplied ?? 0) + (doubled ?? 0) }).toEqual({
    missing: signs('+'),
    others: signs('*'),
  });
  expect(missing).toBe(result.missing);
  const altered = await store.sql.query(`select from webhook_log where sha256(raw_body) <> sha256`);
  expect(damaged).toBe(altered.length);
  return said;
}

async function sameAsReconcile(store: Store, { result }: Checked, how: Flags): Promise<void> {
  const { figures, report: told, verify: verified } = await night(store, how, { dryRun: true });
  expect({ missing: figures.missing, doubled: figures.doubled, messages: figures.messages }).toEqual({
    missing: result.missing,
    doubled: result.doubled,
    messages: result.messages,
  });
  expect(verified?.severity).toBe(result.severity);
  const alerts = told?.alerts ?? [];
  expect(alerts.some(({ severity }) => severity === 'loss')).toBe(result.severity === 'loss');
  expect(figures.lost > 0).toBe(alerts.some(({ severity }) => severity === 'loss'));
  expect(figures.notes).toBe(alerts.filter(({ severity }) => severity === 'note').length);
  const rows = await store.sql.query('select from messages where batch_id is null');
  if (rows.length > 0) expect(figures.notes).toBeGreaterThan(0);
}

/** Rows of another program are a note of all three, with the same number, and `--fail-on note` exits alike. */
async function sameOfForeignRows(store: Store, { result }: Checked, whole: ReportResult): Promise<void> {
  const rows = await store.sql.query('select from messages where batch_id is null');
  const quick = await report(testContext(store), reportOptions({ audit: false }));
  for (const { alerts } of [quick, whole]) {
    const foreign = alerts.filter(({ kind }) => kind === 'foreign_messages');
    expect(foreign.reduce((sum, { count }) => sum + (count ?? 0), 0)).toBe(rows.length);
  }
  if (rows.length === 0) return;
  expect(result.severity).not.toBeNull();
  expect(whole.severity).not.toBeNull();
}

async function sameByConnection(store: Store, { items }: Checked): Promise<void> {
  const lines = (list: readonly VerifiedItem[]): string[] =>
    sorted(
      list
        .filter(({ check, sign }) => check === 'raw_log' && (sign === '+' || sign === '*'))
        .map(({ sign, connection, subject }) => `${sign} ${connection ?? ''} ${subject}`),
    );
  const parts: VerifiedItem[] = [];
  for (const { name } of await store.sql.query('select name from connections'))
    parts.push(...(await verifyItems(store, String(name))).items);
  expect(lines(parts)).toEqual(lines(items));
}
