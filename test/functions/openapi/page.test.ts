import { hash } from 'node:crypto'
import type { OpenApiDocument } from '../../../src/http/openapi-document'
import { openApiPage } from '../../../src/http/openapi-page'
import { serveControlPlane, type ControlPlaneServer } from '../control-plane-server'

let server: ControlPlaneServer
let page: Response
let text: string
let document: OpenApiDocument
beforeAll(async () => {
  server = await serveControlPlane()
  page = await fetch(`${server.url}/api/docs`)
  text = await page.text()
  document = (await server.send('GET', '/api/openapi.json')).body
})
afterAll(() => server.close())

describe('the page of the API', () => {
  it('shows every operation with its path, its permission and a command that calls it', () => {
    for (const [path, methods] of Object.entries(document.paths))
      for (const [method, operation] of Object.entries(methods)) {
        const from = text.indexOf(`<article id="${operation.operationId}">`)
        expect([operation.operationId, from > 0]).toEqual([operation.operationId, true])
        const article = text.slice(from, text.indexOf('</article>', from))
        expect(article).toContain(`>${method.toUpperCase()}</span>`)
        expect(article).toContain(`<code>${path}</code>`)
        expect(article).toContain('curl ')
        if (operation['x-permission']) expect(article).toContain(`<code>${operation['x-permission']}</code>`)
        expect(text).toContain(`href="#${operation.operationId}"`)
      }
  })

  it('shows parameters with their bounds, fields within fields, and codes of problems', () => {
    expect(text).toContain('<code>aliases[].groups[].members[].weight</code>')
    expect(text).toContain('1 to 100 characters')
    expect(text).toContain('Must be a region in lower case')
    expect(text).toContain('default <code>100</code>')
    expect(text).toContain('<code>api (kind: openai-compatible).kind</code>')
    expect(text).toContain('precondition_failed')
  })

  it('loads nothing, runs nothing, and lets in no style but its own', () => {
    const policy = page.headers.get('content-security-policy') ?? ''
    const style = /<style>([^]*?)<\/style>/.exec(text)?.[1] ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain(`'sha256-${hash('sha256', style, 'base64')}'`)
    expect(text).not.toMatch(/<script|<link|<img|<iframe|src=|style="|@import|url\(/)
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  })

  it('has an end for every beginning', () => {
    const open: string[] = []
    for (const [, slash, name = ''] of text.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/g)) {
      if (name === 'meta') continue
      if (slash) expect(open.pop()).toBe(name)
      else open.push(name)
    }
    expect(open).toEqual([])
  })

  it('escapes whatever stands in the document', () => {
    const evil = '<img src=x onerror="alert(1)">'
    const [path = ''] = Object.keys(document.paths)
    const operation = { ...Object.values(document.paths[path] ?? {})[0], summary: evil, operationId: evil } as never
    expect(openApiPage({ ...document, paths: { [evil]: { get: operation } } })).not.toContain(evil)
  })

  it('shows commands as one would type them', () => {
    const command = /<pre><code>(curl[^<]*api\/tenant\/keys&#39;[^<]*)<\/code>/.exec(text)?.[1]
    expect(command?.replaceAll('&#39;', "'").replaceAll('&#34;', '"')).toMatchInlineSnapshot(`
     "curl 'http://platform.example/api/tenant/keys' \\
       -H "api-key: $API_KEY""
    `)
  })
})
