/**
 * What is asked of a page from the inside, as text: the project knows no browser, and the types of one would hide that the
 * rest of it has none.
 */

/** Attributes that run, style or lead somewhere, as `TAG name=value`. */
export const INLINE_ATTRIBUTES = `
  [...document.querySelectorAll('*')].flatMap((element) =>
    element.getAttributeNames()
      .filter((name) => name.startsWith('on') || name === 'style' || name === 'href')
      .map((name) => element.tagName + ' ' + name + '=' + element.getAttribute(name)))`;

/** Tries to send a request, as a script that got in would. */
export const BEACON = `
  (() => {
    const image = document.createElement('img');
    image.src = 'https://example.com/beacon.png';
    document.body.append(image);
  })()`;

/** Elements that stick out to the right, but for what is drawn or hidden on purpose. */
export const STICKING_OUT = `
  [...document.querySelectorAll('body *')]
    .filter((element) => !element.closest('svg, thead, .ticks'))
    .filter((element) => element.getBoundingClientRect().right > window.innerWidth + 0.5)
    .map((element) => element.outerHTML.slice(0, 80))`;

/** Words whose color is too near to what is behind them (WCAG 2: a ratio of 4.5, for large ones of 3). */
export const WEAK_CONTRASTS = `
  (() => {
    const channels = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
    const luminance = (color) => {
      const [r, g, b] = channels(color).map((value) => {
        const part = value / 255;
        return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => {
      for (let at = element; at !== null; at = at.parentElement) {
        const color = getComputedStyle(at).backgroundColor;
        if ((channels(color)[3] ?? 1) > 0) return color;
      }
      return 'rgb(255, 255, 255)';
    };
    return [...document.querySelectorAll('body *')].flatMap((element) => {
      const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '');
      if (!own || element.closest('svg') !== null) return [];
      const style = getComputedStyle(element);
      const [a, b] = [luminance(style.color), luminance(ground(element))].sort((x, y) => y - x);
      const ratio = (a + 0.05) / (b + 0.05);
      const least = Number.parseFloat(style.fontSize) >= 24 ? 3 : 4.5;
      return ratio >= least ? [] : [element.textContent.trim().slice(0, 40) + ' ' + ratio.toFixed(2)];
    });
  })()`;

export const OPEN_DETAILS = `document.querySelectorAll('details').forEach((one) => one.setAttribute('open', ''))`;
export const SCROLL_WIDTH = 'document.documentElement.scrollWidth';
export const GROUND = 'getComputedStyle(document.body).backgroundColor';

/** Keeps what is copied on the page: a browser without a window has no clipboard to look into. */
export const KEEP_COPIED = `
  Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => { window.copied = text; } } })`;
export const COPIED = 'window.copied';
