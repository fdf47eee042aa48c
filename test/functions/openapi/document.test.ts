import { controlPlaneTriggers } from '../../../src/functions/register-control-plane'
import { methodsOf } from '../../../src/http/openapi'
import type { JsonSchema, OpenApiDocument, OpenApiOperation } from '../../../src/http/openapi-document'
import { batchDescriptions } from '../../../src/http/openapi-batches'
import { fileDescriptions } from '../../../src/http/openapi-files'
import { responseDescriptions } from '../../../src/http/openapi-responses'
import { operations } from '../../../src/inference/operations'
import { expectStatus } from '../control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../control-plane-server'

let server: ControlPlaneServer
let document: OpenApiDocument
beforeAll(async () => {
  server = await serveControlPlane()
  document = expectStatus(await server.send('GET', '/api/openapi.json'), 200).body
})
afterAll(() => server.close())

interface Place {
  readonly path: string
  readonly method: string
  readonly operation: OpenApiOperation
}
const places = (): Place[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
const nameOf = ({ path, method }: Place) => `${method} ${path}`

/** Every value in the document, with the keys that lead to it. */
function* nodes(value: unknown, path: string[] = []): Generator<{ value: unknown; path: string[] }> {
  yield { value, path }
  if (typeof value !== 'object' || value === null) return
  for (const [key, member] of Object.entries(value)) yield* nodes(member, [...path, key])
}

describe('the OpenAPI document', () => {
  it('has every method of every registered route, and nothing else but the data plane', () => {
    const registered = controlPlaneTriggers(server.parts.controlPlane).flatMap(({ route, endpoints }) =>
      methodsOf(endpoints).map(([method]) => `${method.toLowerCase()} /${route}`),
    )
    const calls = operations.flatMap(({ method, path }) =>
      ['/openai/v1', '/openai/deployments/{deployment}'].map((base) => `${method.toLowerCase()} ${base}${path}`),
    )
    const stored = [...fileDescriptions, ...batchDescriptions, ...responseDescriptions].map(
      ({ method, path }) => `${method} /openai/v1${path}`,
    )
    expect(places().map(nameOf).sort()).toEqual([...registered, ...calls, ...stored, 'get /openai/v1/models'].sort())
    expect(registered).toContain('get /api/docs')
  })

  it('has one operationId for each operation, one tag that it declares, and a summary that is a sentence', () => {
    const ids = places().map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    const tags = document.tags.map(({ name }) => name)
    for (const { operation } of places()) {
      expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/)
      expect(tags).toEqual(expect.arrayContaining([...operation.tags]))
      expect(operation.summary).toMatch(/^[A-Z].*\.$/)
    }
  })

  it('declares every parameter of a path, once, as required, and no other', () => {
    for (const place of places()) {
      const inPath = [...place.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const declared = place.operation.parameters.filter((parameter) => parameter.in === 'path')
      expect([nameOf(place), ...declared.map(({ name }) => name)]).toEqual([nameOf(place), ...inPath])
      for (const { required } of declared) expect(required).toBe(true)
      const all = place.operation.parameters.map((parameter) => `${parameter.in} ${parameter.name}`)
      expect(new Set(all).size).toBe(all.length)
    }
  })

  it('has references that lead somewhere, components that are used, and security schemes that exist', () => {
    const refs = [...nodes(document)].flatMap(({ value, path }) => (path.at(-1) === '$ref' ? [String(value)] : []))
    const known = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`)
    expect([...new Set(refs)].sort()).toEqual(known.sort())
    const schemes = Object.keys(document.components.securitySchemes)
    for (const { operation } of places())
      for (const scheme of operation.security) expect(schemes).toEqual(expect.arrayContaining(Object.keys(scheme)))
  })

  it('has only schemas that JSON Schema 2020-12 knows', () => {
    const types = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']
    const schemas = [...nodes(document)].filter(({ path }) => path.at(-1) === 'schema' || path.at(-2) === 'schemas')
    expect(schemas.length).toBeGreaterThan(100)
    for (const { value: schema, path } of schemas.flatMap(({ value, path }) => [
      ...subschemas(value as JsonSchema, path),
    ])) {
      const where = path.join('/')
      if (schema.type !== undefined)
        expect([where, types]).toEqual([where, expect.arrayContaining([schema.type].flat())])
      for (const name of schema.required ?? [])
        expect([where, name in (schema.properties ?? {})]).toEqual([where, true])
      if (schema.pattern !== undefined) expect(() => new RegExp(schema.pattern ?? '', 'u')).not.toThrow()
      expect(Object.keys(schema).filter((key) => key.startsWith('$') && key !== '$ref')).toEqual([])
    }
  })

  it('says of each operation what it takes, what it answers and how it refuses', () => {
    for (const place of places()) {
      const { operation, path, method } = place
      const statuses = Object.keys(operation.responses)
      expect([nameOf(place), statuses.some((status) => status.startsWith('2'))]).toEqual([nameOf(place), true])
      for (const [status, response] of Object.entries(operation.responses)) {
        expect(response.description).not.toBe('')
        const content = Object.keys(response.content ?? {})
        if (status === '204') expect(content).toEqual([])
        else expect([nameOf(place), status, content.length > 0]).toEqual([nameOf(place), status, true])
      }
      if (path.startsWith('/openai/')) continue
      expect(statuses).toEqual(expect.arrayContaining(path === '/api/health' ? ['500'] : ['500', '503']))
      const isPublic = operation.security.length === 0
      expect([nameOf(place), operation['x-permission'] === undefined]).toEqual([nameOf(place), isPublic])
      if (!isPublic) expect(statuses).toEqual(expect.arrayContaining(['401', '403']))
      if (method === 'put' || method === 'patch')
        expect([nameOf(place), operation.requestBody]).not.toContain(undefined)
    }
  })

  it('shows bounds, defaults, headers and pages as the endpoints have them', () => {
    const create = document.paths['/api/platform/tenants']?.['post']
    const body = create?.requestBody?.content['application/json']?.schema
    expect(body).toMatchObject({
      additionalProperties: false,
      required: expect.arrayContaining(['displayName', 'contact']),
    })
    expect(body?.properties?.['displayName']).toEqual({ type: 'string', minLength: 1, maxLength: 100 })
    expect(create?.parameters.map(({ name }) => name)).toEqual(['Idempotency-Key'])
    expect(create?.responses['202']?.content).toBeDefined()

    const patch = document.paths['/api/tenant']?.['patch']
    expect(patch?.parameters).toMatchObject([{ name: 'If-Match', in: 'header', required: true }])
    expect(patch?.responses['412']).toMatchObject({ 'x-problem-codes': ['precondition_failed'] })
    expect(document.paths['/api/tenant']?.['get']?.responses['200']?.headers).toHaveProperty('ETag')

    const list = document.paths['/api/tenant/keys']?.['get']
    expect(list?.parameters).toMatchObject([
      {
        name: 'limit',
        in: 'query',
        required: false,
        schema: { type: 'integer', minimum: 1, maximum: 500, default: 100 },
      },
      { name: 'after', in: 'query', required: false, schema: { type: 'string' } },
    ])
    expect(document.paths['/api/tenant/usage']?.['get']?.parameters.map(({ name }) => name)).toEqual([
      'from',
      'to',
      'groupBy',
      'interval',
      'format',
      'limit',
      'after',
    ])
  })

  it('shows of both health endpoints the bodies that they answer with, and no problem of a storage that they do not need', () => {
    const responses = (path: string) => document.paths[path]?.['get']?.responses ?? {}
    expect(Object.keys(responses('/api/health'))).toEqual(['200', '500'])
    expect(responses('/api/health')['200']?.content?.['application/json']?.schema).toMatchObject({
      properties: { status: { const: 'ok' } },
    })
    const ready = responses('/api/health/ready')
    const readiness = { 'application/json': { schema: { $ref: '#/components/schemas/Readiness' } } }
    expect(ready['200']?.content).toEqual(readiness)
    expect(ready['503']).toMatchObject({ content: readiness, headers: { 'Retry-After': expect.anything() } })
    expect(ready['503']).not.toHaveProperty('x-problem-codes')
    expect(document.components.schemas['Readiness']?.properties?.['status']?.enum).toEqual([
      'ready',
      'degraded',
      'unready',
      'stopping',
    ])
  })

  it('lets answers grow and holds what is sent to what is known', () => {
    for (const name of ['Tenant', 'Key', 'Backend', 'Problem'])
      expect(document.components.schemas[name]).not.toHaveProperty('additionalProperties')
  })
})

/** A schema and all in it. */
function* subschemas(schema: JsonSchema, path: string[]): Generator<{ value: JsonSchema; path: string[] }> {
  yield { value: schema, path }
  const { properties = {}, items, anyOf = [], oneOf = [], additionalProperties } = schema
  const inner = [...Object.values(properties), ...anyOf, ...oneOf, ...(items ? [items] : [])]
  if (typeof additionalProperties === 'object') inner.push(additionalProperties)
  for (const [i, sub] of inner.entries()) yield* subschemas(sub, [...path, String(i)])
}
