/** Every text that facts put into text columns, at any depth. */
export function textsIn(value: unknown, found: string[] = []): string[] {
  if (typeof value === 'string') found.push(value);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value)) {
      found.push(key);
      textsIn(each, found);
    }
  }
  return found;
}
