import { problemCodes } from '../base/problem-codes'
import type { OpenApiDocument, OpenApiOperation, OpenApiResponse } from './openapi-document'
import { curlOf } from './openapi-example'
import { html, prose, type Html } from './html'
import { htmlPage } from './html-page'
import { htmlTable } from './html-table'
import { fieldsIn, fieldTable, type Field } from './openapi-page-schema'
import { openApiPageStyle } from './openapi-page-style'

const page = htmlPage(openApiPageStyle)
export const openApiPageHeaders = page.headers

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
  return page.render(
    `${info.title} API`,
    html`<a class="skip" href="#top">To the text</a>
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
          <li><a class="plain" href="#problems">Problems</a></li>
          <li><a class="plain" href="/api/openapi.json">OpenAPI document</a></li>
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
      </main>`,
  )
}

const navItem = ({ path, method, operation }: Entry) =>
  html`<li>
    <a href="#${operation.operationId}">${methodMark(method)} <span>${path}</span></a>
  </li>`

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
  ${htmlTable({
    heads: ['Code', 'Status', 'Title', 'In whose hands', 'Repeat'],
    rows: Object.entries(problemCodes).map(([code, { status, title, blame, retryable }]) => [
      html`<code>${code}</code>`,
      String(status),
      title,
      blame,
      retryable ? 'can help' : 'cannot help',
    ]),
  })}`
