import type {
  JsonSchema,
  OpenApiDocument,
  OpenApiOperation,
  OpenApiParameter,
} from '../../../src/http/openapi-document'

/** An operation of the control plane, as the API's own document describes it. */
export interface Operation {
  /** `POST /api/tenant/keys` */
  readonly name: string
  readonly method: string
  readonly path: string
  readonly body: JsonSchema | undefined
  readonly query: readonly OpenApiParameter[]
  readonly needsIfMatch: boolean
  readonly takesIdempotencyKey: boolean
}

const PLANES = /^\/api\/(?:platform|tenant|registrations)(?:\/|$)/

export const operationsOf = ({ paths }: OpenApiDocument): Operation[] =>
  Object.entries(paths)
    .filter(([path]) => PLANES.test(path))
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, found]) => operationOf(path, method, found)))

function operationOf(path: string, method: string, { parameters, requestBody }: OpenApiOperation): Operation {
  const hasHeader = (name: string) =>
    parameters.some((parameter) => parameter.name === name && parameter.in === 'header')
  return {
    name: `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path,
    body: requestBody?.content['application/json']?.schema,
    query: parameters.filter((parameter) => parameter.in === 'query'),
    needsIfMatch: hasHeader('If-Match'),
    takesIdempotencyKey: hasHeader('Idempotency-Key'),
  }
}
