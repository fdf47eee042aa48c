import type { JsonSchema, OpenApiDocument } from './openapi-document'
import { html, prose, type Html } from './html'
import { htmlTable } from './html-table'
import { resolveSchema } from './openapi-schemas'

type Components = OpenApiDocument['components']['schemas']

export interface Field {
  readonly name: string
  readonly isRequired: boolean
  readonly schema: JsonSchema
  readonly description?: string | undefined
}

const DEPTH_MAX = 8

/** A table of fields: name, type with bounds, meaning. Empty where there is nothing to show. */
export function fieldTable(components: Components, fields: readonly Field[]): Html {
  if (fields.length === 0) return html``
  return htmlTable({
    heads: ['Name', 'Type and bounds', 'Meaning'],
    rows: fields.map((field) => fieldCells(components, field)),
  })
}

function fieldCells(components: Components, { name, isRequired, schema, description }: Field): Html[] {
  const resolved = resolveSchema(components, schema)
  return [
    html`<code>${name}</code>${isRequired ? html` <b title="required">*</b>` : ''}`,
    html`${typeText(components, schema)} ${boundsOf(resolved).map((bound) => html`<small>${prose(bound)}</small> `)}`,
    html`${prose(description ?? resolved.description ?? '')}`,
  ]
}

/** Every field of a body, those within others by their path: `aliases[].groups[].members[].weight`. */
export function fieldsIn(components: Components, schema: JsonSchema, path = '', depth = 0): Field[] {
  const { properties, required = [], items, oneOf, anyOf } = resolveSchema(components, schema)
  if (depth > DEPTH_MAX) return []
  if (items) return fieldsIn(components, items, `${path}[]`, depth + 1)
  if (properties)
    return Object.entries(properties).flatMap(([name, field]) => {
      const fieldPath = path ? `${path}.${name}` : name
      const own = { name: fieldPath, isRequired: required.includes(name), schema: field }
      return [own, ...fieldsIn(components, field, fieldPath, depth + 1)]
    })
  return (oneOf ?? anyOf ?? []).flatMap((variant) =>
    fieldsIn(components, variant, path + variantLabel(components, variant), depth + 1),
  )
}

/** What tells a variant from the others: ` (kind: identity)`. */
function variantLabel(components: Components, variant: JsonSchema): string {
  const { properties = {} } = resolveSchema(components, variant)
  const label = Object.entries(properties).find(([, field]) => field.const !== undefined)
  return label ? ` (${label[0]}: ${String(label[1].const)})` : ''
}

function typeText(components: Components, schema: JsonSchema): string {
  const { type, items, oneOf, anyOf, enum: choices, const: only } = resolveSchema(components, schema)
  if (only !== undefined || choices) return ''
  if (items) return `list of ${typeText(components, items) || 'values'}`
  const variants = oneOf ?? anyOf
  if (variants) return [...new Set(variants.map((variant) => typeText(components, variant)))].join(' or ')
  return typeof type === 'string' ? type : (type?.join(' or ') ?? 'anything')
}

function boundsOf(schema: JsonSchema): string[] {
  const { minimum, maximum, exclusiveMinimum, minLength, maxLength, minItems, maxItems } = schema
  const choices = schema.const === undefined ? schema.enum : [schema.const]
  return [
    choices?.map((choice) => `\`${String(choice)}\``).join(' '),
    schema.format,
    exclusiveMinimum === undefined ? undefined : `above ${exclusiveMinimum}`,
    range(minimum, maximum, ''),
    range(minLength, maxLength, 'characters'),
    range(minItems, maxItems, 'items'),
    schema.pattern === undefined ? undefined : `\`${schema.pattern}\``,
    schema.default === undefined ? undefined : `default \`${JSON.stringify(schema.default)}\``,
  ].filter((bound) => bound !== undefined)
}

function range(least: number | undefined, most: number | undefined, unit: string): string | undefined {
  if (least === undefined && most === undefined) return undefined
  const bounds =
    most === undefined ? `at least ${least}` : least === undefined ? `at most ${most}` : `${least} to ${most}`
  return `${bounds} ${unit}`.trim()
}
