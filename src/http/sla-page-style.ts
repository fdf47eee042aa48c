/** The report's only style; the browser lets nothing else in (its hash is in the content security policy). On paper it is black on white. */
export const slaPageStyle = `
:root { color-scheme: light dark; --ink: light-dark(#1b1f24, #e6e8eb); --soft: light-dark(#59636e, #9aa4af);
  --paper: light-dark(#fff, #14171a); --line: light-dark(#dce1e6, #343a41);
  --good: light-dark(#0b6b3a, #63d297); --bad: light-dark(#b3261e, #ff8a80); --bar: light-dark(#5b8db8, #7ab8ff) }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 2rem clamp(1rem, 4vw, 3rem) 4rem; max-width: 60rem; font: 15px/1.5 system-ui, sans-serif;
  color: var(--ink); background: var(--paper) }
h1 { margin: 0; font-size: 1.8rem } h2 { margin: 2.5rem 0 .5rem; font-size: 1.3rem } h3 { margin: 1.5rem 0 .25rem; font-size: 1rem }
p { margin: .35rem 0; max-width: 70ch } .soft { color: var(--soft) }
.scroll { overflow-x: auto } table { width: 100%; border-collapse: collapse; font-size: 13px }
caption { text-align: left; color: var(--soft); padding-bottom: .25rem }
th { text-align: left; font-weight: 600; color: var(--soft) }
th, td { padding: .35rem .75rem .35rem 0; vertical-align: top; border-bottom: 1px solid var(--line) }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
.met { color: var(--good); font-weight: 600 } .missed { color: var(--bad); font-weight: 600 }
svg { display: block; width: 100%; height: auto; margin: .5rem 0 }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft) } svg .bar { fill: var(--bar) } svg .over { fill: var(--bad) }
svg .bound { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 4 3 } svg .axis { stroke: var(--line); stroke-width: 1 }
summary { cursor: pointer; font-size: .85rem; color: var(--soft) }
@page { margin: 18mm }
@media print { :root { color-scheme: light } body { padding: 0; max-width: none; font-size: 11pt }
  section, svg, tr { break-inside: avoid } details:not([open]) { display: none } }
`
