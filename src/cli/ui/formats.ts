/** How a result can be written. */
export const FORMATS = ['table', 'json', 'ndjson', 'csv', 'markdown', 'openmetrics'] as const;
export type Format = (typeof FORMATS)[number];
