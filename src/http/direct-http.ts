import type { HttpFunctionOptions, HttpHandler } from '@azure/functions'
import type { HeaderReader } from '../access/read-credential'
import type { ClientConnection } from './client-connection'
import type { HttpApp } from './http-trigger'

/**
 * HTTP functions that read Node's own request and answer by Node's own response. The Functions library would make a fetch request and a
 * fetch response of every call, which costs more than everything else that a call does (docs/decisions/0002).
 */
export type DirectHandler = (request: DirectRequest) => Promise<DirectAnswer>

export interface DirectRequest {
  readonly invocationId: string
  readonly method: string
  /** Path and query as they were sent. */
  readonly target: string
  /** What the route's placeholders stand for. */
  readonly params: Readonly<Record<string, string>>
  readonly headers: HeaderReader
  /** Of the Functions host, where it traces. */
  readonly traceParent: string | undefined
  readonly client: ClientConnection
  /** The whole body, which can be read once. Rejects where the client broke off. */
  readAll(): Promise<Buffer>
  /** The body as it comes, in place of `readAll`. Giving up in the middle closes the connection. */
  bytes(): AsyncIterable<Uint8Array>
}

export interface DirectAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** A whole body, or one that is made while it is read. */
  readonly body: string | Buffer | AsyncIterable<Uint8Array>
}

export interface DirectOptions extends Pick<HttpFunctionOptions, 'route' | 'methods' | 'authLevel'> {
  readonly handler: DirectHandler
}

const names = new Set<string>()

export function directHttp(app: HttpApp, name: string, options: DirectOptions): void {
  names.add(name)
  // The library hands over what `directInvocation` gives it, and takes what the handler answers back there unread.
  app.http(name, { ...options, handler: options.handler as unknown as HttpHandler })
}

export const isDirect = (name: string): boolean => names.has(name)
