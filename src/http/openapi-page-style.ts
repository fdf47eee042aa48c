/** The page's only style; the browser lets nothing else in (its hash is in the content security policy). */
export const pageStyle = `
:root { color-scheme: light dark; --ink: light-dark(#1b1f24, #e6e8eb); --soft: light-dark(#59636e, #9aa4af);
  --paper: light-dark(#fff, #14171a); --panel: light-dark(#f5f7f9, #1d2125); --line: light-dark(#dce1e6, #343a41);
  --link: light-dark(#0b5cad, #7ab8ff); --get: light-dark(#0b6b3a, #63d297); --post: light-dark(#0b5cad, #7ab8ff);
  --patch: light-dark(#8a5a00, #e7b755); --delete: light-dark(#b3261e, #ff8a80) }
* { box-sizing: border-box }
html { scroll-padding-top: 1rem }
body { margin: 0; display: grid; grid-template-columns: 18rem minmax(0, 1fr); font: 15px/1.5 system-ui, sans-serif;
  color: var(--ink); background: var(--paper) }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.25rem; background: var(--panel);
  border-right: 1px solid var(--line); font-size: 13px }
nav h2 { margin: 1.25rem 0 .25rem; font-size: 12px; color: var(--soft) }
nav ul { list-style: none; margin: 0; padding: 0 }
nav a { display: block; padding: .15rem 0; color: inherit; text-decoration: none; overflow-wrap: anywhere }
nav a:hover, nav a:focus-visible { color: var(--link); text-decoration: underline }
main { padding: 2rem clamp(1rem, 4vw, 4rem) 6rem; max-width: 76rem }
h1 { margin: 0; font-size: 2rem } main h2 { margin: 3.5rem 0 .5rem; font-size: 1.4rem }
article { padding: 1.5rem 0; border-top: 1px solid var(--line) }
article h3 { margin: 0; font-size: 1rem; font-weight: 600; overflow-wrap: anywhere } h4 { margin: 1.25rem 0 .35rem; font-size: .85rem }
a { color: var(--link) } p { margin: .35rem 0; max-width: 70ch } small, .soft { color: var(--soft) }
code, pre { font: 12.5px/1.5 ui-monospace, Consolas, monospace } code { overflow-wrap: anywhere }
pre { margin: .35rem 0; padding: .85rem 1rem; overflow-x: auto; background: var(--panel); border: 1px solid var(--line); border-radius: 6px }
.method { display: inline-block; min-width: 3.6rem; font: 600 12px ui-monospace, Consolas, monospace }
.get { color: var(--get) } .post { color: var(--post) } .patch, .put { color: var(--patch) } .delete { color: var(--delete) }
.scroll { overflow-x: auto } table { width: 100%; border-collapse: collapse; font-size: 13px }
th { text-align: left; font-weight: 600; color: var(--soft) } th, td { padding: .35rem .75rem .35rem 0; vertical-align: top; border-bottom: 1px solid var(--line) }
td:first-child { min-width: 9rem } b[title] { color: var(--delete) }
summary { cursor: pointer; padding: .3rem 0; font-size: .85rem; font-weight: 600 }
@media (max-width: 56rem) { body { display: block } nav { position: static; height: auto; max-height: 40vh; border-right: 0; border-bottom: 1px solid var(--line) } }
`
