import { countConversations, countLeads } from '../../store/checks/conversations.js';
import { streamWrongTimes, type MessageEnds } from '../../store/checks/times.js';
import { amount } from '../../model/amount.js';
import type { Check } from './check.js';
import { Recorder } from './recorder.js';
import { scopeOf } from './scope-of.js';
import { ENFORCE_REMEDY } from './words.js';

/** A conversation begins and ends with its messages, and a lead's last message is the last of all of its conversations. */
export const conversationTimesCheck: Check = {
  name: 'conversation_times',
  title: 'first and last message of every conversation, and the last of every lead, are right',
  async run(view) {
    const recorder = new Recorder(view, 'conversation_times');
    const scope = scopeOf(view);
    const conversations = await countConversations(view.sql, scope);
    const leads = await countLeads(view.sql, scope);
    recorder.checked = conversations + leads;
    let wrongLeads = 0;
    for await (const wrong of streamWrongTimes(view.sql, scope)) {
      if (view.signal.aborted) break;
      for (const { of, id, connectionId, stored, actual } of wrong) {
        if (of === 'lead') wrongLeads += 1;
        const detail = differences(stored, actual).join('; ');
        await recorder.finding('*', { connectionId, subject: `${of} ${id}`, detail });
      }
    }
    if (recorder.found === 0) {
      const both = `${amount(conversations, 'conversation')} and ${amount(leads, 'lead')}`;
      return recorder.result(`${both} with the times of their messages`, null);
    }
    const wrong = recorder.found - wrongLeads;
    const who = [
      ...(wrong > 0 ? [amount(wrong, 'conversation')] : []),
      ...(wrongLeads > 0 ? [amount(wrongLeads, 'lead')] : []),
    ].join(' and ');
    return recorder.result(
      `${who} ${recorder.found === 1 ? 'has' : 'have'} other times than their messages`,
      ENFORCE_REMEDY,
    );
  },
};

function differences(stored: MessageEnds, actual: MessageEnds): string[] {
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
