import { createHash } from 'node:crypto';
import { html, Markup } from './markup.js';

interface PageHead {
  title: string;
  style: string;
  script?: string;
  /** Whether pictures beside the page may be shown. */
  images?: boolean;
  /** The page reloads itself so often. */
  refreshMs?: number | undefined;
}

/** The head of a page that is opened from disk, sent by mail or printed: it loads nothing, and says so. */
export function pageHead({ title, style, script, images = false, refreshMs }: PageHead): Markup {
  const whole = `${BASE_STYLE}${style}`;
  return html`<head>
    <meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="${policy(whole, script, images)}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    ${refreshMs !== undefined && html`<meta http-equiv="refresh" content="${Math.max(1, Math.round(refreshMs / 1000))}" />`}
    <meta name="referrer" content="no-referrer" />
    <meta name="color-scheme" content="light dark" />
    <title>${title}</title>
    <link rel="icon" href="data:," />
    ${new Markup(`<style>${whole}</style>`)}
  </head>`;
}

/** What every page begins its style with. */
const BASE_STYLE = `
:root { color-scheme: light dark; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
p { margin: 0; }
`;

/**
 * The content security policy: nothing may be loaded, except pictures beside the page if it has `images`. Its one style and its one
 * script are known by their hashes, so not a space may be put around them.
 */
function policy(style: string, script: string | undefined, images: boolean): string {
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const scripts = script === undefined ? '' : ` script-src ${hash(script)};`;
  return `default-src 'none';${scripts} style-src ${hash(style)}; img-src ${images ? "'self' " : ''}data:; base-uri 'none'; form-action 'none'`;
}
