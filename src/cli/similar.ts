/** The word that was probably meant by a mistyped one; undefined when none is near. */
export function similarWord(typed: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  // A third of the letters may be wrong: beyond that, the suggestion would be a guess.
  let least = Math.floor(Math.max(typed.length, 3) / 3) + 1;
  for (const word of words) {
    const distance = editDistance(typed, word);
    if (distance >= least) continue;
    best = word;
    least = distance;
  }
  return best;
}

/** How many letters have to be put in, taken out, changed, or swapped with their neighbor. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a.charAt(i - 1) === b.charAt(j - 1) ? 0 : 1;
      let least = Math.min(at(row, j) + 1, at(next, j - 1) + 1, at(row, j - 1) + cost);
      const isSwap =
        i > 1 && j > 1 && a.charAt(i - 1) === b.charAt(j - 2) && a.charAt(i - 2) === b.charAt(j - 1);
      if (isSwap) least = Math.min(least, at(before, j - 2) + 1);
      next.push(least);
    }
    before = row;
    row = next;
  }
  return at(row, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
