/** How a result can be written. */
export const FORMATS = ['table', 'json', 'ndjson', 'csv', 'markdown', 'openmetrics'] as const;
export type Format = (typeof FORMATS)[number];

/** What `--format` may name: also files that only some commands make. */
export const NAMED_FORMATS = [...FORMATS, 'html', 'txt'] as const;
export type NamedFormat = (typeof NAMED_FORMATS)[number];
