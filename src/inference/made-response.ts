import { isObject } from '../base/json-object'
import type { TokenUsage } from '../metering/usage-record'
import { responseStatuses, type EndedResponse, type Renaming } from './binding'
import { readUsage } from './read-usage'

/** A response object as far as the platform reads it. Source: OpenAI's `Response`; Azure adds fields (azure-facts 1.8). */
export interface MadeResponse extends EndedResponse {
  readonly upstreamId: string
  readonly createdAt: number
  readonly model: string
}

/** Undefined for what is no response object. */
export function readMadeResponse(value: unknown): MadeResponse | undefined {
  if (!isObject(value)) return undefined
  const { id, status: told, output, usage, created_at: createdAt, model } = value
  const status = responseStatuses.find((name) => name === told)
  if (typeof id !== 'string' || id === '' || !status) return undefined
  return {
    upstreamId: id,
    status,
    usage: readUsage(usage),
    itemIds: itemIdsOf(output),
    createdAt: typeof createdAt === 'number' ? createdAt : 0,
    model: typeof model === 'string' ? model : '',
  }
}

export function parseMadeResponse(body: Buffer): MadeResponse | undefined {
  try {
    return readMadeResponse(JSON.parse(body.toString('utf8')))
  } catch {
    return undefined
  }
}

function itemIdsOf(output: unknown): string[] {
  const items: readonly unknown[] = Array.isArray(output) ? output : []
  return items.flatMap((item) => (isObject(item) && typeof item['id'] === 'string' ? [item['id']] : []))
}

/**
 * The same bytes with the account's ids replaced by the client's, where one is the whole of a JSON string: within a longer one its
 * quotes would be escaped, so that no text which an answer quotes is changed.
 */
export function renamed(body: Buffer, renames: readonly Renaming[]): Buffer {
  const text = body.toString('latin1')
  const changed = renamedText(text, renames)
  return changed === text ? body : Buffer.from(changed, 'latin1')
}

/** Of a Latin-1 view of the bytes: ids are ASCII. */
export function renamedText(text: string, renames: readonly Renaming[]): string {
  let changed = text
  for (const { upstreamId, ourId } of renames) {
    const quoted = `"${upstreamId}"`
    if (changed.includes(quoted)) changed = changed.replaceAll(quoted, `"${ourId}"`)
  }
  return changed
}

/** Of an error, whose message may name an id in the middle of a sentence. */
export function renamedError(body: Buffer, renames: readonly Renaming[]): Buffer {
  let text = body.toString('latin1')
  for (const { upstreamId, ourId } of renames) text = text.replaceAll(upstreamId, ourId)
  return Buffer.from(text, 'latin1')
}

/** All that a response which follows this one reads of it. */
export const chainTokens = ({ promptTokens, outputTokens }: TokenUsage): number => promptTokens + outputTokens
