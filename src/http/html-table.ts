import { html, type Html } from './html'

/** Of a column: its name; numbers stand to the right. */
export type Head = string | { readonly number: string }

interface Table {
  readonly caption?: string
  readonly heads: readonly Head[]
  readonly rows: readonly (readonly (string | Html)[])[]
}

/** Each cell knows its column's name, by which narrow screens show it. */
export function htmlTable({ caption, heads, rows }: Table): Html {
  const columns = heads.map((head) =>
    typeof head === 'string' ? { name: head, kind: 'text' } : { name: head.number, kind: 'number' },
  )
  return html`<table>
    ${
      caption === undefined
        ? undefined
        : html`<caption>
            ${caption}
          </caption>`
    }
    <thead>
      <tr>
        ${columns.map(({ name, kind }) => html`<th scope="col" class="${kind}">${name}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (cells) =>
          html`<tr>
            ${columns.map(({ name, kind }, at) => html`<td class="${kind}" data-head="${name}">${cells[at]}</td>`)}
          </tr> `,
      )}
    </tbody>
  </table>`
}
