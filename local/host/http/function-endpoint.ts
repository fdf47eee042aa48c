import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Invoker } from '../core/invoke'
import type { HostFunction } from '../core/registry'
import type { InvocationRequest, TypedData } from '../core/worker-types'
import { describeError, type HostLog } from '../log'
import { type OutputWriter } from '../outputs'
import { answerBuffered, readBuffered } from './buffered'
import type { LibraryServer } from './library-server'
import { forwardOverPort } from './proxy'

export type AuthLevel = 'anonymous' | 'function' | 'admin'

/** An HTTP function with everything that is the same for each of its calls. */
export interface FunctionEndpoint {
  readonly fn: HostFunction
  readonly authLevel: AuthLevel
  /** Extra inputs (the durable client's address); their values do not depend on the call. */
  readonly extraInputs: readonly { name: string; data: TypedData }[]
  /** The trigger with no data, then the extra inputs: what a streamed invocation carries. */
  readonly streamInputs: readonly { name: string; data: TypedData }[]
}

export interface HttpCall {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly params: Readonly<Record<string, string>>
  readonly host: string
  readonly invocationId: string
}

interface Deps {
  readonly invoker: Invoker
  readonly library: LibraryServer
  readonly outputs: OutputWriter
  readonly log: HostLog
}

/** Serves one call of one HTTP function to its end. Never rejects: whatever goes wrong has been answered and logged. */
export async function serveFunction(deps: Deps, endpoint: FunctionEndpoint, call: HttpCall): Promise<void> {
  try {
    if (deps.library.kind === 'buffered') await serveBuffered(deps, endpoint, call)
    else await serveStreamed(deps, deps.library, endpoint, call)
  } catch (error) {
    deps.log.write('error', endpoint.fn.name, describeError(error))
    giveUp(call.res)
  }
}

async function serveStreamed(
  { invoker, outputs, log }: Deps,
  library: Exclude<LibraryServer, { kind: 'buffered' }>,
  { fn, streamInputs }: FunctionEndpoint,
  { req, res, params, host, invocationId }: HttpCall,
): Promise<void> {
  const { headers } = req
  const triggerMetadata: Record<string, TypedData> = { Headers: { json: JSON.stringify(headers) } }
  for (const name in params) triggerMetadata[name] = { string: params[name] ?? '' }
  const request: InvocationRequest = withTrace({ invocationId, inputData: streamInputs, triggerMetadata }, headers)

  headers['x-ms-invocation-id'] = invocationId
  headers['x-forwarded-host'] = host
  headers['x-forwarded-proto'] = 'http'
  if (library.kind === 'stream-injected') library.deliver(req, res)
  else forwardOverPort(library.url, req, res)

  const invocation = await invoker.invoke(fn, request)
  if (invocation.kind === 'failed') {
    log.write('error', fn.name, describeError(invocation.error))
    // The library then forgets the call; when it already has, its answer broke off half-way.
    await invocation.respondInstead({ status: 500 }).catch(() => giveUp(res))
    return
  }
  // A handler that returns nothing is never answered by the library's stream path.
  if (invocation.result === undefined || invocation.result === null) await invocation.respondInstead({ status: 204 })
  if (fn.outputs.size > 1) await outputs.write(fn, invocation.response, { metadata: triggerMetadata })
}

async function serveBuffered(
  { invoker, outputs, log }: Deps,
  { fn, extraInputs }: FunctionEndpoint,
  { req, res, params, host, invocationId }: HttpCall,
): Promise<void> {
  const http = await readBuffered(req, { host, params })
  const inputData = [{ name: Object.keys(fn.metadata.bindings)[0] ?? '', data: { http } }, ...extraInputs]
  const triggerMetadata: Record<string, TypedData> = {}
  for (const name in params) triggerMetadata[name] = { string: params[name] ?? '' }
  const invocation = await invoker.invoke(fn, withTrace({ invocationId, inputData, triggerMetadata }, req.headers))
  if (invocation.kind === 'failed') {
    log.write('error', fn.name, describeError(invocation.error))
    giveUp(res)
    return
  }
  answerBuffered(res, invocation.response.returnValue?.http)
  if (fn.outputs.size > 1) await outputs.write(fn, invocation.response, { metadata: triggerMetadata })
}

function withTrace(request: InvocationRequest, { traceparent, tracestate }: IncomingMessage['headers']) {
  if (typeof traceparent !== 'string') return request
  const traceContext = { traceParent: traceparent, traceState: typeof tracestate === 'string' ? tracestate : '' }
  return { ...request, traceContext }
}

/** 500 while that can still be said; after the first byte only an aborted connection tells the truth. */
function giveUp(res: ServerResponse): void {
  if (res.headersSent) res.destroy()
  else res.writeHead(500).end()
}
