import { randomUUID } from 'node:crypto'
import type { TypedData } from './worker-types'

/** What `{name}` in a binding's path may stand for, by lower-case name. */
export type BindingValues = ReadonlyMap<string, string>

/** The trigger's metadata, and the properties of its JSON payload where it has one. */
export function bindingValues(triggerMetadata: Readonly<Record<string, TypedData>>, payload?: string): BindingValues {
  const values = new Map<string, string>()
  for (const [name, value] of Object.entries(propertiesOf(payload))) {
    if (typeof value === 'string' || typeof value === 'number') values.set(name.toLowerCase(), String(value))
  }
  for (const [name, data] of Object.entries(triggerMetadata)) {
    const value = data.string ?? data.int ?? data.double
    if (value !== undefined) values.set(name.toLowerCase(), String(value))
  }
  return values
}

/** Fills the `{...}` of a path, `{rand-guid}` and `{datetime}` included. Throws on a name that has no value. */
export function resolveExpression(template: string, values: BindingValues): string {
  return template.replace(/\{([^{}]+)\}/g, (_, name: string) => {
    if (name.toLowerCase() === 'rand-guid') return randomUUID()
    if (name.toLowerCase() === 'datetime') return new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    const value = values.get(name.toLowerCase())
    if (value === undefined) throw new Error(`"${template}": there is no value for {${name}}`)
    return value
  })
}

function propertiesOf(payload: string | undefined): Record<string, unknown> {
  if (!payload?.startsWith('{')) return {}
  try {
    return JSON.parse(payload) as Record<string, unknown>
  } catch {
    return {}
  }
}
