import { amount } from '../../model/amount.js';
import { minuteOf } from '../../model/time.js';
import { readErasureDamage, readUnfinishedErasures } from '../../store/tables/erasures.js';
import { countRemoved, readExcessRemovals, streamBareEntries } from '../../store/tables/removed-bodies.js';
import { FINISH_ERASURE, FORGET_ERASED } from '../contacts/erased-people.js';
import { explainRemedy, forEachRow, joined, scopeOf, type Check } from './check.js';

/**
 * What bodies that were removed on purpose still tell: a run with a journal removed each of them, and as many messages name their entries
 * as then. What is in such a message can no longer be compared; that it is there, can. An erasure that has not ended has taken out bodies whose messages are
 * still there: these are no loss, and only the erasure decides about them. Where the record of who was erased is damaged, they would come
 * back.
 */
export const removedBodiesCheck: Check = {
  severity: 'loss',
  async run(view, recorder) {
    const { pruned, erased, items, messages: theirs } = await countRemoved(view.sql);
    recorder.checked = pruned + erased;
    const { connectionIds } = scopeOf(view);
    let example: string | null = null;
    let unexplained = 0;
    let messages = 0;
    for (const { runId, entries, example: id } of connectionIds === null
      ? await readExcessRemovals(view.sql)
      : []) {
      example ??= `log:${id}`;
      unexplained += entries;
      const run = runId === null ? 'no run' : `run ${runId}`;
      const detail = `${amount(entries, 'body is', 'bodies are')} marked as removed by ${run}, which has no record of it`;
      await recorder.finding('!', { connectionId: null, subject: `log:${id}`, detail }, entries);
    }
    await forEachRow(view, streamBareEntries(view.sql, connectionIds), async (bare) => {
      example ??= `log:${bare.id}`;
      messages += bare.messages;
      const gone = amount(bare.messages, 'message that came from it is', 'messages that came from it are');
      const detail = `${bare.origin ?? `log:${bare.id}`}: ${gone} gone, and so is its body`;
      await recorder.finding(
        '-',
        { connectionId: bare.connectionId, subject: `log:${bare.id}`, detail },
        bare.messages,
      );
    });
    const erasures = await readUnfinishedErasures(view.sql);
    for (const { runId, startedAt } of erasures) {
      const detail = `an erasure that began on ${minuteOf(startedAt)} has not ended`;
      await recorder.finding('!', { connectionId: null, subject: `run ${runId}`, detail });
    }
    const { keyless, malformed, nameless } = await readErasureDamage(view.sql);
    const damages = [
      [
        keyless,
        `${amount(keyless, 'hash of an erased name has', 'hashes of erased names have')} lost the key`,
      ],
      [malformed, `${amount(malformed, 'hash of an erased name is', 'hashes of erased names are')} damaged`],
      [nameless, `${amount(nameless, 'erasure has', 'erasures have')} lost all names`],
    ] as const;
    for (const [found, detail] of damages)
      if (found > 0)
        await recorder.finding('!', { connectionId: null, subject: 'erased people', detail }, found);
    const words = joined([
      ...damages,
      [
        unexplained,
        `${amount(unexplained, 'body is', 'bodies are')} marked as removed, and no run has removed them`,
      ],
      [
        messages,
        `${amount(messages, 'message is gone', 'messages are gone')}, and so ${messages === 1 ? 'is its raw body' : 'are their raw bodies'}`,
      ],
      [
        erasures.length,
        `${amount(erasures.length, 'erasure is', 'erasures are')} unfinished, and the same command ends ${erasures.length === 1 ? 'it' : 'them'}`,
      ],
    ]);
    const counts = joined(
      [
        [pruned, `${amount(pruned, 'raw body', 'raw bodies')} pruned`],
        [
          erased,
          `${amount(erased, 'raw body', 'raw bodies')} without erased people (${amount(items, 'item')} erased, ${theirs} of them messages)`,
        ],
      ],
      ', ',
    );
    return {
      summary: words !== '' ? words : counts === '' ? 'No raw body was removed' : `${counts}, each on record`,
      severity: unexplained + messages > 0 ? 'loss' : 'degraded',
      lost: unexplained + messages,
      remedy:
        explainRemedy(example) ??
        (keyless + malformed + nameless > 0 ? FORGET_ERASED : erasures.length > 0 ? FINISH_ERASURE : null),
    };
  },
};
