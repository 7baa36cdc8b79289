import { type proto, type WASocket } from '@whiskeysockets/baileys';
import type { LogLine } from './baileys-logger.js';
import { historyIn } from './first-sync.js';
import { HistoryInbox } from './history-inbox.js';
import { fileOf, type HistoryKeeper, isInline, notificationOf } from './history-keeper.js';
import type { ReadPage } from './history-page-reader.js';
import { type EventTap, isEvent } from './tap-events.js';

type Notification = proto.Message.IHistorySyncNotification;

/**
 * The files of the first sync. Baileys downloads them, and says nothing about one that fails: each is owed from its
 * announcement until its event has come, and what is missing in the end is downloaded once more.
 */
export class FirstSyncFiles {
  private readonly waiting: { id: string; notification: Notification }[];
  private readonly inbox: HistoryInbox;

  /** `owed`: what an earlier session could not have. */
  constructor(
    private readonly keeper: HistoryKeeper,
    owed: readonly Uint8Array[],
    log: LogLine,
  ) {
    this.inbox = new HistoryInbox(keeper, log);
    this.waiting = owed.map(notificationOf).map((notification) => ({
      id: fileOf(notification, null).id,
      notification,
    }));
  }

  /** To be given every event before Baileys' buffer, and after it was kept. */
  readonly tap: EventTap = (event, data) => {
    if (isEvent('messages.upsert', event, data))
      for (const { key, message } of data.messages) {
        if (key.fromMe !== true || message === null || message === undefined) continue;
        const notification = historyIn(message);
        if (notification !== undefined && !isInline(notification)) this.announce(notification);
      }
    if (isEvent('messaging-history.set', event, data)) {
      const { syncType, chunkOrder } = data;
      const at = this.waiting.findIndex(
        ({ notification }) =>
          notification.syncType === syncType && (notification.chunkOrder ?? null) === (chunkOrder ?? null),
      );
      for (const { id } of at < 0 ? [] : this.waiting.splice(at, 1)) this.keeper.settle(id);
    }
  };

  /** Downloads what is missing, as far as the time allows; gives what came. The rest stays owed. */
  async takeMissing(sock: WASocket, ms: number, signal?: AbortSignal): Promise<ReadPage[]> {
    const pages: ReadPage[] = [];
    for (const { notification } of this.waiting.splice(0)) {
      void this.inbox.take(sock, notification, null).then((taken) => {
        if (taken.kind === 'read') pages.push(taken.page);
      });
    }
    await this.inbox.settle(ms, signal);
    await this.inbox.cancel();
    return pages;
  }

  private announce(notification: Notification): void {
    const file = fileOf(notification, null);
    if (this.waiting.some(({ id }) => id === file.id)) return;
    this.waiting.push({ id: file.id, notification });
    this.keeper.owe(file);
  }
}
