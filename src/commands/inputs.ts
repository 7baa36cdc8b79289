/** Finding the inputs of a run, for whoever calls `replay` with paths. */
export { resolveInputs, type ResolvedInput } from '../inputs/resolve-inputs.js';
