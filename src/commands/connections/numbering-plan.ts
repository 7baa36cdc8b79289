/** What is used of libphonenumber-js, of whose 12 MB a build puts the needed 0.2 into this file (`rolldown.config.ts`). */
export { parsePhoneNumberFromString } from 'libphonenumber-js';
