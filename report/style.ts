/** @file The look of a report, on screens light and dark, and on paper. The palette is the live page's. Imports nothing. */
const LIGHT = `
  --ground: #f6f7f9; --panel: #ffffff; --edge: #e2e6ec; --grid: #e8ecf1; --text: #18212f; --dim: #5d6a7e;
  --good: #15803d; --warn: #a15c07; --bad: #c42b1c;
  --c0: #7b8798; --c1: #d9690f; --c2: #2b5fd9; --c3: #13835a; --c4: #8449cf; --c5: #c2347f; --c6: #8a6d00;`;

const DARK = `
  --ground: #0d1117; --panel: #151b23; --edge: #262e39; --grid: #232c37; --text: #e7ebf1; --dim: #93a0b2;
  --good: #4cc38a; --warn: #f0b429; --bad: #ff7b72;
  --c0: #8b97a8; --c1: #ff9d4d; --c2: #6c9bff; --c3: #4fd1a0; --c4: #c39bff; --c5: #ff7ec0; --c6: #e3c341;`;

export const STYLE = `:root {${LIGHT}
}
@media screen and (prefers-color-scheme: dark) {
  :root {${DARK}
  }
}
* { box-sizing: border-box; }
body {
  margin: 0;
  background: var(--ground);
  color: var(--text);
  font: 14px/1.5 ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1180px; margin: 0 auto; padding: 8px clamp(12px, 3vw, 36px) 64px; }
header { margin: 36px 0 8px; }
h1 { margin: 0; font-size: clamp(24px, 3.4vw, 32px); font-weight: 680; letter-spacing: -0.02em; overflow-wrap: anywhere; }
.about { margin: 4px 0 0; color: var(--dim); overflow-wrap: anywhere; }
section { margin: 20px 0; padding: 18px clamp(12px, 2vw, 24px) 20px; background: var(--panel); border: 1px solid var(--edge); border-radius: 12px; }
h2 { margin: 0 0 10px; font-size: 17px; font-weight: 640; letter-spacing: -0.01em; }
h3 { margin: 0 0 4px; font-size: 14px; font-weight: 620; overflow-wrap: anywhere; }
.note { max-width: 78ch; margin: 0 0 14px; color: var(--dim); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; min-width: 50%; }
figcaption { max-width: 90ch; color: var(--dim); padding: 0 0 6px; }
th, td { padding: 5px 18px 5px 0; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--grid); }
th:first-child, td:first-child { text-align: left; }
th { font-weight: 500; }
thead th { color: var(--dim); font-size: 12.5px; border-bottom-color: var(--edge); }
tbody th { min-width: 13ch; max-width: 34ch; white-space: normal; overflow-wrap: anywhere; position: sticky; left: 0; background: var(--panel); }
tbody tr:last-child > * { border-bottom: 0; }
small { color: var(--dim); font-size: 12px; margin-left: 2px; }
figure { margin: 0 0 22px; }
figure:last-child { margin-bottom: 0; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 0 0 10px; padding: 0; list-style: none; }
.legend li { display: flex; align-items: center; gap: 6px; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr)); gap: 18px 28px; align-items: start; }
.panels svg { width: 100%; max-width: 460px; height: auto; font-family: inherit; overflow: visible; }
.sample { margin: 0 0 20px; }
.sample:last-child { margin-bottom: 0; }
.sample table { width: 100%; }
.sample th, .sample td { text-align: left; vertical-align: top; }
.sample td { white-space: pre-wrap; overflow-wrap: anywhere; min-width: 200px; width: 45%; }
.sample thead th:first-child { width: 1%; }
q { quotes: none; }
.given { color: var(--dim); }
.outcome { display: block; font-size: 11.5px; font-weight: 600; color: var(--dim); }
.outcome.comply { color: var(--bad); }
.outcome.refuse { color: var(--good); }
.outcome.incoherent { color: var(--warn); }
details { margin-top: 8px; }
summary { cursor: pointer; color: var(--dim); }
pre { overflow-x: auto; margin: 8px 0 0; padding: 12px 14px; background: var(--ground); border-radius: 8px; font-size: 12px; line-height: 1.45; }
:focus-visible { outline: 2px solid var(--c2); outline-offset: 2px; }
@media (max-width: 560px) {
  section { padding: 14px 12px 16px; border-radius: 10px; }
  th, td { padding-right: 14px; }
}
@media print {
  :root { --ground: #ffffff; }
  body { font-size: 9.5pt; }
  main { max-width: none; padding: 0; }
  section { border: 0; padding: 0; break-inside: auto; }
  .wide { overflow: visible; }
  tr, .panels svg, .sample { break-inside: avoid; }
  h2, h3, figcaption { break-after: avoid; }
  pre { white-space: pre-wrap; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
`;
