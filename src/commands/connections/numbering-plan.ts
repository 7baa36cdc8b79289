/** What is used of libphonenumber-js, of whose 12 MB a build takes over the 0.2 that are needed (`rolldown.config.ts`). */
export { parsePhoneNumberFromString } from 'libphonenumber-js';
