/** Of the report alone. On paper it is black on white, whatever the reader's screen is. */
export const slaPageStyle = `
main { margin: 0 auto; padding: 2rem clamp(1rem, 4vw, 3rem) 4rem; max-width: 60rem }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.3rem } h3 { margin: 1.5rem 0 .25rem; font-size: 1rem }
caption { text-align: left; color: var(--soft); padding-bottom: .25rem }
.met { color: var(--good); font-weight: 600 } .missed { color: var(--bad); font-weight: 600 }
figure { margin: .5rem 0 } figcaption { margin-top: .25rem; font-size: 13px; color: var(--soft) } time { white-space: nowrap }
.chart { display: grid; grid-template-columns: 4.5rem minmax(0, 1fr); font-size: 11px; color: var(--soft) }
.chart svg { display: block; width: 100%; height: 130px; overflow: visible } .chart text { font: 11px system-ui, sans-serif; fill: var(--soft) }
.chart .promise { fill: var(--ink); font-weight: 600 } .bar { fill: var(--bar) } .over { fill: var(--bad) }
.chart line { vector-effect: non-scaling-stroke } .axis { stroke: var(--line) } .bound { stroke: var(--ink); stroke-dasharray: 4 3 }
.dates { grid-column: 2; display: flex } .dates span { flex: 1 0 0; width: 0; white-space: nowrap }
@media screen and (min-width: 40.01rem) { td.number, th.number { text-align: right; font-variant-numeric: tabular-nums } }
@media print { main { padding: 0; max-width: none } td.number, th.number { text-align: right }
  section, figure, tr { break-inside: avoid } h2, h3, caption { break-after: avoid } details:not([open]) { display: none }
  .bar, .over { print-color-adjust: exact } }
`
