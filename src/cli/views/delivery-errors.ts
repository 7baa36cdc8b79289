import type { MessageError } from '../../model/facts.js';

/** Meta's titles are a few words; whoever else wrote one must not fill the page. */
const LONGEST_TITLE = 120;

/** An error as Meta's documentation names it: `131047 Re-engagement message`. Not sanitized. */
export function errorWords({ code, title }: Pick<MessageError, 'code' | 'title'>): string {
  const shown =
    title !== undefined && title.length > LONGEST_TITLE ? `${title.slice(0, LONGEST_TITLE)}…` : title;
  return [code, shown].filter((part) => part !== undefined).join(' ');
}

/** All that is known about why a message failed, details included. Not sanitized. */
export function errorsInWords(errors: readonly MessageError[] | undefined): string {
  return (errors ?? [])
    .map((error) => {
      const words = errorWords(error);
      if (error.details === undefined) return words;
      return words === '' ? error.details : `${words}: ${error.details}`;
    })
    .join('; ');
}
