import { countMessages, MEDIA_WINDOW_DAYS, streamOwedMedia } from '../../store/checks/messages.js';
import { amount } from '../../model/amount.js';
import type { Check } from './check.js';
import { Recorder } from './recorder.js';
import { scopeOf } from './scope-of.js';
import { dayOf } from './words.js';

const WINDOW_MS = MEDIA_WINDOW_DAYS * 24 * 60 * 60 * 1000;

/** Files that a history announced and that have not come. Nothing to mend: Meta sends them within the window, or never. */
export const mediaOwedCheck: Check = {
  name: 'media_owed',
  title: 'every file of the history has come',
  async run(view) {
    const recorder = new Recorder(view, 'media_owed');
    const scope = scopeOf(view);
    recorder.checked = await countMessages(view.sql, scope);
    let waiting = 0;
    let lastDay = 0;
    for await (const owed of streamOwedMedia(view.sql, scope)) {
      if (view.signal.aborted) break;
      for (const { connectionId, externalId, type, timestamp } of owed) {
        const ends = timestamp + WINDOW_MS;
        const isOpen = ends > view.now;
        if (isOpen) waiting += 1;
        lastDay = Math.max(lastDay, ends);
        const detail = `${type}, ${isOpen ? 'can come until' : 'could come until'} ${dayOf(ends)}`;
        await recorder.note(isOpen ? '!' : '-', { connectionId, subject: externalId ?? 'no id', detail });
      }
    }
    if (recorder.noted === 0) return recorder.result('no history media outstanding', null);
    const expired = recorder.noted - waiting;
    const parts = [
      ...(waiting > 0 ? [`${amount(waiting, 'file')} can still come, the last until ${dayOf(lastDay)}`] : []),
      ...(expired > 0 ? [`${amount(expired, 'file')} will not come any more`] : []),
    ];
    return recorder.result(`Owed by the history: ${parts.join('; ')}`, null);
  },
};
