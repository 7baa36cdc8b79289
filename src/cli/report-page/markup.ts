import { sanitize } from '../ui/sanitize.js';

/** Markup that is safe to put into a page as it is: made by {@link html} only. */
export class Markup {
  constructor(readonly source: string) {}
}

type Part = string | number | Markup | null | undefined | false | readonly Part[];

/**
 * A template whose parts are text unless they are markup themselves: names and messages come from strangers, and forgetting
 * to escape one of them must not be possible. Null, undefined and false give nothing.
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

/** A name from outside, kept from reordering what stands beside it (right-to-left scripts). */
export function name(text: string): Markup {
  return html`<bdi>${text}</bdi>`;
}
