import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { assert } from '../base/assert'
import type { JsonSchema } from './openapi-document'

/** Turns the schemas that validate into those of the document. Those with an id of their own (`.meta({ id })`) stand there once. */
export interface SchemaCollection {
  /** `input`: what may be sent; `output`: what is answered. */
  add(schema: z.ZodType, io: 'input' | 'output'): JsonSchema
  readonly components: Readonly<Record<string, JsonSchema>>
}

const COMPONENTS = '#/components/schemas/'

export function createSchemaCollection(): SchemaCollection {
  const components: Record<string, JsonSchema> = {}
  return {
    components,
    add: (schema, io) => {
      const {
        $schema: _,
        $defs,
        ...own
      } = z.toJSONSchema(schema, {
        io,
        unrepresentable: 'any',
        override: (node) => tidy(node, io),
      })
      for (const [id, definition] of Object.entries($defs ?? {})) {
        const shown = withComponentRefs(definition) as JsonSchema
        const known = components[id]
        assert(known === undefined || isDeepStrictEqual(known, shown), `two schemas are called ${id}`)
        components[id] = shown
      }
      return withComponentRefs(own) as JsonSchema
    },
  }
}

type Node = Parameters<NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override']>>[0]

function tidy({ zodSchema, jsonSchema }: Node, io: 'input' | 'output'): void {
  // A format says it all, and zod's expression for it fills half a screen.
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
  if (io === 'input') {
    const valid = ownMessage(zodSchema)
    if (valid !== undefined) jsonSchema.description ??= valid
    return
  }
  // Answers may grow: a client must not refuse a field that it does not know.
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
  // Text that a schema turned into an id or trimmed is text in an answer too.
  const { def } = zodSchema._zod
  if (def.type === 'pipe' && jsonSchema.type === undefined && def.in instanceof z.ZodString) jsonSchema.type = 'string'
}

/** What a schema says itself of what would be valid, where it does: the same words as in a refusal. */
function ownMessage({ _zod: { def } }: Node['zodSchema']): string | undefined {
  const errors = [def.error, ...(def.checks ?? []).map((check) => check._zod.def.error)]
  // One that takes the fault as its argument has something to say of that fault only.
  const fixed = errors.find((error) => error !== undefined && error.length === 0) as (() => unknown) | undefined
  const message = fixed?.()
  return typeof message === 'string' ? message : undefined
}

/** zod puts shared schemas under `$defs` of each document of its own. */
function withComponentRefs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withComponentRefs)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) =>
      key === '$ref' && typeof member === 'string'
        ? [key, member.replace('#/$defs/', COMPONENTS)]
        : [key, withComponentRefs(member)],
    ),
  )
}

/** The schema that a reference leads to, or the schema itself. */
export function resolveSchema(components: Readonly<Record<string, JsonSchema>>, schema: JsonSchema): JsonSchema {
  if (schema.$ref === undefined) return schema
  const found = components[schema.$ref.slice(COMPONENTS.length)]
  assert(found, `${schema.$ref} leads somewhere`)
  return found
}
