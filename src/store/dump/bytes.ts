/** The bytes that COPY's text and JSON are made of, as far as both have a meaning for them. */
export const TAB = 9;
export const NEWLINE = 10;
export const SPACE = 32;
export const QUOTE = 34;
export const COLON = 58;
export const LETTER_N = 78;
export const BACKSLASH = 92;
export const LETTER_U = 117;
export const OPEN = 123;
export const CLOSE = 125;
