/** Of the API's page alone. */
export const openApiPageStyle = `
html { scroll-padding-top: 1rem }
body { display: grid; grid-template-columns: 19rem minmax(0, 1fr) }
.skip { position: absolute; left: -100vw; padding: .5rem 1rem; background: var(--paper) } .skip:focus { left: 1rem; top: 1rem; z-index: 1 }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.25rem; background: var(--panel);
  border-right: 1px solid var(--line); font-size: 13px }
nav h2 { margin: 1.25rem 0 .25rem; font-size: 12px; color: var(--soft) }
nav ul { list-style: none; margin: 0; padding: 0 }
nav a { padding: .15rem 0; color: inherit; text-decoration: none; overflow-wrap: anywhere }
nav li a { display: grid; grid-template-columns: 3.9rem minmax(0, 1fr) } nav li a.plain { display: block }
nav a:hover, nav a:focus-visible { color: var(--link); text-decoration: underline }
main { padding: 2rem clamp(1rem, 4vw, 4rem) 6rem; max-width: 76rem; min-width: 0 }
main h2 { margin: 3.5rem 0 .5rem; font-size: 1.4rem }
article { padding: 1.5rem 0; border-top: 1px solid var(--line) }
article h3 { margin: 0; font-size: 1rem; font-weight: 600; overflow-wrap: anywhere } h4 { margin: 1.25rem 0 .35rem; font-size: .85rem }
code, pre { font: 12.5px/1.5 ui-monospace, Consolas, monospace } code { overflow-wrap: anywhere }
pre { margin: .35rem 0; padding: .85rem 1rem; white-space: pre-wrap; background: var(--panel); border: 1px solid var(--line); border-radius: 6px }
.method { display: inline-block; min-width: 3.6rem; font: 600 12px/1.6 ui-monospace, Consolas, monospace }
.get { color: var(--good) } .post { color: var(--link) } .patch, .put { color: var(--warn) } .delete { color: var(--bad) }
td:first-child { min-width: 9rem } b[title] { color: var(--bad) } summary { font-weight: 600 }
@media (max-width: 56rem) { body { display: block } nav { position: static; height: auto; max-height: 40vh; border-right: 0; border-bottom: 1px solid var(--line) } }
@media print { body { display: block } nav, .skip { display: none } article { break-inside: avoid } }
`
