import { hash } from 'node:crypto'
import { html, Html } from './html'

/** A kind of page that stands by itself: its style within it, and the headers under which it is sent. */
export interface HtmlPage {
  readonly headers: {
    readonly 'content-type': 'text/html; charset=utf-8'
    readonly 'content-security-policy': string
    readonly 'x-content-type-options': 'nosniff'
    readonly 'referrer-policy': 'no-referrer'
  }
  render(title: string, body: Html): string
}

/** Nothing is loaded, nothing runs, nobody frames it: the only style is the one that we wrote, which the browser knows by its hash. */
export function htmlPage(ownStyle: string): HtmlPage {
  const style = commonStyle + ownStyle
  // Whole, since the hash is of every character between the tags.
  const styleTag = new Html(`<style>${style}</style>`)
  return {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy':
        `default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}'; ` +
        `base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    },
    render: (title, body) =>
      html`<!doctype html>
        <html lang="en">
          <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <title>${title}</title>
            ${styleTag}
          </head>
          <body>
            ${body}
          </body>
        </html> `.text,
  }
}

/**
 * Colours, text and tables of every page. Colours of text have a contrast of 4.5 and more on both papers. On a narrow screen a row
 * becomes a list of its cells, each behind its column's name, so that nothing has to be scrolled sideways.
 */
const commonStyle = `
:root { color-scheme: light dark; --ink: light-dark(#1b1f24, #e6e8eb); --soft: light-dark(#59636e, #9aa4af);
  --paper: light-dark(#fff, #14171a); --panel: light-dark(#f5f7f9, #1d2125); --line: light-dark(#dce1e6, #343a41);
  --link: light-dark(#0b5cad, #7ab8ff); --good: light-dark(#0b6b3a, #63d297); --bad: light-dark(#b3261e, #ff8a80);
  --warn: light-dark(#8a5a00, #e7b755); --bar: light-dark(#5b8db8, #7ab8ff) }
* { box-sizing: border-box }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.25 } p { margin: .35rem 0; max-width: 70ch } small, .soft { color: var(--soft) }
a { color: var(--link) } :focus-visible { outline: 2px solid var(--link); outline-offset: 2px }
summary { width: fit-content; padding: .3rem 0; cursor: pointer; font-size: .85rem }
table { width: 100%; border-collapse: collapse; font-size: 13px } th { text-align: left; font-weight: 600; color: var(--soft) }
th, td { padding: .35rem .75rem .35rem 0; vertical-align: top; border-bottom: 1px solid var(--line) }
td { overflow-wrap: anywhere } .number { white-space: nowrap }
@page { size: A4; margin: 18mm } @media print { :root { color-scheme: light } }
@media screen and (max-width: 40rem) {
  table, caption, tbody, tr { display: block } thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
  tr { padding: .5rem 0; border-bottom: 1px solid var(--line) }
  td { display: flow-root; position: relative; min-height: 1.5em; padding: .1rem 0 .1rem 8.75rem; border: 0 } td:empty { display: none }
  td::before { content: attr(data-head); position: absolute; left: 0; width: 8.25rem; color: var(--soft) } }
`
