import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HeaderReader } from '../access/read-credential'
import { ClientConnection } from './client-connection'
import { isDirect, type DirectAnswer, type DirectHandler, type DirectRequest } from './direct-http'
import { NodeHeaders, readAll, writeAnswer } from './node-exchange'

/** What the host's worker says of one invocation; the part of its protocol that is needed here. */
interface Invocation {
  readonly invocationId: string
  readonly metadata: { readonly name: string }
  readonly request: {
    readonly triggerMetadata?: Readonly<
      Record<string, { readonly string?: string | null; readonly json?: string | null }>
    > | null
    readonly traceContext?: { readonly traceParent?: string | null } | null
  }
}

/** Where the library's own HTTP server keeps the calls that the host has forwarded to it, by their invocations. */
interface HttpProxy {
  readonly requests: Record<string, IncomingMessage>
  readonly responses: Record<string, ServerResponse>
  waitForProxyRequest(invocationId: string): Promise<IncomingMessage>
}

interface Context {
  readonly invocationId: string
  readonly functionName: string
}

/** By this header the host tells which answer belongs to which invocation. */
const INVOCATION_HEADER = 'x-ms-invocation-id'

/**
 * Stands in for the library's invocation of functions that were registered by `directHttp`; undefined for any other.
 * `scripts/lean-functions-library.js` puts it there.
 */
export function directInvocation(invocation: Invocation, proxy: HttpProxy): DirectInvocation | undefined {
  return isDirect(invocation.metadata.name) ? new DirectInvocation(invocation, proxy) : undefined
}

/** What the worker asks of an invocation, step by step. */
class DirectInvocation {
  readonly #invocation: Invocation
  readonly #proxy: HttpProxy

  constructor(invocation: Invocation, proxy: HttpProxy) {
    this.#invocation = invocation
    this.#proxy = proxy
  }

  /** The host's message and its request take two ways, and either may be first. */
  async getArguments(): Promise<{ context: Context; inputs: [DirectRequest] }> {
    const { invocationId, metadata } = this.#invocation
    const { requests, responses } = this.#proxy
    const request = requests[invocationId] ?? (await this.#proxy.waitForProxyRequest(invocationId))
    delete requests[invocationId]
    const response = responses[invocationId]
    if (!response) throw new Error(`the request of invocation ${invocationId} has no response`)
    const input = new NodeRequest(this.#invocation, request, new ClientConnection(response))
    return { context: { invocationId, functionName: metadata.name }, inputs: [input] }
  }

  invokeFunction(_: Context, [request]: [DirectRequest], handler: DirectHandler): Promise<DirectAnswer> {
    return handler(request)
  }

  /** With a status alone where the host answers in place of a handler that threw. Throws where a body breaks off. */
  async getResponse(_: Context, answer: Pick<DirectAnswer, 'status'> & Partial<DirectAnswer>) {
    const { invocationId } = this.#invocation
    const response = this.#proxy.responses[invocationId]
    if (!response) throw new Error(`invocation ${invocationId} has been answered`)
    delete this.#proxy.responses[invocationId]
    const { status, headers, body = '' } = answer
    await writeAnswer(response, { status, headers: { ...headers, [INVOCATION_HEADER]: invocationId }, body })
    return { invocationId, outputData: [] }
  }
}

class NodeRequest implements DirectRequest {
  readonly headers: HeaderReader
  readonly client: ClientConnection
  readonly #invocation: Invocation
  readonly #request: IncomingMessage

  constructor(invocation: Invocation, request: IncomingMessage, client: ClientConnection) {
    this.#invocation = invocation
    this.#request = request
    this.headers = new NodeHeaders(request.headers)
    this.client = client
  }

  get invocationId(): string {
    return this.#invocation.invocationId
  }

  get method(): string {
    return this.#request.method ?? ''
  }

  get target(): string {
    return this.#request.url ?? '/'
  }

  get params(): Record<string, string> {
    const params: Record<string, string> = {}
    for (const [name, { string }] of Object.entries(this.#invocation.request.triggerMetadata ?? {}))
      if (typeof string === 'string') params[name] = string
    return params
  }

  get traceParent(): string | undefined {
    return this.#invocation.request.traceContext?.traceParent ?? undefined
  }

  readAll(): Promise<Buffer> {
    return readAll(this.#request)
  }

  bytes(): AsyncIterable<Uint8Array> {
    return this.#request
  }
}
