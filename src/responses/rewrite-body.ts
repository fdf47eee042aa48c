import type { Renaming } from '../inference/binding'
import type { FieldEdit } from '../inference/json-fields'
import type { Body } from '../inference/operation'
import { isSchemaField, type FileReference, type ItemReference } from '../inference/references'

export interface Rewriting {
  /** Items that go on without their ids: nobody has proven them, and they say all that they are themselves. */
  readonly nameless: readonly ItemReference[]
  readonly files: readonly FileReference[]
  readonly renames: readonly Renaming[]
}

/** The top-level fields that have to be sent otherwise than they came; none for a body in which nothing is named. */
export function rewrites(body: Body, { nameless, files, renames }: Rewriting): FieldEdit[] {
  const withFiles = new Set(files.map(({ param }) => /^\w+/.exec(param)?.[0] ?? ''))
  const keys = new Set([...withFiles, ...(nameless.length > 0 ? ['input'] : [])])
  const ids = new Map(renames.map(({ ourId, upstreamId }) => [ourId, upstreamId]))
  return [...keys].map((key) => {
    const value = key === 'input' ? withoutIds(body['input'], nameless) : body[key]
    return { key, value: JSON.stringify(withFiles.has(key) ? withFilesOf(value, ids) : value) }
  })
}

function withoutIds(input: unknown, nameless: readonly ItemReference[]): unknown {
  const places = new Set(nameless.map(({ wholeAt }) => wholeAt))
  const items = input as readonly Body[]
  return items.map((item, at) => (places.has(at) ? { ...item, id: undefined } : item))
}

/** Every file's id replaced by that of its copy; its depth is bounded by whoever found them (`references`). */
function withFilesOf(value: unknown, ids: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((inner) => withFilesOf(inner, ids))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fieldOf(key, inner, ids)]))
}

function fieldOf(key: string, value: unknown, ids: ReadonlyMap<string, string>): unknown {
  if (isSchemaField(key)) return value
  const named = (id: unknown) => (typeof id === 'string' ? (ids.get(id) ?? id) : id)
  if (key === 'file_id') return named(value)
  if (key === 'file_ids') return Array.isArray(value) ? value.map(named) : named(value)
  return withFilesOf(value, ids)
}
