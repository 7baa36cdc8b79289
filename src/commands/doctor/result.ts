import type { UserError } from '../../model/errors.js';
import type { Advices } from '../../model/remedy.js';
import type { GivenSetting } from './options.js';

export const DOCTOR_CHECKS = [
  'node',
  'configuration',
  'database',
  'server',
  'pooler',
  'migrations',
  'rights',
  'indexes',
  'lock',
  'disk',
  'clock',
  'runs',
] as const;
export type DoctorCheckName = (typeof DOCTOR_CHECKS)[number];

/** `warn`: it works, and somebody should know. `fail`: commands fail, or data is in danger. */
export type DoctorStatus = 'ok' | 'warn' | 'fail';

export interface DoctorCheck {
  name: DoctorCheckName;
  status: DoctorStatus;
  /** What is so, in a sentence. */
  message: string;
  /** What to type or change; only beside `warn` and `fail`. */
  remedy?: Advices;
}

export interface DoctorResult {
  schemaVersion: 1;
  command: 'doctor';
  /** The worst of the checks. */
  status: DoctorStatus;
  /** In a fixed order; those that a failure before them makes impossible are left out. */
  checks: DoctorCheck[];
  /** What was given, and where; a setting that is not here has its default. */
  settings: GivenSetting[];
}

/** The remedy of an error, as a check carries it. */
export function remedyOf({ remedy }: UserError): Pick<DoctorCheck, 'remedy'> {
  return remedy === undefined ? {} : { remedy };
}
