import type { OpenApiDocument } from '../../src/http/openapi-document'
import { exampleOf } from '../../src/http/openapi-example'

/** An operation of the control plane as the API's own document has it, with a body that it would take. */
export interface DocumentedOperation {
  readonly method: string
  /** With kinds of ids in braces. */
  readonly path: string
  /** Undefined where it takes none. */
  readonly body: unknown
}

const methods = ['get', 'post', 'put', 'patch', 'delete']

export const documentedOperations = ({ paths, components }: OpenApiDocument): DocumentedOperation[] =>
  Object.entries(paths)
    .filter(([path]) => path.startsWith('/api/'))
    .flatMap(([path, operations]) =>
      Object.entries(operations)
        .filter(([method]) => methods.includes(method))
        .map(([method, { requestBody }]) => {
          const schema = requestBody?.content['application/json']?.schema
          return {
            method: method.toUpperCase(),
            path,
            body: schema && exampleOf(components.schemas, schema, 'body'),
          }
        }),
    )

/** The kinds of ids that text has places for, as `{keyId}` is one: each as often as it stands there. */
export const kindsInText = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, kind = '']) => kind)
