/** Finding the inputs of a run, for whoever calls `replay` with paths. */
export { resolveInputs, type ResolvedInput } from '../sources/resolve-inputs.js';
