/**
 * Exit codes: 0 ok, 1 failure, 2 usage or configuration, 3 findings, 4 partial, 5 locked, 6 not linked, 130 interrupted,
 * 143 by SIGTERM.
 */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  findings: 3,
  partial: 4,
  locked: 5,
  notLinked: 6,
  interrupted: 130,
  terminated: 143,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
