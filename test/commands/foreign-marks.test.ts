import { expect, it } from 'vitest';
import { report } from '../../src/commands/report/report.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { dumpDatabase } from '../support/damage.js';
import { describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { edit, live, revoke, wamid } from '../support/webhooks.js';

const LOG = [
  live('PLAIN', 0),
  live('REPLY', 5, { context: { from: '5511900000000', id: wamid('PLAIN') } }),
  live('EDITED', 10, { text: { body: 'before' } }),
  edit('EDITED', 'E', 11, { type: 'text', text: { body: 'after' } }),
  live('REVOKED', 20),
  revoke('REVOKED', 21),
  live('BOTH', 30, { text: { body: 'before' } }),
  edit('BOTH', 'B', 31, { type: 'text', text: { body: 'after' } }),
  revoke('BOTH', 32),
];

/** What each of the three says, as one: how many marks, and whether anything is worse than a note. */
async function noted(store: Store): Promise<Record<string, unknown>> {
  const { checks, severity } = await verify(testContext(store), {
    checks: new Set(CHECK_NAMES),
    enforce: false,
  });
  const check = checks.find((one) => one.check === 'raw_entry');
  const { alerts } = await report(testContext(store), reportOptions());
  const marks = alerts.filter(({ kind }) => kind === 'foreign_marks');
  return {
    verify: check?.found,
    severity,
    report: marks.reduce((sum, { count }) => sum + (count ?? 0), 0),
    severities: [...new Set(marks.map((one) => one.severity))],
  };
}

describeOnServer('what another program marks a message of the raw log as', (backend) => {
  it('is no mark where the log says it', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    expect(await noted(store)).toEqual({ verify: 0, severity: null, report: 0, severities: [] });
  });

  it.each([
    ['PLAIN', 'deleted', `deleted_at = '2030-01-01'`],
    ['PLAIN', 'edited', `edited_at = '2030-01-01'`],
    ['PLAIN', 'edited', `edited_at = '2030-01-01', edit_external_id = 'X'`],
    ['PLAIN', 'a reply', `context_external_id = 'X'`],
  ])('%s as %s: is a note of verify, report and explain, and stays', async (key, word, change) => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await store.sql.execute(`update messages set ${change} where external_id = $1`, [wamid(key)]);
    const before = await dumpDatabase(store);
    expect(await noted(store)).toEqual({ verify: 1, severity: 'note', report: 1, severities: ['note'] });
    const { findings, verdict, notices } = await ask(store, wamid(key));
    expect(findings).toEqual([]);
    for (const text of [verdict, notices.join()])
      expect(text).toContain(`marked as ${word} by another program: no raw entry says so`);
    expect(verdict).not.toContain('revoked');
    await replayBodies(store, LOG);
    const after = await dumpDatabase(store);
    expect(after['messages']).toEqual(before['messages']);
  });
});
