import { describe, expect, it } from 'vitest';
import { verdictsOf } from '../../src/rawlog/claim-verdict.js';
import { RawLog } from '../../src/rawlog/raw-log.js';
import { cpuMs } from '../support/cpu-time.js';
import { useBackend } from '../support/databases.js';
import { replayBodies } from '../support/replaying.js';
import { history, old } from '../support/webhooks.js';

/** One pair of them takes a microsecond, so all pairs take longer than a test may. */
const MESSAGES = 8_000;
const MOST_MS = 5_000;

describe('the rows of a large history chunk', () => {
  const backend = useBackend('postgresql');

  it('are held against it in a time that grows with their number, not with its square', async () => {
    const store = await backend.open();
    const messages = Array.from({ length: MESSAGES }, (_, n) => old(`H${n}`, n - MESSAGES));
    // With a part that is left out: what the tool may have imported once is looked for there, too.
    await replayBodies(store, [history([...messages, old('X', 0, { id: undefined })], { progress: 100 })]);
    const log = await RawLog.open(store.sql);
    for await (const decoded of log.entries({ statuses: [] })) {
      const rows = decoded.sections.flatMap(({ section, connection }) =>
        section.facts.flatMap((fact) =>
          fact.kind === 'message' && connection !== null
            ? [{ ...fact, stanzaId: fact.stanzaId ?? null, connectionId: connection.id }]
            : [],
        ),
      );
      expect(rows).toHaveLength(MESSAGES);
      const strangers = rows
        .slice(0, 200)
        .map((row) => ({ ...row, externalId: `x${row.stanzaId}`, stanzaId: 'x' }));
      const verdicts: boolean[] = [];
      const took = cpuMs(() => {
        const verdictOn = verdictsOf(decoded, log);
        for (const row of [...rows, ...strangers]) verdicts.push(verdictOn(row).holds);
      });
      expect(verdicts.filter((holds) => holds)).toHaveLength(MESSAGES);
      expect(took).toBeLessThan(MOST_MS);
    }
  });
});
