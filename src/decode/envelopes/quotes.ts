/**
 * Index after the quote that ends the text that begins at `from`: the first one that no backslash escapes. `pair`: how many backslashes
 * write one; a program that prints a text again has doubled them.
 */
export function endOfText(text: string, from: number, pair = 2): number | undefined {
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 1)) {
    if (backslashesBefore(text, at, from) % pair === 0) return at + 1;
  }
  return undefined;
}

/** Whether backslashes escape the character at `at`. */
export function isEscaped(text: string, at: number): boolean {
  return backslashesBefore(text, at, 0) % 2 === 1;
}

function backslashesBefore(text: string, at: number, from: number): number {
  let count = 0;
  while (at - 1 - count >= from && text[at - 1 - count] === '\\') count++;
  return count;
}
