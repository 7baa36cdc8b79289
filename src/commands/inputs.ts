/** Finds the inputs of a run, for callers of `replay` with paths. */
export { resolveInputs, type ResolvedInput } from '../inputs/resolve-inputs.js';
