import type { JsonSchema, OpenApiDocument, OpenApiOperation, OpenApiParameter } from './openapi-document'
import { resolveSchema } from './openapi-schemas'

type Components = OpenApiDocument['components']['schemas']

/** Deeper than any body of ours; it keeps a schema that holds itself from never ending. */
const DEPTH_MAX = 8

/** The least body that the schema takes, with `<name>` where only the reader knows what belongs there. */
export function exampleOf(components: Components, schema: JsonSchema, name: string, depth = 0): unknown {
  const { examples, default: usual, const: only, enum: choices, ...rest } = resolveSchema(components, schema)
  const given = examples?.[0] ?? usual ?? only ?? choices?.[0]
  if (given !== undefined || depth > DEPTH_MAX) return given
  const [variant] = rest.oneOf ?? rest.anyOf ?? []
  if (variant) return exampleOf(components, variant, name, depth + 1)
  switch (rest.type) {
    case 'object': {
      const { properties = {}, required = [] } = rest
      // A patch needs nothing, and an empty one shows nothing.
      const shown = required.length > 0 ? required : Object.keys(properties).slice(0, 1)
      return Object.fromEntries(
        shown.map((field) => [field, exampleOf(components, properties[field] ?? {}, field, depth + 1)]),
      )
    }
    case 'array':
      return rest.items && (rest.minItems ?? 0) > 0 ? [exampleOf(components, rest.items, name, depth + 1)] : []
    case 'integer':
    case 'number':
      return rest.minimum ?? 1
    case 'boolean':
      return true
    default:
      return textExample(rest.format, name)
  }
}

function textExample(format: string | undefined, name: string): string {
  if (format === 'email') return 'ops@example.com'
  if (format === 'date-time') return '2027-01-31T00:00:00Z'
  return `<${name}>`
}

/** The request as a command for a shell. */
export function curlOf(
  document: OpenApiDocument,
  { path, method, operation }: { path: string; method: string; operation: OpenApiOperation },
): string {
  const { schemas } = document.components
  const url = (document.servers[0]?.url ?? '') + path.replaceAll(/\{(\w+)\}/g, '<$1>')
  const query = operation.parameters.filter((parameter) => parameter.in === 'query' && parameter.required)
  const headers = operation.parameters.filter((parameter) => parameter.in === 'header')
  const body = operation.requestBody?.content['application/json']?.schema
  const valueOf = ({ name, schema }: OpenApiParameter) => String(exampleOf(schemas, schema, name))
  return [
    `curl${method === 'get' ? '' : ` -X ${method.toUpperCase()}`} ${quoted(url + queryText(query, valueOf))}`,
    ...credentialOf(operation),
    ...headers.map((header) => `-H ${quoted(`${header.name.toLowerCase()}: ${valueOf(header)}`)}`),
    ...(body
      ? [
          `-H 'content-type: application/json'`,
          `-d ${quoted(JSON.stringify(exampleOf(schemas, body, 'body'), undefined, 2))}`,
        ]
      : []),
  ].join(' \\\n  ')
}

function queryText(query: readonly OpenApiParameter[], valueOf: (parameter: OpenApiParameter) => string): string {
  if (query.length === 0) return ''
  return `?${query.map((parameter) => `${parameter.name}=${valueOf(parameter)}`).join('&')}`
}

function credentialOf({ security }: OpenApiOperation): string[] {
  const [first] = security
  if (!first) return []
  return 'operator' in first ? ['-H "authorization: Bearer $OPERATOR_TOKEN"'] : ['-H "api-key: $API_KEY"']
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
