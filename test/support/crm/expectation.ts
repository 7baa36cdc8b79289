import type { DayMessage } from './day.js';

/** What a CRM does wrong, each reproducible from one log. */
export const BUGS = [
  /** Of a webhook body with several messages, the first one is read (Evolution API reads it once per entry). */
  'first_of_batch_only',
  /** Images, audio and documents are written only where a storage is set up. */
  'media_without_storage',
  /** Two webhooks at once: one message is filed under the sender of the other. */
  'race_of_two_webhooks',
  /** A person is a second contact under the LID. */
  'lid_split',
  /** The message that a reply quotes is copied into a row of its own. */
  'quoted_stubs',
  /** A body that is delivered again is stored again. */
  'doubled_redelivery',
  /** A message that arrives in a second ticket is a second row. */
  'second_ticket_double',
  /** Some messages are never written. */
  'random_loss',
  /** Of the history's messages of the business, those that do not say so are written as the customer's. */
  'direction_wrong',
  /** The notice "unsupported" came first, with the id of the text; the text that followed was dropped. */
  'text_lost_131060',
  /** An edit and a revoke give the row their own time. */
  'edits_overwrite',
] as const;
export type Bug = (typeof BUGS)[number];

/** How a world is filled. */
export interface FillOptions {
  bugs: ReadonlySet<Bug>;
  seed: number;
}

export type MessageClass = 'same' | 'lost' | 'not_kept_by_design' | 'differs' | 'other_contact';

/** What a comparison has to say of one message that the log has. */
export interface ExpectedMessage {
  class: MessageClass;
  /** The CRM's row; undefined where it has none. */
  row: string | undefined;
  /** Why the class is not `same`, or what a comparison must not be misled by. */
  cause: Bug | Oddity | undefined;
  /** For `differs`: the fields that do. */
  fields: readonly ('direction' | 'type' | 'body')[];
}

/** How a CRM's row is otherwise than the log, without a fault that a comparison may report. */
export type Oddity =
  /** The CRM does not store such messages at all. */
  | 'never_stored'
  /** The CRM keeps the first words of a message that was edited. */
  | 'edit_not_kept'
  /** The CRM keeps no caption here. */
  | 'caption_not_kept'
  /** The CRM keeps the words of a message that was revoked. */
  | 'revoked_words_kept';

/** A row that is no message of a conversation of two. */
export interface NoMessage {
  row: string;
  why:
    | 'group'
    | 'reaction'
    /** An edit or a revoke that got a row of its own. */
    | 'amendment'
    | 'quoted_stub'
    | 'private_note'
    | 'activity'
    | 'contact_card'
    | 'csat'
    /** Queued or refused: WhatsApp never had it. */
    | 'unsent'
    | 'other_channel';
}

/**
 * What a comparison of the day's log with a filled CRM has to find: every message of the log and of the CRM's
 * connections once in `messages`, and every
 * row of the CRM exactly once in one of the parts. Groups and reactions are no messages of their own.
 */
export interface Expectation {
  /** By the id in the log. */
  messages: ReadonlyMap<string, ExpectedMessage>;
  /** Rows of a message beyond its first one. */
  doubled: readonly { row: string; id: string; cause: Bug }[];
  /** Rows of messages that the log lacks. */
  onlyInCrm: readonly { row: string; id: string }[];
  /** Rows of messages without WhatsApp's id. */
  withoutId: readonly string[];
  noMessages: readonly NoMessage[];
  /** People who are two contacts of the CRM: one by phone, one by LID. */
  split: ReadonlySet<string>;
}

/** The ids of the messages that are expected to have a class. */
export function idsOf(expectation: Expectation, wanted: MessageClass): string[] {
  return [...expectation.messages].filter(([, found]) => found.class === wanted).map(([id]) => id);
}

/** Collects what a CRM did with the day, and says in the end what is expected of it. */
export class Ledger {
  readonly #rows = new Map<string, { row: string; said: Omit<ExpectedMessage, 'row'> }>();
  readonly #doubled: { row: string; id: string; cause: Bug }[] = [];
  readonly #onlyInCrm: { row: string; id: string }[] = [];
  readonly #withoutId: string[] = [];
  readonly #noMessages: NoMessage[] = [];
  readonly #causes = new Map<string, Bug>();
  readonly #split = new Set<string>();

  /** A row of a message; the second one of the same message is a double. */
  stored(
    message: DayMessage,
    row: string,
    said: Partial<Omit<ExpectedMessage, 'row'>>,
    doubledBy?: Bug,
  ): void {
    if (message.group) this.#noMessages.push({ row, why: 'group' });
    else if (message.type === 'reaction') this.#noMessages.push({ row, why: 'reaction' });
    else if (this.#rows.has(message.id)) {
      if (doubledBy === undefined) throw new Error(`nothing explains two rows of ${message.id}`);
      this.#doubled.push({ row, id: message.id, cause: doubledBy });
    } else {
      this.#rows.set(message.id, { row, said: { class: 'same', cause: undefined, fields: [], ...said } });
      if (message.via === 'unlogged') this.#onlyInCrm.push({ row, id: message.id });
    }
  }

  has(message: DayMessage): boolean {
    return this.#rows.has(message.id);
  }

  /** Why a message has no row, unless another reason was given before. */
  dropped(message: DayMessage, cause: Bug): void {
    if (!this.#causes.has(message.id)) this.#causes.set(message.id, cause);
  }

  noMessage(row: string, why: NoMessage['why']): void {
    this.#noMessages.push({ row, why });
  }

  withoutId(row: string): void {
    this.#withoutId.push(row);
  }

  split(phone: string): void {
    this.#split.add(phone);
  }

  isSplit(phone: string): boolean {
    return this.#split.has(phone);
  }

  /** `neverStored`: what this CRM does not keep of any day. */
  close(messages: readonly DayMessage[], neverStored: (message: DayMessage) => boolean): Expectation {
    const expected = new Map<string, ExpectedMessage>();
    for (const message of messages.filter(isLoggedMessage)) {
      const stored = this.#rows.get(message.id);
      if (stored !== undefined) expected.set(message.id, { ...stored.said, row: stored.row });
      else if (neverStored(message)) {
        expected.set(message.id, {
          class: 'not_kept_by_design',
          row: undefined,
          cause: 'never_stored',
          fields: [],
        });
      } else {
        const cause = this.#causes.get(message.id);
        if (cause === undefined) throw new Error(`nothing explains why ${message.id} has no row`);
        expected.set(message.id, { class: 'lost', row: undefined, cause, fields: [] });
      }
    }
    return {
      messages: expected,
      doubled: this.#doubled,
      onlyInCrm: this.#onlyInCrm,
      withoutId: this.#withoutId,
      noMessages: this.#noMessages,
      split: this.#split,
    };
  }
}

/** Whether the log makes a message of it: not of groups, and reactions annotate another message. */
export function isLoggedMessage(message: DayMessage): boolean {
  return message.via !== 'unlogged' && !message.group && message.type !== 'reaction';
}
