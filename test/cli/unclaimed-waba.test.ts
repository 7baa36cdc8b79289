import { expect, it } from 'vitest';
import { describeOnServer } from '../support/databases.js';
import { BUSINESS, item, live, SECOND, wamid } from '../support/webhooks.js';
import { explainAdvice, follow, reportAdvice, verifyAdvice, verifyCode } from './advised-commands.js';
import { runOn, type Run } from './database-home.js';

/** Names only its WABA: no number, no metadata. */
const bare = (key: string, at: number, waba: string): string =>
  JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: waba, changes: [{ field: 'messages', value: { messages: [item(key, at)] } }] }],
  });

const OWN = '900000000000001';
const OTHER = '900000000000777';
const EDIT = `connection edit +${BUSINESS} --waba-id ${OTHER}`;

// What is advised is the rules' matter: one case on both, which follows the advice to its end.
describeOnServer('an entry that names only a WABA', (backend) => {
  const given = async (...more: readonly string[]): Promise<Run> => {
    const run = runOn(await backend.config());
    await run(['replay', '-', '--register'], { stdin: [JSON.stringify(live('M0', 0)), ...more].join('\n') });
    expect(await verifyCode(run)).toBe(0);
    return run;
  };
  const asOf = (run: Run, connection: string, stdin: string) =>
    run(['replay', '-', '--connection', connection], { stdin });

  it('of another account than its connection: every command names the edit that ends it', async () => {
    const run = await given();
    const { stdout } = await asOf(run, `+${BUSINESS}`, bare('B1', 60, OTHER));
    expect(stdout).toContain(EDIT);
    expect(await verifyAdvice(run)).toBe(EDIT);
    expect(await explainAdvice(run, wamid('B1'))).toContain(EDIT);
    expect(await reportAdvice(run)).toContain(EDIT);
    expect((await run(['reconcile', '--silent-after', '100000h'])).stdout).toContain(EDIT);
    expect(await follow(run, () => verifyAdvice(run))).toEqual([EDIT, 'replay']);
    expect(await verifyCode(run)).toBe(0);
    expect((await run(['explain', wamid('B1')])).code).toBe(0);
  });

  it('that no connection was told for: the edit names the only connection', async () => {
    const run = await given();
    await run(['replay', '-'], { stdin: bare('B1', 60, OTHER) });
    expect(await follow(run, () => verifyAdvice(run))).toEqual([EDIT, 'replay']);
    expect(await verifyCode(run)).toBe(0);
  });

  it('of several connections: the one that it was stored for gets the WABA, or the person says which', async () => {
    const run = await given(JSON.stringify(live('S0', 5, {}, SECOND)));
    await run(['replay', '-'], { stdin: bare('B1', 60, OTHER) });
    expect(await verifyAdvice(run)).toBe(`connection edit NAME --waba-id ${OTHER}`);
    await asOf(run, `+${SECOND.number}`, bare('B2', 60, '900000000000778'));
    expect(await explainAdvice(run, wamid('B2'))).toContain(
      `connection edit +${SECOND.number} --waba-id 900000000000778`,
    );
  });

  it('where other entries name only the WABA that the connection has: a person decides', async () => {
    const run = await given(bare('B0', 30, OWN));
    await asOf(run, `+${BUSINESS}`, bare('B1', 60, OTHER));
    const { stdout } = await run(['verify']);
    expect(stdout).toContain(`connection add --waba-id ${OTHER}`);
    expect(stdout).toMatch(/Decide: .* raw discard log:\S+ takes the entry out/);
    expect(await explainAdvice(run, wamid('B1'))).toContain(`connection add --waba-id ${OTHER}`);
    const number = ['--name', 'second', '--kind', 'cloud_api', '--phone', `+${SECOND.number}`];
    await run(['connection', 'add', '--waba-id', OTHER, ...number]);
    expect(await follow(run, () => verifyAdvice(run))).toEqual(['replay']);
    expect(await verifyCode(run)).toBe(0);
  });

  it('that is no id of a WABA: only raw discard ends it', async () => {
    const run = await given();
    await asOf(run, `+${BUSINESS}`, bare('B1', 60, 'shop'));
    const line = await verifyAdvice(run);
    expect(line).toMatch(/^raw discard log:/);
    expect(await explainAdvice(run, wamid('B1'))).toContain(line);
    await run([...String(line).split(' '), '--apply', '--yes']);
    expect(await verifyCode(run)).toBe(0);
  });
});
