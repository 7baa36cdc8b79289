export { instantAt, isTimeZone, localTimeZone, wallTimeAt, type WallTime } from '../../model/time-zone.js';
