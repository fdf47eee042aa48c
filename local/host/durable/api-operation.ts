import type { IncomingMessage } from 'node:http'
import type { DurableFunctions } from './functions'
import type { ApiAddress } from './management-links'
import type { TaskHub } from './task-hub'

/** One call of the durable API, its body read. */
export interface ApiCall {
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface ApiAnswer {
  readonly status: number
  /** Left out: an empty body. */
  readonly json?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export type ApiOperation = (call: ApiCall) => Promise<ApiAnswer> | ApiAnswer

export interface ApiDeps {
  readonly hub: TaskHub
  readonly functions: DurableFunctions
  readonly address: ApiAddress
}

/** Undefined when the text is not JSON. No text at all is the empty text, as the extension has it. */
export function jsonText(body: string): string | undefined {
  if (body.trim() === '') return '""'
  try {
    JSON.parse(body)
    return body
  } catch {
    return undefined
  }
}
