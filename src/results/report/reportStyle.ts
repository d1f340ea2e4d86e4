/** The style of a report, in the colours of the gateway's page: light or dark as the reader's system is. */
export const reportStyle = `
:root { color-scheme: light dark; --ground: #fff; --raised: #f3f5f8; --ink: #16202c; --faint: #505c6b; --line: #c3cad4;
  --accent: #0b5cad; font: 16px/1.45 system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { :root { --ground: #10161d; --raised: #1b242e; --ink: #e8edf3; --faint: #a9b5c3;
  --line: #465362; --accent: #7cb8f5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 84rem; padding: 0 1rem 3rem; background: var(--ground); color: var(--ink); }
h1, h2, h3 { line-height: 1.2; overflow-wrap: anywhere; }
h1 { margin: 1.5rem 0 0.25rem; }
h2 { margin: 2.5rem 0 0.5rem; border-bottom: 1px solid var(--line); padding-bottom: 0.25rem; }
h3 { margin: 1.5rem 0 0.5rem; }
small, figcaption, dt { color: var(--faint); font-weight: 400; }
a, summary { color: var(--accent); }
a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--ground); padding: 0.5rem; }
nav { display: flex; flex-wrap: wrap; gap: 0 1rem; }
nav a, summary { padding: 0.5rem 0; cursor: pointer; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 0.25rem 1rem 0.25rem 0; border-bottom: 1px solid var(--line); vertical-align: middle; }
th { font-weight: 400; overflow-wrap: anywhere; }
thead th { color: var(--faint); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.wide { width: 50%; }
svg { display: block; width: 100%; fill: var(--accent); }
.bar { height: 0.75rem; }
.chart { margin: 0.5rem 0 1rem; max-width: 40rem; }
.chart svg { height: 8rem; border-bottom: 1px solid var(--faint); }
.chart figcaption { display: flex; justify-content: space-between; font-size: 0.875rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); gap: 0 2rem; }
.charts .chart svg { height: 5rem; }
ul, ol { margin: 0; padding: 0; list-style: none; }
.examples li { padding: 0.25rem 0; overflow-wrap: anywhere; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1rem; }
.pictures figure { margin: 0; }
.pictures img, .none { display: block; width: 100%; height: auto; aspect-ratio: 1; border-radius: 4px; }
.none { display: flex; align-items: center; justify-content: center; padding: 0.5rem; text-align: center;
  background: var(--raised); color: var(--faint); font-size: 0.8125rem; overflow-wrap: anywhere; }
.pictures figcaption { margin-top: 0.25rem; font-size: 0.8125rem; overflow-wrap: anywhere; }
.pictures b { font-weight: 400; font-variant-numeric: tabular-nums; }
.pictures li li:first-child { color: var(--ink); font-size: 0.9375rem; }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: 0.25rem 1rem; margin: 0; }
dd { margin: 0; overflow-wrap: anywhere; }
code { font-size: 0.875em; overflow-wrap: anywhere; }
@media (max-width: 40rem) { dl { display: block; } dd { margin-bottom: 0.75rem; } .wide { width: 25%; } }
`;
