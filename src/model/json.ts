/** JSON as it comes from outside, before anything about it is known. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

/** `JSON.parse`, with a type that has to be looked into. Throws SyntaxError. */
export const readJson: (text: string) => JsonValue = JSON.parse;
