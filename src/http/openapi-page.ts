import { hash } from 'node:crypto'
import { problemCodes } from '../base/problem-codes'
import type { OpenApiDocument, OpenApiOperation, OpenApiResponse } from './openapi-document'
import { curlOf } from './openapi-example'
import { html, Html, prose } from './openapi-html'
import { fieldsIn, fieldTable, type Field } from './openapi-page-schema'
import { pageStyle } from './openapi-page-style'

/** Nothing is loaded, nothing runs, nobody frames it: the style is the one that we wrote. */
export const pageSecurityPolicy =
  `default-src 'none'; style-src 'sha256-${hash('sha256', pageStyle, 'base64')}'; ` +
  `base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/** Whole, since the hash is of every character between the tags. */
const style = new Html(`<style>${pageStyle}</style>`)

interface Entry {
  readonly path: string
  readonly method: string
  readonly operation: OpenApiOperation
}

/** The API's documentation for people: one page, made whole on the server, of nothing but the document. */
export function openApiPage(document: OpenApiDocument): string {
  const { info, tags } = document
  const entries = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Entry => ({ path, method, operation })),
  )
  const groups = tags.map(({ name }) => ({
    name,
    entries: entries.filter(({ operation }) => operation.tags.includes(name)),
  }))
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${info.title} API</title>
        ${style}
      </head>
      <body>
        <nav aria-label="Operations">
          <a href="#top"><strong>${info.title} API</strong></a> ${groups.map(
            (group) =>
              html`<h2>${group.name}</h2>
                <ul>
                  ${group.entries.map(navItem)}
                </ul> `,
          )}
          <h2>Reference</h2>
          <ul>
            <li><a href="#problems">Problems</a></li>
            <li><a href="/api/openapi.json">OpenAPI document</a></li>
          </ul>
        </nav>
        <main id="top">
          <h1>${info.title} API</h1>
          <p class="soft">Version ${info.version}</p>
          <p>${prose(info.description)}</p>
          ${credentials}
          ${groups.map(
            (group) =>
              html`<section>
                <h2>${group.name}</h2>
                ${group.entries.map((entry) => article(document, entry))}
              </section> `,
          )}${problems}
        </main>
      </body>
    </html> `.text
}

const navItem = ({ path, method, operation }: Entry) =>
  html`<li><a href="#${operation.operationId}">${methodMark(method)} ${path}</a></li>`

const methodMark = (method: string) => html`<span class="method ${method}">${method.toUpperCase()}</span>`

const credentials = html`<h2>Credentials</h2>
  <p>
    A tenant sends its API key as <code>api-key: KEY</code> or <code>Authorization: Bearer KEY</code>, or a Microsoft
    Entra ID access token in the second way. Operators send <code>Authorization: Bearer TOKEN</code>. In the examples
    they are the variables <code>API_KEY</code> and <code>OPERATOR_TOKEN</code>.
  </p>`

function article(document: OpenApiDocument, entry: Entry): Html {
  const { path, method, operation } = entry
  const { schemas } = document.components
  const body = operation.requestBody?.content['application/json']?.schema
  const parameters = operation.parameters.map((parameter): Field => ({
    name:
      parameter.in === 'header'
        ? `${parameter.name}:`
        : parameter.in === 'query'
          ? `?${parameter.name}`
          : `{${parameter.name}}`,
    isRequired: parameter.required,
    schema: parameter.schema,
    description: parameter.description,
  }))
  return html`<article id="${operation.operationId}">
    <h3>${methodMark(method)} <code>${path}</code></h3>
    <p>${prose(operation.summary)}</p>
    <p class="soft">${permissionText(operation)}</p>
    ${
      parameters.length > 0
        ? html`<h4>Parameters</h4>
            ${fieldTable(schemas, parameters)}`
        : ''
    }
    ${
      body
        ? html`<h4>Body</h4>
            ${fieldTable(schemas, fieldsIn(schemas, body))}`
        : ''
    }
    <pre><code>${curlOf(document, entry)}</code></pre>
    ${Object.entries(operation.responses).map(([status, response]) => answer(document, status, response))}
  </article> `
}

function permissionText(operation: OpenApiOperation): Html {
  const permission = operation['x-permission']
  if (operation.security.length === 0) return html`Needs no credential.`
  const whose = operation.security.some((scheme) => 'operator' in scheme) ? 'An operator’s' : 'A tenant’s'
  return html`${whose} credential${permission === undefined ? '' : html` with <code>${permission}</code>`}.`
}

function answer(document: OpenApiDocument, status: string, response: OpenApiResponse): Html {
  const schema = response.content?.['application/json']?.schema
  const isProblem = response['x-problem-codes'] !== undefined
  if (isProblem || !schema) return html`<p><b>${status}</b> ${prose(response.description)}</p>`
  const fields = fieldsIn(document.components.schemas, schema)
  return html`<details>
    <summary>${status} ${response.description}</summary>
    ${fieldTable(document.components.schemas, fields)}
  </details>`
}

const problems = html`<h2 id="problems">Problems</h2>
  <p>
    What programs tell problems apart by is <code>code</code>. A problem that waiting heals comes with
    <code>Retry-After</code>.
  </p>
  <div class="scroll">
    <table>
      <thead>
        <tr>
          <th>Code</th>
          <th>Status</th>
          <th>Title</th>
          <th>In whose hands</th>
          <th>Repeat</th>
        </tr>
      </thead>
      <tbody>
        ${Object.entries(problemCodes).map(
          ([code, { status, title, blame, retryable }]) =>
            html`<tr>
              <td><code>${code}</code></td>
              <td>${status}</td>
              <td>${title}</td>
              <td>${blame}</td>
              <td>${retryable ? 'can help' : 'cannot help'}</td>
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`
