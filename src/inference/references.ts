import { isObject } from '../base/json-object'
import { Problem } from '../base/problem'
import { invalid } from './body-fields'
import type { Body } from './operation'

/**
 * What a body names that lies stored at an account of the provider. Accounts are shared by tenants, and to an account all of
 * them are one customer: whatever id reaches it, it answers with what is kept under it. So every id is found here, before anything
 * is sent, and none goes on that is not proven to be the tenant's (I3).
 */
export interface References {
  readonly items: readonly ItemReference[]
  readonly files: readonly FileReference[]
}

/** An item that an earlier response is made of: `msg_…`, `rs_…`, `fc_…`. */
export interface ItemReference {
  readonly param: string
  readonly id: string
  /** Where the item says all that it is itself, its place in `input`: it can go on without its id. */
  readonly wholeAt: number | undefined
}

/** A file of the tenant's. */
export interface FileReference {
  readonly param: string
  readonly id: string
}

const ITEM_REFERENCES_MAX = 1_000
const FILE_REFERENCES_MAX = 100
/** JSON can be nested as deep as it is long; what clients write is not. */
const DEPTH_MAX = 24

/** Of a chat completion: undefined for nearly all. */
export function referencesInMessages(messages: readonly Body[]): References | Problem | undefined {
  const found = new Finding()
  for (const [at, { content, audio }] of messages.entries()) {
    // Sound that a model spoke earlier is kept by the account under its id.
    if (isObject(audio)) return notOffered(`messages[${at}].audio`)
    if (!Array.isArray(content)) continue
    const problem = found.walk(content, `messages[${at}].content`)
    if (problem) return problem
  }
  return found.files.length > 0 ? found.result() : undefined
}

/**
 * Azure's own search beside a chat (`data_sources`, azure-facts 1.5) is made by the account: by its identity, which reaches what
 * is every tenant's, and by its deployments. Left are sources that the client opens by a secret of its own. Source of the types:
 * Azure OpenAI data plane 2024-10-21, `AzureSearchChatDataSource` and its like.
 */
export function checkDataSources({ data_sources: sources }: Body): Problem | undefined {
  if (!isGiven(sources)) return undefined
  if (!Array.isArray(sources)) return invalid('data_sources', 'must be an array')
  for (const [at, source] of (sources as readonly unknown[]).entries()) {
    const param = `data_sources[${at}].parameters`
    const parameters = isObject(source) ? source['parameters'] : undefined
    if (!isObject(parameters)) return invalid(param, 'must be an object')
    const { authentication, embedding_dependency: embedding } = parameters
    if (!isOwnSecret(authentication)) return notOffered(`${param}.authentication`)
    if (!isGiven(embedding)) continue
    const isElsewhere = isObject(embedding) && embedding['type'] === 'endpoint'
    if (!isElsewhere || !isOwnSecret(embedding['authentication'])) return notOffered(`${param}.embedding_dependency`)
  }
  return undefined
}

const OWN_SECRETS: ReadonlySet<unknown> = new Set([
  'api_key',
  'connection_string',
  'key_and_key_id',
  'encoded_api_key',
  'access_token',
  'username_and_password',
])

const isOwnSecret = (authentication: unknown) => isObject(authentication) && OWN_SECRETS.has(authentication['type'])

/** Of a response's input and tools. */
export function referencesInResponse(body: Body): References | Problem {
  const named = NAMED_AT_TOP.find((key) => isGiven(body[key]))
  if (named !== undefined) return notOffered(named)
  const found = new Finding()
  const { input, tools } = body
  const problem = (Array.isArray(input) ? inItems(found, input) : undefined) ?? inTools(found, tools)
  return problem ?? found.checked() ?? found.result()
}

/** Each names something by an id of its own that the platform does not hand out. */
const NAMED_AT_TOP = ['conversation', 'prompt', 'agent', 'agent_reference']

/** Fields that name what an account stores, wherever they stand. */
const NAMES_STORED = /^(?:vector_store_ids?|container_id|(?:\w+_)?connection_id|connector_id|skill_id|conversation_id)$/
/** Schemas are the client's own words: a property of one may be called anything. */
const SCHEMAS: ReadonlySet<string> = new Set(['parameters', 'input_schema', 'output_schema', 'schema', 'format'])
export const isSchemaField = (key: string): boolean => SCHEMAS.has(key)

class Finding {
  readonly items: ItemReference[] = []
  readonly files: FileReference[] = []

  result(): References {
    return { items: this.items, files: this.files }
  }

  checked(): Problem | undefined {
    if (this.items.length > ITEM_REFERENCES_MAX)
      return invalid('input', `names more than ${ITEM_REFERENCES_MAX} earlier items; continue by previous_response_id`)
    return this.files.length > FILE_REFERENCES_MAX
      ? invalid('input', `names more than ${FILE_REFERENCES_MAX} files`)
      : undefined
  }

  /** Finds the files that a value names, and refuses what else names something stored. */
  walk(value: unknown, param: string, depth = 0): Problem | undefined {
    if (typeof value !== 'object' || value === null) return undefined
    if (depth > DEPTH_MAX) return invalid(param, 'is nested too deeply')
    for (const [key, inner] of Object.entries(value)) {
      const at = Array.isArray(value) ? `${param}[${key}]` : `${param}.${key}`
      const problem = this.#field(key, inner, at, depth)
      if (problem) return problem
    }
    return undefined
  }

  #field(key: string, value: unknown, param: string, depth: number): Problem | undefined {
    if (!isGiven(value) || SCHEMAS.has(key)) return undefined
    if (key === 'file_id') return this.#file(value, param)
    if (key === 'file_ids') {
      const ids: readonly unknown[] = Array.isArray(value) ? value : [value]
      return ids.map((id, at) => this.#file(id, `${param}[${at}]`)).find((problem) => problem !== undefined)
    }
    if (NAMES_STORED.test(key) || (key === 'container' && typeof value === 'string')) return notOffered(param)
    return this.walk(value, param, depth + 1)
  }

  #file(id: unknown, param: string): Problem | undefined {
    if (typeof id !== 'string') return invalid(param, 'must be the id of a file')
    this.files.push({ param, id })
    return undefined
  }
}

function inItems(found: Finding, input: readonly unknown[]): Problem | undefined {
  for (const [at, item] of input.entries()) {
    const param = `input[${at}]`
    if (!isObject(item)) return invalid(param, 'must be an object')
    const { id, approval_request_id: approved } = item
    if (isGiven(id)) {
      if (typeof id !== 'string') return invalid(`${param}.id`, 'must be a string')
      found.items.push({ param: `${param}.id`, id, wholeAt: isWhole(item) ? at : undefined })
    }
    if (isGiven(approved)) {
      if (typeof approved !== 'string') return invalid(`${param}.approval_request_id`, 'must be a string')
      found.items.push({ param: `${param}.approval_request_id`, id: approved, wholeAt: undefined })
    }
    const problem = found.walk(item, param)
    if (problem) return problem
  }
  return undefined
}

/** Whether the provider needs nothing that it keeps under the item's id to know what it says. */
function isWhole(item: Body): boolean {
  switch (item['type'] ?? 'message') {
    case 'message':
      return isGiven(item['content'])
    case 'function_call':
      return typeof item['arguments'] === 'string'
    case 'custom_tool_call':
      return typeof item['input'] === 'string'
    case 'function_call_output':
    case 'custom_tool_call_output':
      return isGiven(item['output'])
    case 'reasoning':
    case 'compaction':
      return typeof item['encrypted_content'] === 'string'
    default:
      return false
  }
}

/** Tools that name nothing of an account's, or whose names are looked at. An unknown one could name anything. */
const TOOLS: ReadonlySet<unknown> = new Set([
  'function',
  'custom',
  'web_search',
  'web_search_preview',
  'web_search_preview_2025_03_11',
  'web_search_2025_08_26',
  'image_generation',
  'code_interpreter',
  'computer',
  'computer_use_preview',
  'mcp',
  'local_shell',
  'shell',
  'apply_patch',
])

function inTools(found: Finding, tools: unknown): Problem | undefined {
  if (!isGiven(tools)) return undefined
  if (!Array.isArray(tools)) return invalid('tools', 'must be an array')
  for (const [at, tool] of (tools as readonly unknown[]).entries()) {
    const param = `tools[${at}]`
    if (!isObject(tool)) return invalid(param, 'must be an object')
    // Said by what it names, where that is the reason, and by its type otherwise.
    const problem = found.walk(tool, param) ?? (TOOLS.has(tool['type']) ? undefined : notOffered(`${param}.type`))
    if (problem) return problem
  }
  return undefined
}

export function notOffered(param: string): Problem {
  const text = `'${param}' is not offered: it would name something that an account of the platform keeps.`
  return new Problem('unsupported_parameter', text, { param })
}

const isGiven = (value: unknown) => value !== undefined && value !== null
