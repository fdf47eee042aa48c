import type { JsonSchema } from '../../../src/http/openapi-document'
import { resolveSchema } from '../../../src/http/openapi-schemas'
import { isFree } from './trials'

/** The names of every field that a schema has, in every variant, as trials name them. */
export function fieldsOf(
  schema: JsonSchema,
  components: Readonly<Record<string, JsonSchema>>,
  field = '',
): readonly string[] {
  const resolved = resolveSchema(components, schema)
  if (isFree(resolved)) return [field]
  const { oneOf, items, properties, additionalProperties, ...rest } = resolved
  const value = rest.anyOf?.find(({ type }) => type !== 'null')
  if (value) return fieldsOf(value, components, field)
  if (oneOf) {
    return oneOf.flatMap(({ properties: { kind, ...others } = {}, ...variant }) =>
      fieldsOf({ ...variant, properties: others }, components, `${field}<${String(kind?.const)}>`),
    )
  }
  const within =
    typeof additionalProperties === 'object' ? fieldsOf(additionalProperties, components, `${field}{}`) : []
  const named = Object.entries(properties ?? {}).flatMap(([name, of]) =>
    fieldsOf(of, components, field === '' ? name : `${field}.${name}`),
  )
  return [
    ...(rest.type === 'object' && field === '' ? [] : [field]),
    ...(items ? fieldsOf(items, components, `${field}[]`) : []),
    ...within,
    ...named,
  ]
}
