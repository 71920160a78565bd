"""How pages look: on a phone, on a desk, in the dark, on paper. Each page has it inside."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6570; --line: #dfe3e8; --blue: #0072b2;
  --back: #f5f6f8; --paper: #fff; --hint: #fdf6e7; --code: #f0f2f4; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: clamp(1.4rem, 4vw, 2rem); line-height: 1.2; margin: 0 0 .25rem;
  overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 0 0 .75rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1.1rem 0 .4rem; overflow-wrap: anywhere; }
section { background: var(--paper); border: 1px solid var(--line); border-radius: .6rem;
  padding: 1rem; margin-top: 1rem; }
p { margin: .25rem 0 .75rem; }
.soft { color: var(--soft); font-size: .9rem; }
.headline { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1rem; }
.headline div { background: var(--paper); border: 1px solid var(--line); border-radius: .6rem;
  padding: .6rem .9rem; flex: 1 1 9.5rem; }
.headline strong { display: block; font-size: 1.6rem; line-height: 1.2; color: var(--blue);
  font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { padding: .4rem .6rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.wide th, .wide td { overflow-wrap: normal; }
thead th { font-weight: 600; color: var(--soft); white-space: nowrap; vertical-align: bottom; }
tbody tr:last-child > * { border-bottom: 0; }
tbody th { font-weight: 600; }
th small, td small { display: block; color: var(--soft); font-weight: 400; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.wide .long { min-width: 9rem; max-width: 34rem; overflow-wrap: anywhere; }
.wide .run { min-width: 6.4rem; white-space: normal; overflow-wrap: anywhere; }
.wide .names { min-width: 16rem; }
.names span { display: inline-block; }
.best { color: var(--blue); font-weight: 700; }
.facts th { width: 11rem; color: var(--soft); font-weight: 500; }
.bar { display: flex; height: .8rem; border-radius: .2rem; overflow: hidden; min-width: 4rem;
  margin-top: .35rem; background: var(--line); }
.ok { background: #0072b2; } .absent { background: #e69f00; } .failed { background: #d55e00; }
.never { background: #9aa3ad; }
.key span { white-space: nowrap; margin-right: .9rem; }
.key i { display: inline-block; width: .8rem; height: .8rem; border-radius: .15rem;
  margin-right: .3rem; vertical-align: -1px; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr));
  gap: 1rem; align-items: start; }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr));
  gap: 0 2rem; align-items: start; }
.beside thead th { white-space: normal; }
figure { margin: 0; } img { max-width: 100%; height: auto; display: block; }
.plot img { width: 100%; max-width: 46rem; border-radius: .3rem; }
section > .plot { max-width: 36rem; }
figcaption { color: var(--soft); font-size: .88rem; margin-top: .25rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr));
  gap: .8rem; }
.card { border: 1px solid var(--line); border-radius: .5rem; padding: .7rem; min-width: 0; }
.card h3 { margin: .45rem 0 .2rem; font-size: .95rem; }
.card dd { font-variant-numeric: tabular-nums; }
.card p { margin: .15rem 0; font-size: .88rem; overflow-wrap: anywhere; }
.card img { border-radius: .25rem; max-height: 8.5rem; width: auto; }
.card dl { display: flex; flex-wrap: wrap; gap: .1rem .9rem; margin: .2rem 0 .3rem;
  font-size: .9rem; }
.card dt { color: var(--soft); font-size: .78rem; } .card dd { margin: 0; overflow-wrap: anywhere; }
.curves { display: block; width: 100%; height: 3.4rem; fill: none; margin: .3rem 0; }
.curves path { stroke-width: 1.6; vector-effect: non-scaling-stroke; }
.curves .true { stroke: var(--ink); } .curves .said { stroke: var(--blue); stroke-dasharray: 5 3; }
.gap { color: var(--soft); background: var(--code); border-radius: .25rem; padding: .5rem .6rem; }
pre { background: var(--code); border-radius: .35rem; padding: .6rem .7rem; margin: .3rem 0 .8rem;
  white-space: pre-wrap; overflow-wrap: anywhere; font-size: .84rem; }
.note { border-left: .25rem solid #e69f00; padding: .3rem .8rem; margin: .5rem 0;
  background: var(--hint); }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e7ea; --soft: #a2abb5; --line: #383e45; --blue: #5ab4e8; --back: #14171a;
    --paper: #1d2125; --hint: #33290f; --code: #282d32; }
  .plot img { filter: brightness(.88); }
}
@media (max-width: 34rem) {
  main { padding: 1rem .6rem 2rem; } section { padding: .8rem; }
  table { font-size: .84rem; } th, td { padding: .35rem .3rem; }
  thead th, thead .number { white-space: normal; } .bar { min-width: 2rem; }
  .facts th, .facts td { display: block; width: auto; border: 0; padding: .1rem 0; }
  .facts td { margin-bottom: .5rem; }
  .headline div { padding: .5rem .6rem; } .number small { white-space: normal; }
  .headline strong { font-size: 1.3rem; }
  .stack thead { display: none; }
  .stack tr { display: grid; grid-template-columns: repeat(auto-fill, minmax(4.5rem, 1fr));
    gap: .2rem .5rem; padding: .45rem 0; border-bottom: 1px solid var(--line); }
  .stack tr:last-child { border-bottom: 0; }
  .stack tr > * { border: 0; padding: 0; text-align: left; white-space: normal; }
  .wide .long, .wide .run, .wide .names { min-width: 4.5rem; }
  .stack th, .stack .long { grid-column: 1 / -1; max-width: none; }
  .stack td:empty { display: none; }
  .stack td::before { content: attr(data-column); display: block; color: var(--soft);
    font-size: .75rem; font-weight: 400; }
  .stack small { font-size: .72rem; }
}
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #444; --line: #ccc; --blue: #00547f;
    --paper: #fff; --hint: #fff; --code: #f4f4f4; }
  body { background: #fff; font-size: 10.5pt; } main { max-width: none; padding: 0; }
  .plot img { filter: none; }
  figure, tr, .card, .note, .headline div { break-inside: avoid; }
  h2, h3, thead, .soft { break-after: avoid; }
  section { border: 0; padding: .5rem 0; }
  .wide { overflow: visible; } table { font-size: 8.5pt; }
  .cards { grid-template-columns: repeat(2, 1fr); }
  .plots { grid-template-columns: repeat(2, 1fr); }
  .beside { grid-template-columns: repeat(3, 1fr); }
  .bar, .bar *, .key i { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
