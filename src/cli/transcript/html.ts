import type {
  EarlierVersion,
  ExportedConversation,
  ExportedFile,
  ExportedMessage,
} from '../../commands/export/types.js';
import { html, Markup, name, pagePolicy } from '../report-page/markup.js';
import { clockOf, type Clock } from './clock.js';
import type { FormWriter, IndexWriter, WrittenMessage } from './form.js';
import { linesOf } from './harmless.js';
import { TRANSCRIPT_STYLE } from './style.js';
import {
  countOf,
  fileWords,
  isSystem,
  markOf,
  nameOf,
  notesOf,
  partiesOf,
  quoteOf,
  reactorOf,
  senderOf,
} from './words.js';

interface PageOptions {
  timeZone: string;
  /** Files were to be copied beside the page. */
  media: boolean;
  /** RFC 3339. */
  madeAt: string;
}

/**
 * A conversation as one self-contained page without a script: opened from disk, sent by mail, printed. Its policy lets it load
 * nothing but pictures beside it, and every word of it that comes from outside is text.
 */
export function htmlWriter({ timeZone, media, madeAt }: PageOptions): FormWriter {
  const clock = clockOf(timeZone);
  const page = new Page(clock, media);
  return {
    begin: (conversation) => page.begin(conversation, countOf(conversation, timeZone)),
    messages: (messages) => messages.map((one) => `${page.message(one).source}\n`).join(''),
    end: () => end(clock, madeAt),
  };
}

class Page {
  private among: ExportedConversation | undefined;
  private day = '';
  private connection = '';

  constructor(
    private readonly clock: Clock,
    private readonly media: boolean,
  ) {}

  begin(conversation: ExportedConversation, counted: string): string {
    if (this.among !== undefined) throw new Error('a page holds one conversation');
    this.among = conversation;
    return head(nameOf(conversation), [partiesOf(conversation), counted]);
  }

  message({ message, link }: WrittenMessage): Markup {
    const { among } = this;
    if (among === undefined) throw new Error('a message before its conversation');
    const { day, time, offset } = this.clock(message.timestamp);
    const isNewDay = day !== this.day;
    const isElsewhere = among.connections.length > 1 && message.connection !== this.connection;
    this.day = day;
    this.connection = message.connection;
    const side = isSystem(message) ? 'system' : message.direction === 'INBOUND' ? 'theirs' : 'ours';
    const quote = quoteOf(message, among);
    return html`${isNewDay && html`<h2 class="day"><span>${day}</span></h2>`}${
        isElsewhere && html`<p class="on"><span>on ${name(message.connection)}</span></p>`
      }
      <article class="message ${side}">
        <div class="bubble">
          ${side !== 'system' && html`<p class="who">${name(senderOf(message, among))}</p>`}
          ${quote !== null && html`<blockquote dir="auto">${brokenLines(quote)}</blockquote>`}
          ${said(message)} ${message.file !== null && fileOf(message.file, link, this.media)}
          ${message.revisions.map((version) => this.earlier(version))} ${reactions(message, among)}
          <p class="foot">
            ${this.notes(message)}<time datetime="${message.timestamp}">${time} ${offset}</time>
          </p>
        </div>
      </article>`;
  }

  private earlier({ version, type, body, media, at }: EarlierVersion): Markup {
    const { day, time, offset } = this.clock(at);
    const label = version === 'original' ? 'Original' : 'Earlier version';
    return html`<div class="earlier">
      <p class="label">${label}, ${day}, <time datetime="${at}">${time} ${offset}</time></p>
      ${content(type, media, body)}
    </div>`;
  }

  private notes(message: ExportedMessage): Markup[] {
    return notesOf(message, this.clock).map((note) =>
      message.status === 'failed' && note === 'failed'
        ? html`<span class="bad">${note}</span> · `
        : html`<span>${note}</span> · `,
    );
  }
}

function said({ type, media, body, deletedAt }: ExportedMessage): Markup {
  return deletedAt === undefined
    ? content(type, media, body)
    : html`<p class="gone">This message was revoked.</p>`;
}

function content(type: string, media: ExportedMessage['media'], body: string | null): Markup {
  const mark = markOf(type, media, body);
  return html`${mark !== null && html`<p class="mark"><bdi>[${mark}]</bdi></p>`}${
    body !== null && html`<p class="text" dir="auto">${brokenLines(body)}</p>`
  }`;
}

function brokenLines(text: string): Markup[] {
  return linesOf(text).map((line, index) => html`${index > 0 && html`<br />`}${line}`);
}

const PICTURE = /\.(?:jpg|png|webp)$/;

/** `link` is made of a hash, and never of what a stranger says. */
function fileOf(file: ExportedFile, link: string | null, isWanted: boolean): Markup {
  if (link === null) return html`<p class="file">${fileWords(file, isWanted)}</p>`;
  const label = link.slice(link.lastIndexOf('/') + 1);
  return html`<p class="file">
    <a href="${link}">${PICTURE.test(link) && html`<img src="${link}" alt="" loading="lazy" />`}${label}</a>
  </p>`;
}

function reactions({ reactions: given = [] }: ExportedMessage, among: ExportedConversation): Markup | false {
  return (
    given.length > 0 &&
    html`<ul class="reactions">
      ${given.map(({ emoji, from }) => html`<li>${emoji} ${name(reactorOf(from, among))}</li>`)}
    </ul>`
  );
}

function head(title: string, lines: readonly string[]): string {
  const top = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="${pagePolicy({ style: TRANSCRIPT_STYLE, images: true })}"
        />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        ${new Markup(`<style>${TRANSCRIPT_STYLE}</style>`)}
      </head>
      <body>
        <main>
          <header>
            <h1>${name(title)}</h1>
            ${lines.map((line) => html`<p><bdi>${line}</bdi></p>`)}
          </header>
        </main>
      </body>
    </html>`.source;
  // The messages follow; end() closes what stands open.
  return `${top.slice(0, top.indexOf('</main>')).trimEnd()}\n`;
}

function end(clock: Clock, madeAt: string): string {
  const { day, time, offset } = clock(madeAt);
  const foot = html`<footer>
    <p>Exported by wa-reconcile on ${day}, <time datetime="${madeAt}">${time} ${offset}</time>.</p>
  </footer>`;
  return `${foot.source}\n</main>\n</body>\n</html>\n`;
}

/** The page that leads to all others. */
export function htmlIndex({ timeZone, madeAt }: PageOptions): IndexWriter {
  const clock = clockOf(timeZone);
  return {
    begin: () => `${head('Conversations', [])}<ul class="files">\n`,
    entry: ({ conversation, file }) =>
      `${html`<li><a href="${encodeURIComponent(file)}">${name(nameOf(conversation))}</a><br /><bdi>${partiesOf(conversation)}</bdi>, ${conversation.messages} messages</li>`.source}\n`,
    end: () => `</ul>\n${end(clock, madeAt)}`,
  };
}
