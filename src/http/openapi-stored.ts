import { z } from 'zod'
import type { OpenApiOperation, OpenApiParameter, OpenApiResponse } from './openapi-document'
import type { SchemaCollection } from './openapi-schemas'

/** An operation on what is kept for a tenant, as the API's documentation shows it. */
export interface StoredDescription {
  /** As the operation itself is named: `files.create`. */
  readonly name: string
  readonly method: 'get' | 'post' | 'delete'
  /** Behind `/openai/v1` and `/openai`. */
  readonly path: string
  readonly summary: string
  readonly request?: { readonly type: 'application/json' | 'multipart/form-data'; readonly body: z.ZodType }
  readonly query?: readonly OpenApiParameter[]
  /** Undefined where the answer is bytes. */
  readonly answer: z.ZodType | undefined
}

/** The v1 path of each; the others of Azure's families take and answer the same. */
export function addStored(
  paths: Record<string, Record<string, OpenApiOperation>>,
  collection: SchemaCollection,
  descriptions: readonly StoredDescription[],
  refusals: Readonly<Record<string, OpenApiResponse>>,
): void {
  for (const description of descriptions) {
    const path = `/openai/v1${description.path}`
    paths[path] = { ...paths[path], [description.method]: operationOf(collection, description, refusals) }
  }
}

const bytes = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } }

function operationOf(
  collection: SchemaCollection,
  { name, path, summary, request, query = [], answer }: StoredDescription,
  refusals: Readonly<Record<string, OpenApiResponse>>,
): OpenApiOperation {
  const content = answer ? { 'application/json': { schema: collection.add(answer, 'output') } } : bytes
  const body = request && { [request.type]: { schema: collection.add(request.body, 'input') } }
  return {
    operationId: name.replaceAll(/\.(\w)/g, (_, letter: string) => letter.toUpperCase()),
    tags: [tagOf(name)],
    summary,
    security: [{ apiKey: [] }, { bearer: [] }],
    parameters: [...[...path.matchAll(/\{(\w+)\}/g)].map(([, param = '']) => inPath(param)), ...query],
    ...(body ? { requestBody: { required: true, content: body } } : {}),
    responses: { 200: { description: 'As OpenAI answers.', content }, ...refusals },
    'x-permission': 'inference.call',
  }
}

const tags: Readonly<Record<string, string>> = { batches: 'Batches', responses: 'Inference' }
const tagOf = (name: string) => tags[name.split('.', 1)[0] ?? ''] ?? 'Files'

const inPath = (name: string): OpenApiParameter => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string' },
})

export const inQuery = (name: string, description: string, schema: OpenApiParameter['schema']): OpenApiParameter => ({
  name,
  in: 'query',
  required: false,
  description,
  schema,
})
