/** A transcript's whole style: no network, no fonts but the reader's own; a phone's bubbles, and paper. */
export const TRANSCRIPT_STYLE = `
:root {
  color-scheme: light dark;
  --paper: #efeae2; --theirs: #ffffff; --ours: #d9fdd3; --ink: #111b21; --soft: #4b5960; --line: #c9c3b8; --quote: #f0f2f1;
  --accent: #00695c; --bad: #a3201d; --chip: #fff8e1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0b141a; --theirs: #202c33; --ours: #005c4b; --ink: #e9edef; --soft: #c9d4da; --line: #37444c; --quote: #17221f;
    --accent: #7fe0d0; --bad: #ffb3ac; --chip: #182229;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: anywhere;
  font: 16px/1.4 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Noto Color Emoji", sans-serif;
}
main { max-width: 52rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.35rem; line-height: 1.2; margin: 0 0 0.3rem; }
header { border-bottom: 1px solid var(--line); padding-bottom: 0.8rem; margin-bottom: 0.5rem; }
p { margin: 0; }
header p, footer { color: var(--soft); font-size: 0.9rem; }
footer { margin-top: 2rem; border-top: 1px solid var(--line); padding-top: 0.6rem; }
.day, .on { text-align: center; margin: 1.1rem 0 0.6rem; font-size: 0.85rem; font-weight: 600; }
.day span, .on span { display: inline-block; background: var(--chip); border-radius: 8px; padding: 0.25rem 0.75rem; }
.message { display: flex; margin: 0.35rem 0; }
.message.ours { justify-content: flex-end; }
.message.system { justify-content: center; text-align: center; }
.bubble { max-width: min(85%, 36rem); min-width: 6rem; background: var(--theirs); border-radius: 10px; padding: 0.4rem 0.7rem 0.35rem; }
.ours .bubble { background: var(--ours); }
.system .bubble { background: var(--chip); font-size: 0.9rem; }
.who { color: var(--accent); font-weight: 600; font-size: 0.85rem; }
.mark, .gone { color: var(--soft); font-style: italic; }
blockquote { margin: 0.2rem 0; padding: 0.25rem 0.6rem; border-left: 3px solid var(--accent); background: var(--quote); border-radius: 5px; color: var(--soft); font-size: 0.9rem; }
.earlier { margin: 0.35rem 0 0; padding: 0.25rem 0.6rem; border: 1px dashed var(--line); border-radius: 5px; font-size: 0.9rem; }
.earlier .label, .foot, .file { color: var(--soft); font-size: 0.78rem; }
.file { font-size: 0.85rem; }
.file img { display: block; max-width: 100%; max-height: 20rem; border-radius: 6px; margin: 0.2rem 0; }
a { color: var(--accent); }
.reactions { list-style: none; display: flex; flex-wrap: wrap; gap: 0.25rem; margin: 0.3rem 0 0; padding: 0; font-size: 0.85rem; }
.reactions li { background: var(--quote); border-radius: 999px; padding: 0.05rem 0.55rem; }
.foot { text-align: right; margin-top: 0.15rem; }
.foot .bad { color: var(--bad); font-weight: 600; }
time { font-variant-numeric: tabular-nums; white-space: nowrap; }
ul.files { padding: 0; list-style: none; }
ul.files li { padding: 0.45rem 0; border-bottom: 1px solid var(--line); }
@media print {
  :root { color-scheme: light; --paper: #fff; --theirs: #fff; --ours: #fff; --ink: #000; --soft: #333; --line: #999; --quote: #fff;
    --accent: #00463d; --bad: #7a1512; --chip: #fff; }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  .bubble, blockquote, .reactions li, .day span { border: 1px solid var(--line); }
  .ours .bubble { border-width: 1px 3px 1px 1px; }
  .bubble, .earlier { break-inside: avoid; }
  .day { break-after: avoid; }
}
@media (prefers-contrast: more) { :root { --soft: var(--ink); --line: var(--ink); } }
`;
