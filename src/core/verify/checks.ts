import type { Check } from './check.js';
import { uniqueIndexCheck } from './unique-index.js';

/** Every check, in the order in which it runs and is shown. */
export const CHECKS: readonly Check[] = [uniqueIndexCheck];
