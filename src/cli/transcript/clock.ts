/** What the clocks of a zone show at an instant. */
export interface Reading {
  /** `Wednesday, 27 August 2025` */
  day: string;
  /** `10:00:12` */
  time: string;
  /** `-03:00`: also twice a year, when clocks change, each time is clear. */
  offset: string;
}

export type Clock = (instant: string) => Reading;

/** Reads instants (RFC 3339) in a zone; made once, because that is slow. */
export function clockOf(timeZone: string): Clock {
  const day = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  });
  const time = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'longOffset',
  });
  return (instant) => {
    const at = new Date(instant);
    const parts = new Map(time.formatToParts(at).map(({ type, value }) => [type, value]));
    const of = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
    return {
      day: day.format(at),
      time: `${of('hour')}:${of('minute')}:${of('second')}`,
      // `GMT-03:00`, and `GMT` alone for UTC.
      offset: of('timeZoneName').replace('GMT', '') || '+00:00',
    };
  };
}
