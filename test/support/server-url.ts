/** The URL of another database on the same server; parameters other than `schema` stay. */
export function withDatabase(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  url.searchParams.delete('schema');
  return url.toString();
}
