import { countMessages, streamCollisionRecords, streamSameIds } from '../../store/checks/message-ids.js';
import type { Check } from './check.js';
import { Recorder } from './recorder.js';
import { judgeSameId, type SameIdGroup } from './same-id.js';
import { scopeOf } from './scope-of.js';
import { amount, explainCommand, listRows } from './words.js';

/**
 * No id is claimed by two different messages (M9). No machine can tell which one is right, so these are never merged. What
 * replay rejected for it is on record, and only noted.
 */
export const collisionsCheck: Check = {
  name: 'collisions',
  title: 'no id is claimed by two messages',
  async run(view) {
    const recorder = new Recorder(view, 'collisions');
    const scope = scopeOf(view);
    recorder.checked = await countMessages(view.sql, scope);
    let example: string | null = null;
    for await (const rows of streamSameIds(view.sql, scope)) {
      if (view.signal.aborted) break;
      const [first] = rows;
      const group = judgeSameId(rows);
      if (first === undefined || group.why === null) continue;
      const { connectionId, externalId } = first;
      example ??= externalId;
      const detail = `${describe(group)}: ${listRows(rows)}`;
      await recorder.finding('!', { connectionId, subject: externalId, detail });
    }
    for await (const records of streamCollisionRecords(view.sql, scope)) {
      if (view.signal.aborted) break;
      for (const { connectionId, externalId, webhookLogId, path } of records) {
        const detail = `rejected, on record: log:${webhookLogId} ${path}`;
        await recorder.note('!', { connectionId, subject: externalId ?? path, detail });
        if (recorder.found === 0) example ??= externalId;
      }
    }
    const onRecord = `${amount(recorder.noted, 'collision')} rejected and on record`;
    if (recorder.found > 0) {
      const more = recorder.noted > 0 ? `; ${onRecord}` : '';
      return recorder.result(
        `${amount(recorder.found, 'id is', 'ids are')} claimed by several messages${more}`,
        explainCommand(example),
      );
    }
    return recorder.noted > 0
      ? recorder.result(onRecord, explainCommand(example))
      : recorder.result('No id is claimed by two messages', null);
  },
};

function describe({ claims, why }: SameIdGroup): string {
  switch (why) {
    case 'other_conversation':
      return `${amount(claims, 'message')} in several conversations`;
    case 'other_content':
      return `${amount(claims, 'message')} that say different things`;
    case null:
      return '';
  }
}
