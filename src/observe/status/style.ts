/** How the page looks. The colours of states say nothing that a word beside them does not say as well. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --card: #fff; --ink: #1d2430; --soft: #5b6675; --line: #dde2e9; --head: #eef1f5;
  --good: #17692f; --good-ground: #ddf3e3; --warn: #7a4d00; --warn-ground: #fff0cc; --bad: #a11224; --bad-ground: #fde1e4; --calm-ground: #e6eaf0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161c; --card: #1a2029; --ink: #e4e9f0; --soft: #9aa6b6; --line: #2d3643; --head: #222a35;
    --good: #8ce0a3; --good-ground: #173823; --warn: #ffd27a; --warn-ground: #41310c; --bad: #ff9ca8; --bad-ground: #47181f; --calm-ground: #2a3340;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
header, main, footer { max-width: 90rem; margin: 0 auto; padding: 0 1rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 0 1rem; padding-top: .8rem; }
header p { margin: 0; color: var(--soft); }
h1 { font-size: 1.3rem; margin: 0; }
h2 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
a { color: inherit; }
#live.on::before, #live.off::before { content: "● "; color: var(--good); }
#live.off::before { color: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .6rem; margin: .8rem 0 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .75rem; }
.tile dt { color: var(--soft); font-size: .85rem; }
.tile dd { margin: 0; font-size: 1.45rem; font-variant-numeric: tabular-nums; }
.tile dd.more { font-size: .85rem; color: var(--soft); }
.wide { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); font-weight: inherit; }
tbody:last-child tr:last-child > *, tfoot tr > * { border-bottom: 0; }
thead th { background: var(--head); color: var(--soft); font-weight: 600; }
thead th[colspan], thead th[rowspan] { text-align: center; border-left: 1px solid var(--line); }
thead th:first-child, th[scope=row], .text { text-align: left; }
th[scope=row] { white-space: normal; overflow-wrap: anywhere; min-width: 8.5rem; }
#messages th[scope=row], #retries th[scope=row] { min-width: 0; white-space: nowrap; }
th[scope=row] small { color: var(--soft); }
td.long { white-space: pre-wrap; overflow-wrap: anywhere; min-width: 18rem; }
td.long:empty { min-width: 0; }
#servers td.long { min-width: 12rem; }
tr.total > * { background: var(--head); font-weight: 600; }
.state { display: inline-block; padding: 0 .45rem; border-radius: .3rem; background: var(--calm-ground); }
tr.up .state, tr.busy .state { background: var(--good-ground); color: var(--good); }
#servers tr.busy .state, tr.suspect .state, tr.trial .state, tr.abandoned .state, tr.warning .state, tr.connecting .state { background: var(--warn-ground); color: var(--warn); }
tr.failed .state, tr.fatal .state, tr.parse .state, tr.recoverable .state { background: var(--bad-ground); color: var(--bad); }
.none, footer { color: var(--soft); }
.none { margin: 0; }
section p { margin: 0 0 .4rem; }
footer { font-size: .85rem; padding-bottom: 1rem; }
`;
