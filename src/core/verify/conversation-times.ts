import {
  countConversations,
  streamWrongTimes,
  type ConversationEnds,
} from '../../store/checks/conversations.js';
import type { Check } from './check.js';
import { Recorder } from './recorder.js';
import { scopeOf } from './scope-of.js';
import { amount } from './words.js';

/** A conversation begins and ends with its messages. */
export const conversationTimesCheck: Check = {
  name: 'conversation_times',
  title: 'first and last message of every conversation are right',
  async run(view) {
    const recorder = new Recorder(view, 'conversation_times');
    const scope = scopeOf(view);
    recorder.checked = await countConversations(view.sql, scope);
    for await (const wrong of streamWrongTimes(view.sql, scope)) {
      if (view.signal.aborted) break;
      for (const { id, connectionId, stored, actual } of wrong) {
        const detail = differences(stored, actual).join('; ');
        await recorder.finding('*', { connectionId, subject: `conversation ${id}`, detail });
      }
    }
    return recorder.found === 0
      ? recorder.result(`${amount(recorder.checked, 'conversation')} with the times of their messages`, null)
      : recorder.result(
          `${amount(recorder.found, 'conversation has', 'conversations have')} other times than their messages`,
          null,
        );
  },
};

function differences(stored: ConversationEnds, actual: ConversationEnds): string[] {
  return [
    ...(stored.firstAt === actual.firstAt
      ? []
      : [said('first message', time(stored.firstAt), time(actual.firstAt))]),
    ...(stored.firstSource === actual.firstSource
      ? []
      : [said('its source', stored.firstSource, actual.firstSource)]),
    ...(stored.lastAt === actual.lastAt
      ? []
      : [said('last message', time(stored.lastAt), time(actual.lastAt))]),
  ];
}

function said(what: string, stored: string | null, actual: string | null): string {
  return `${what}: ${stored ?? 'none'} instead of ${actual ?? 'none'}`;
}

function time(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
