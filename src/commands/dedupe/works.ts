import { applyMessages } from './apply-messages.js';
import { CONVERSATION_WORK } from './conversation-work.js';
import type { DuplicateWork } from './duplicate-work.js';
import { LEAD_WORK } from './lead-work.js';
import { MESSAGE_CLASSES } from './message-classes.js';
import { planMessages } from './plan-messages.js';

/** All classes, in the order in which they are settled: leads and conversations bring messages together. */
export const DUPLICATE_WORKS: readonly DuplicateWork[] = [
  LEAD_WORK,
  CONVERSATION_WORK,
  ...MESSAGE_CLASSES.map((messageClass) => ({
    name: messageClass.name,
    plan: (view: Parameters<DuplicateWork['plan']>[0]) => planMessages(view, messageClass),
    apply: (run: Parameters<DuplicateWork['apply']>[0]) => applyMessages(run, messageClass),
  })),
];
