const BSUID = /^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$/;

/**
 * Whether `value` is a business-scoped user id: `CC.` and up to 128 letters and digits, or the parent's `CC.ENT.…`.
 * Strict on purpose: a placeholder such as `0` or `null` taken for an id would make one person of everybody who has it.
 */
export function isBsuid(value: string): boolean {
  return value.charCodeAt(2) === 46 && BSUID.test(value);
}
