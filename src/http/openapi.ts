import type { z } from 'zod'
import { problemCodes, type ProblemCode } from '../base/problem-codes'
import type { Access, Endpoint } from './endpoint'
import type { Endpoints, Method } from './handle'
import type { HttpTrigger } from './http-trigger'
import { addDataPlane } from './openapi-data-plane'
import type {
  JsonSchema,
  OpenApiContent,
  OpenApiDocument,
  OpenApiOperation,
  OpenApiParameter,
  OpenApiResponse,
} from './openapi-document'
import { problemsOf, shownProblem } from './openapi-problems'
import { createSchemaCollection, resolveSchema, type SchemaCollection } from './openapi-schemas'

const DESCRIPTION =
  `One endpoint for model calls that official SDKs use unchanged, and an API by which operators and tenants
administer the platform. A tenant's credential decides whose data a request reaches; no path names it. Errors are RFC 9457
problems with a stable \`code\` (on \`/openai\` OpenAI's own error body), and every answer carries \`x-request-id\`. A change
says with \`If-Match\` which version it replaces; a creation that carries an \`Idempotency-Key\` happens once, however often
it is sent. Lists are paged: \`next\` of one page is \`after\` of the following.`.replaceAll('\n', ' ')

/** The document of the whole API, made from the endpoints themselves: what is registered is described. */
export function openApiDocument(
  triggers: readonly HttpTrigger[],
  { version, publicUrl }: { version: string; publicUrl: string },
): OpenApiDocument {
  const collection = createSchemaCollection()
  const paths: Record<string, Record<string, OpenApiOperation>> = {}
  for (const trigger of [...triggers].sort((a, b) => (a.route < b.route ? -1 : 1)))
    paths[`/${trigger.route}`] = Object.fromEntries(
      methodsOf(trigger.endpoints).map(([method, endpoint]) => [
        method.toLowerCase(),
        operationOf(collection, { trigger, method, endpoint }),
      ]),
    )
  addDataPlane(paths, collection)

  const tags = [...new Set(Object.values(paths).flatMap((path) => Object.values(path).flatMap(({ tags }) => tags)))]
  return {
    openapi: '3.1.0',
    info: { title: 'Tenantry', version, description: DESCRIPTION },
    servers: [{ url: publicUrl }],
    tags: tags.sort(byPlane).map((name) => ({ name })),
    paths,
    components: { schemas: collection.components, securitySchemes },
  }
}

const securitySchemes = {
  apiKey: { type: 'apiKey', in: 'header', name: 'api-key', description: 'A tenant’s API key.' },
  bearer: { type: 'http', scheme: 'bearer', description: 'A tenant’s API key, or a Microsoft Entra ID access token.' },
  operator: { type: 'http', scheme: 'bearer', description: 'A credential of those who run the platform.' },
}

export const methodsOf = (endpoints: Endpoints) => Object.entries(endpoints) as [Method, Endpoint][]

interface Described {
  readonly trigger: HttpTrigger
  readonly method: Method
  readonly endpoint: Endpoint
}

function operationOf(collection: SchemaCollection, described: Described): OpenApiOperation {
  const { trigger, method, endpoint } = described
  const { access, schemas } = endpoint
  return {
    operationId: operationIdOf(method, trigger.name),
    tags: [tagOf(trigger.route)],
    summary: endpoint.summary,
    security: securityOf(access),
    parameters: parametersOf(collection, described),
    ...(schemas.body
      ? { requestBody: { required: true as const, content: json(collection.add(schemas.body, 'input')) } }
      : {}),
    responses: {
      ...successOf(collection, described),
      ...problemResponses(collection, endpoint, method),
      ...unreadyOf(collection, endpoint),
    },
    ...(access.kind === 'public' ? {} : { 'x-permission': access.permission }),
  }
}

const operationIdOf = (method: Method, name: string) =>
  method.toLowerCase() + name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())

/** `api/platform/tenants/{tenantId}/keys` is in the group "Platform: tenants". */
function tagOf(route: string): string {
  const [, plane = '', topic] = route.split('/')
  const title = (text: string) => text.charAt(0).toUpperCase() + text.slice(1).replaceAll('-', ' ')
  if (plane !== 'platform' && plane !== 'tenant') return 'Public'
  return `${title(plane)}: ${topic ? title(topic).toLowerCase() : 'profile'}`
}

const planes = ['Inference', 'Public', 'Tenant', 'Platform']
const planeOf = (tag: string) => planes.findIndex((plane) => tag.startsWith(plane))
const byPlane = (a: string, b: string) => planeOf(a) - planeOf(b) || (a < b ? -1 : 1)

function securityOf(access: Access): OpenApiOperation['security'] {
  if (access.kind === 'public') return []
  return access.kind === 'tenant' ? [{ apiKey: [] }, { bearer: [] }] : [{ operator: [] }]
}

function parametersOf(collection: SchemaCollection, { trigger, endpoint }: Described): OpenApiParameter[] {
  const inPath = [...trigger.route.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  const path = fieldsOf(collection, endpoint.schemas.params).filter(({ name }) => inPath.includes(name))
  return [
    ...path.map((field) => ({ ...field, in: 'path' as const, required: true })),
    ...fieldsOf(collection, endpoint.schemas.query).map((field) => ({ ...field, in: 'query' as const })),
    ...(endpoint.needsIfMatch ? [ifMatchHeader] : []),
    ...(endpoint.newSubject && endpoint.access.kind !== 'public' ? [idempotencyHeader] : []),
  ]
}

function fieldsOf(collection: SchemaCollection, schema: z.ZodType | undefined): Omit<OpenApiParameter, 'in'>[] {
  if (!schema) return []
  const { properties = {}, required = [] } = resolveSchema(collection.components, collection.add(schema, 'input'))
  return Object.entries(properties).map(([name, { description, ...field }]) => ({
    name,
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    // What only a function judges is text all the same.
    schema: Object.keys(field).length > 0 ? field : { type: 'string' },
  }))
}

const ifMatchHeader: OpenApiParameter = {
  name: 'If-Match',
  in: 'header',
  required: true,
  description: 'The ETag of the version that is to be changed, or `*` for whichever there is.',
  schema: { type: 'string', examples: ['"7"'] },
}

const idempotencyHeader: OpenApiParameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'Any text of your own. For a day, the same key with the same body gives the same answer.',
  schema: { type: 'string', minLength: 1, maxLength: 255, examples: ['b1f5c1e0-8a1d'] },
}

const json = (schema: JsonSchema): OpenApiContent => ({ 'application/json': { schema } })

const titles = { 200: 'Done', 201: 'Made', 202: 'Accepted; the work goes on', 204: 'Done, nothing to say' }

function successOf(collection: SchemaCollection, described: Described): Record<string, OpenApiResponse> {
  const { answerStatus, answerType, schemas } = described.endpoint
  const headers = hasEtag(described) ? { headers: { ETag: etagHeader } } : {}
  const content = {
    ...(schemas.answer ? json(collection.add(schemas.answer, 'output')) : {}),
    ...(answerType ? { [answerType]: { schema: { type: 'string' } } } : {}),
  }
  const hasContent = schemas.answer !== undefined || answerType !== undefined
  return { [answerStatus]: { description: titles[answerStatus], ...headers, ...(hasContent ? { content } : {}) } }
}

/** In place of the problems with its status, of which there are none where no storage is needed. */
function unreadyOf(collection: SchemaCollection, { schemas }: Endpoint): Record<string, OpenApiResponse> {
  if (!schemas.unready) return {}
  const content = json(collection.add(schemas.unready, 'output'))
  return { 503: { description: 'Not ready', headers: { 'Retry-After': retryAfterHeader }, content } }
}

/** What is changed under If-Match is read with an ETag. */
const hasEtag = ({ trigger, method }: Described) =>
  method !== 'DELETE' &&
  methodsOf(trigger.endpoints).some(([other, { needsIfMatch }]) => other !== 'DELETE' && needsIfMatch)

const etagHeader = { description: 'For `If-Match`.', schema: { type: 'string' } }
const retryAfterHeader = {
  description: 'Seconds after which it can succeed; `retry-after-ms` has milliseconds.',
  schema: { type: 'integer' },
}

function problemResponses(
  collection: SchemaCollection,
  endpoint: Endpoint,
  method: Method,
): Record<string, OpenApiResponse> {
  const schema = collection.add(shownProblem, 'output')
  const byStatus = Map.groupBy(problemsOf(endpoint, method), (code) => problemCodes[code].status)
  const entries = [...byStatus].map(([status, codes]): [number, OpenApiResponse] => [
    status,
    {
      description: codes.map((code) => `\`${code}\`: ${problemCodes[code].title}`).join('; '),
      ...(codes.some((code) => waits(code)) ? { headers: { 'Retry-After': retryAfterHeader } } : {}),
      content: { 'application/problem+json': { schema } },
      'x-problem-codes': codes,
    },
  ])
  return Object.fromEntries(entries)
}

const waits = (code: ProblemCode) => problemCodes[code].retryable && problemCodes[code].status !== 500
