import { createHash } from 'node:crypto';
import { sanitize } from '../ui/sanitize.js';
import { minute } from '../views/report-words.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Markup that is safe to put into a page as it is: made by {@link html} only. */
export class Markup {
  constructor(readonly source: string) {}
}

type Part = string | number | Markup | null | undefined | false | readonly Part[];

/**
 * A template whose parts are text unless they are markup themselves: names and messages come from strangers, so
 * forgetting to escape one must be impossible. Null, undefined and false give nothing.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(
    strings.map((string, index) => string + (index < parts.length ? render(parts[index]) : '')).join(''),
  );
}

function render(part: Part): string {
  if (part === null || part === undefined || part === false) return '';
  if (part instanceof Markup) return part.source;
  if (typeof part === 'object') return part.map(render).join('');
  return escape(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Good for text and for attributes in double quotes. What would reorder or hide text around it is taken out. */
function escape(text: string): string {
  return sanitize(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** A command to paste; the script shows the button. */
export function command(line: string): Markup {
  return html`<span class="remedy"
    ><code>${line}</code><button type="button" class="copy" hidden>Copy</button></span
  >`;
}

/** How long ago, by the time of the report; the script goes on counting. */
export function age(instant: string, generatedAt: string): Markup {
  const words = ageWords(Date.parse(generatedAt) - Date.parse(instant));
  return html`<time class="age" datetime="${instant}" title="${minute(instant)} UTC">${words}</time>`;
}

function ageWords(ms: number): string {
  if (ms < MINUTE) return 'just now';
  if (ms < HOUR) return `${Math.round(ms / MINUTE)} min ago`;
  return ms < 48 * HOUR ? `${Math.round(ms / HOUR)} h ago` : `${Math.round(ms / (24 * HOUR))} days ago`;
}

/** A name from outside, kept from reordering what stands beside it (right-to-left scripts). */
export function name(text: string): Markup {
  return html`<bdi>${text}</bdi>`;
}

/**
 * A page's content security policy: nothing may be loaded, except pictures beside it if it has `images`. Its one style and its one
 * script are known by their hashes, so not a space may be put around them.
 */
export function pagePolicy({
  style,
  script,
  images = false,
}: {
  style: string;
  script?: string;
  images?: boolean;
}): string {
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const scripts = script === undefined ? '' : ` script-src ${hash(script)};`;
  return `default-src 'none';${scripts} style-src ${hash(style)}; img-src ${images ? "'self' " : ''}data:; base-uri 'none'; form-action 'none'`;
}
