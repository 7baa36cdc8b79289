/** The page's whole style: no network, no fonts but the reader's own. */
export const STYLE = `
:root {
  --paper: #f6f6f3; --card: #ffffff; --ink: #1c1f23; --soft: #565d66; --faint: #636a73; --line: #e2e2dc;
  --accent: #0b6e69; --accent-2: #7fb3ae; --warn: #8f4a00; --warn-ground: #fdf3e3; --warn-line: #e8b96a;
  --bad: #a3201d; --bad-ground: #fdeeed; --bad-line: #e39a97; --good: #1c6b3a; --good-ground: #edf6ef; --good-line: #a6d1b3;
  --code: #f0f0ec; --s1: #d9ebe9; --s2: #a9d3cf; --s3: #6fb3ad; --s4: #318d87; --s5: #0b5a56;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131518; --card: #1b1e22; --ink: #e8e9ea; --soft: #b2b8bf; --faint: #969da6; --line: #2d3137;
    --accent: #5fc4bb; --accent-2: #2f6f6b; --warn: #f0b45e; --warn-ground: #2a2216; --warn-line: #6e5222;
    --bad: #f49088; --bad-ground: #2d1a1a; --bad-line: #733a37; --good: #84cf9c; --good-ground: #17251b; --good-line: #2f5a3d;
    --code: #24282d; --s1: #1f3a3a; --s2: #28595a; --s3: #35807d; --s4: #4aa9a2; --s5: #7fe0d6;
  }
}
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif;
  overflow-wrap: break-word;
}
h2, .who, .message, .meta, code, .facts td, .free { overflow-wrap: anywhere; }
.page { max-width: 76rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1, h2, h3 { line-height: 1.2; margin: 0; font-weight: 650; letter-spacing: -0.01em; }
h1 { font-size: 1.75rem; }
h2 { font-size: 1.15rem; margin: 2.75rem 0 0.9rem; }
h3 { font-size: 0.8rem; font-weight: 600; color: var(--soft); margin: 0 0 0.5rem; letter-spacing: 0; }
.meta { color: var(--soft); font-size: 0.9rem; margin-top: 0.4rem; }
.faint { color: var(--faint); }
.number, .figures td, .sum dd, time, code { font-variant-numeric: tabular-nums; }
.number { text-align: right; white-space: nowrap; }
code {
  font: 0.85rem/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  background: var(--code); padding: 0.15em 0.45em; border-radius: 4px;
}
a { color: var(--accent); }

.verdict { display: flex; align-items: baseline; gap: 0.6rem; margin-top: 1.5rem; padding: 0.85rem 1.1rem; border-radius: 8px; border: 1px solid; font-weight: 600; }
.verdict .mark { font-size: 1.05em; }
.verdict.well { color: var(--good); background: var(--good-ground); border-color: var(--good-line); }
.verdict.lost { color: var(--bad); background: var(--bad-ground); border-color: var(--bad-line); }
.verdict.look { color: var(--warn); background: var(--warn-ground); border-color: var(--warn-line); }

.alerts { list-style: none; margin: 0.75rem 0 0; padding: 0; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
.alerts li { padding: 0.85rem 1.1rem; border-left: 3px solid var(--warn-line); }
.alerts li.slight { border-left-color: var(--line); }
.alerts li + li { border-top: 1px solid var(--line); }
.alerts li:first-child { border-top-left-radius: 8px; }
.alerts li:last-child { border-bottom-left-radius: 8px; }
.alerts li.grave { border-left-color: var(--bad); }
.alerts li.seen { border-left-color: var(--line); color: var(--soft); }
.alerts .who { font-weight: 600; }
.alerts .head { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 0.7rem; }
.alerts .kind { color: var(--soft); font-size: 0.85rem; }
.remedy { display: flex; flex-wrap: wrap; align-items: center; gap: 0.35rem 0.5rem; margin-top: 0.45rem; }
.remedy code { max-width: 100%; padding: 0.3em 0.65em; }
.list .remedy { margin-top: 0; }
button, input, select { font: inherit; font-size: 0.85rem; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: 5px; padding: 0.15rem 0.55rem; }
button { cursor: pointer; }
button:hover { border-color: var(--faint); }
button:focus-visible, input:focus-visible, select:focus-visible, a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
[hidden] { display: none !important; }
.group + .group { margin-top: 1.1rem; }
.group h3 { font-size: 0.95rem; color: var(--ink); margin: 0; overflow-wrap: anywhere; }
.group .alerts { margin-top: 0.4rem; }
.alerts .head .faint { font-size: 0.85rem; }
.made.stale .age { color: var(--bad); font-weight: 600; }
.controls { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 1rem; margin-bottom: 0.6rem; color: var(--soft); font-size: 0.85rem; }
.list th button { border: 0; background: none; padding: 0; font-size: inherit; color: inherit; }
.list th[aria-sort="ascending"] button::after { content: " ↑"; }
.list th[aria-sort="descending"] button::after { content: " ↓"; }
progress { width: 5rem; height: 0.5rem; vertical-align: middle; accent-color: var(--accent); }

.sum { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); margin: 1.75rem 0 0; border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); }
.sum div { padding: 0.8rem 1rem 0.8rem 0; }
.sum dt { color: var(--soft); font-size: 0.85rem; }
.sum dd { margin: 0; font-size: 1.45rem; font-weight: 600; letter-spacing: -0.01em; }
.sum dd.bad { color: var(--bad); }
.sum small { display: block; font-size: 0.8rem; font-weight: 400; color: var(--faint); letter-spacing: 0; }

.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1.25rem 1.4rem 1.1rem; margin-top: 1rem; }
.card > header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.25rem 0.75rem; margin-bottom: 1.1rem; }
.card > header h2 { margin: 0; font-size: 1.2rem; }
.card > header .sub { color: var(--soft); font-size: 0.9rem; }
.card > header .chip { margin-left: auto; }
.chip { font-size: 0.82rem; font-weight: 550; padding: 0.1rem 0.6rem; border-radius: 999px; border: 1px solid var(--line); color: var(--soft); white-space: nowrap; }
.chip.good { color: var(--good); background: var(--good-ground); border-color: var(--good-line); }
.chip.warn { color: var(--warn); background: var(--warn-ground); border-color: var(--warn-line); }
.chip.bad { color: var(--bad); background: var(--bad-ground); border-color: var(--bad-line); }
.whole { max-width: 30rem; margin-top: 1.4rem; }
.columns { display: grid; grid-template-columns: 1fr 1fr; gap: 1.5rem 2.25rem; margin-top: 1.4rem; }
.facts, .ledger { width: 100%; border-collapse: collapse; font-size: 0.92rem; }
.facts th, .ledger th { text-align: left; font-weight: 400; color: var(--soft); vertical-align: top; padding: 0.22rem 0.75rem 0.22rem 0; }
.facts th { white-space: nowrap; width: 1%; }
.facts td { padding: 0.22rem 0; }
.ledger td { text-align: right; padding: 0.22rem 0 0.22rem 0.75rem; vertical-align: top; white-space: nowrap; font-variant-numeric: tabular-nums; }
.ledger .total > * { border-bottom: 1px solid var(--line); color: var(--ink); font-weight: 600; }
.ledger .rest > * { border-top: 1px solid var(--line); }
.ledger .bad > * { color: var(--bad); font-weight: 600; }
.facts .faint { margin-left: 0.4em; }
.warn { color: var(--warn); }
.bad { color: var(--bad); }

.heat { margin: 0; padding-top: 1.15rem; }
.heat-plot { display: grid; grid-template-columns: 1.9rem 1fr; }
.heat svg { display: block; width: 100%; height: 11rem; }
.hours { display: flex; flex-direction: column; color: var(--faint); font-size: 0.72rem; line-height: 1; }
.hours i { flex: 1 1 0; font-style: normal; }
.heat-ticks { margin-left: 1.9rem; }
.shade.s1 { fill: var(--s1); background: var(--s1); } .shade.s2 { fill: var(--s2); background: var(--s2); }
.shade.s3 { fill: var(--s3); background: var(--s3); } .shade.s4 { fill: var(--s4); background: var(--s4); }
.shade.s5 { fill: var(--s5); background: var(--s5); }
.swatch.shade { border: 0; }
.heat .none { fill: var(--code); }
.traffic { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.4rem 2.25rem; }
@media (min-width: 72rem) { .traffic:has(.heat) { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); } }
.heat .gap { fill: var(--warn-ground); stroke: var(--warn); stroke-width: 1px; stroke-dasharray: 2 2; vector-effect: non-scaling-stroke; }
.gaps { font-size: 0.85rem; margin-top: 0.3rem; overflow-wrap: anywhere; }
.card > h2 { margin: 0; }
.trend { margin: 0.9rem 0 0; }
.strip { display: grid; grid-template-columns: 5.5rem 1fr 9.5rem; align-items: end; gap: 0 0.9rem; padding: 0.3rem 0; }
.strip .label { color: var(--soft); font-size: 0.85rem; }
.strip .value { font-size: 0.9rem; font-variant-numeric: tabular-nums; line-height: 1.2; }
.strip small { display: block; color: var(--faint); font-size: 0.75rem; }
.strip svg { display: block; width: 100%; height: 1.9rem; overflow: visible; }
.strip .in, .strip .span { fill: var(--accent); }
.strip .span { fill: var(--faint); }
.strip .lost { fill: var(--bad); }
.strip .twice { fill: var(--warn); }
.ended.good { fill: var(--good); background: var(--good); } .ended.warn { fill: var(--warn); background: var(--warn); }
.ended.bad { fill: var(--bad); background: var(--bad); } .ended.plain { fill: var(--faint); background: var(--faint); }
.swatch.ended { border: 0; width: 0.4rem; }
.swatch.ended.good, .swatch.ended.plain { height: 0.3rem; } .swatch.ended.warn { height: 0.55rem; }
.chart { margin: 0; }
.plot { position: relative; padding-top: 1.15rem; }
.axis { position: absolute; top: 0; left: 0; color: var(--faint); font-size: 0.78rem; line-height: 1; font-variant-numeric: tabular-nums; }
.chart svg { display: block; width: 100%; height: 7.5rem; overflow: visible; }
.chart .in { fill: var(--accent); }
.hatch-ground { fill: var(--card); }
.hatch-line { fill: var(--accent); }
.chart .out { stroke: var(--accent); stroke-width: 1px; vector-effect: non-scaling-stroke; }
.chart .gap { fill: var(--warn-ground); stroke: var(--warn); stroke-width: 1px; stroke-dasharray: 3 3; vector-effect: non-scaling-stroke; }
.grid { stroke: var(--line); stroke-width: 1px; vector-effect: non-scaling-stroke; }
.ground { stroke: var(--faint); stroke-width: 1px; vector-effect: non-scaling-stroke; }
.ticks { display: flex; height: 1.2rem; color: var(--faint); font-size: 0.78rem; margin-top: 0.3rem; font-variant-numeric: tabular-nums; }
.ticks i { flex: 1 1 0; min-width: 0; font-style: normal; position: relative; }
.ticks span { position: absolute; left: 50%; transform: translateX(-50%); white-space: nowrap; }
figcaption { display: flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; margin-top: 0.5rem; color: var(--soft); font-size: 0.82rem; }
.key { display: inline-flex; align-items: center; gap: 0.4rem; }
.swatch { width: 0.8rem; height: 0.8rem; border-radius: 2px; border: 1px solid var(--accent); }
.swatch.in { background: var(--accent); }
.swatch.out { background: repeating-linear-gradient(0deg, var(--accent) 0 2px, var(--card) 2px 4px); }
.swatch.gap { border: 1px dashed var(--warn); background: var(--warn-ground); }
.zone { margin-left: auto; color: var(--faint); }
details { margin-top: 0.6rem; font-size: 0.9rem; }
summary { cursor: pointer; color: var(--soft); width: fit-content; padding: 0.25rem 0; }
summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
.empty { color: var(--faint); font-size: 0.92rem; padding: 0.5rem 0 0.25rem; }

.figures, .list { width: 100%; border-collapse: collapse; font-size: 0.9rem; }
.figures { max-width: 26rem; }
.figures th, .figures td, .list th, .list td { padding: 0.35rem 0.9rem 0.35rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); font-weight: 400; }
.figures td.number, .figures th.number { text-align: right; }
.figures thead th, .list thead th { color: var(--soft); font-size: 0.82rem; }
.list td:last-child, .list th:last-child { padding-right: 0; }
.panel { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 0.5rem 1.4rem 0.75rem; }
.list tr:last-child td, .figures tr:last-child > * { border-bottom: 0; }
.short { white-space: nowrap; }
.entries { margin-top: 0.7rem; }
footer { margin-top: 3rem; color: var(--faint); font-size: 0.85rem; }

@media (max-width: 44rem) {
  .page { padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 1.45rem; }
  .columns { grid-template-columns: 1fr; gap: 1.4rem; }
  .card { padding: 1.05rem 1rem 0.9rem; }
  .card > header .chip { margin-left: 0; }
  .sum { grid-template-columns: 1fr 1fr; }
  .panel { padding: 0.35rem 1rem; }
  .list thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .list, .list tbody, .list tr, .list td { display: block; }
  .list tr { padding: 0.7rem 0; border-bottom: 1px solid var(--line); }
  .list tr:last-child { border-bottom: 0; }
  .list td { border: 0; padding: 0; display: flex; gap: 0.75rem; }
  .list td::before { content: attr(data-label); color: var(--soft); flex: 0 0 5.2rem; font-size: 0.85rem; padding-top: 0.05rem; }
  .list td > span { min-width: 0; white-space: normal; }
  .list td.none { display: none; }
  .zone { margin-left: 0; }
  .strip { grid-template-columns: 5rem 1fr; }
  .strip .value { grid-column: 2; }
  .strip small { display: inline; margin-left: 0.6em; }
  .list th button { display: none; }
}
@media print {
  :root { color-scheme: light; --paper: #fff; --card: #fff; --ink: #000; --soft: #333; --faint: #555; --line: #bbb; --code: #f3f3f3;
    --accent: #0b6e69; --warn: #7a3f00; --warn-ground: #fff; --bad: #a3201d; --bad-ground: #fff; --good: #1c6b3a; --good-ground: #fff;
    --warn-line: #b98a3c; --bad-line: #c77; --good-line: #7a9; }
  body { font-size: 10.5pt; }
  .page { max-width: none; padding: 0; }
  .card, .alerts li, .list tr, .sum, figure { break-inside: avoid; }
  h2 { break-after: avoid; }
  svg *, .swatch { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  details, button, .controls { display: none; }
}
@media (prefers-contrast: more) {
  :root { --soft: var(--ink); --faint: var(--ink); --line: var(--ink); }
}
`;
