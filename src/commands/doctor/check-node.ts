import type { DoctorCheck } from './result.js';

/** The versions that the tests run on, and the day until which each gets security fixes (nodejs.org/en/about/previous-releases). */
const SUPPORTED: readonly { major: number; minor: number; until: string }[] = [
  { major: 20, minor: 19, until: '2026-04-30' },
  { major: 22, minor: 12, until: '2027-04-30' },
  { major: 24, minor: 0, until: '2028-04-30' },
];
const NEWEST = 24;

/** `now` in ms since 1970. */
export function checkNode(version: string, now: number): DoctorCheck {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const name = 'node' as const;
  const known = SUPPORTED.find((supported) => supported.major === major);
  if (major > NEWEST) return { name, status: 'ok', message: `Node ${version}` };
  if (known === undefined || minor < known.minor) {
    return {
      name,
      status: 'fail',
      message: `Node ${version} is not supported`,
      remedy: `Install Node ${NEWEST}, or at least 20.19 or 22.12.`,
    };
  }
  if (now >= Date.parse(known.until)) {
    return {
      name,
      status: 'warn',
      message: `Node ${version} works, but has had no security fixes since ${known.until}`,
      remedy: `Install Node ${NEWEST}.`,
    };
  }
  return { name, status: 'ok', message: `Node ${version}` };
}
