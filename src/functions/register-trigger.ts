import type { HttpHandler, HttpMethod, HttpRequest, InvocationContext } from '@azure/functions'
import { input } from 'durable-functions'
import type { Handle } from '../http/handle'
import type { HttpApp, HttpTrigger } from '../http/http-trigger'
import type { PlainRequest } from '../http/plain-request'
import { durableOrchestrations } from './durable/durable-orchestrations'

/** The methods that are registered: the host answers an unregistered one with a 404 of its own, so all come to us. */
const METHODS: HttpMethod[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Our own credentials are the only ones: a function key of the host would be a second, unaudited way in. */
export function registerTrigger(app: HttpApp, { name, route, endpoints }: HttpTrigger, handle: Handle): void {
  const handler: HttpHandler = async (request, context) => {
    // `handle` never rejects, which matters: with streams enabled the library never answers when a handler does.
    const { status, headers, body } = await handle(endpoints, plainRequest(request, route, context))
    return { status, headers: { ...headers }, ...(body === undefined ? {} : { body }) }
  }
  app.http(name, { route, methods: METHODS, authLevel: 'anonymous', extraInputs: [input.durableClient()], handler })
}

function plainRequest(request: HttpRequest, route: string, context: InvocationContext): PlainRequest {
  const { pathname } = new URL(request.url)
  const { method, headers, params, body, query } = request
  const { traceParent } = context.traceContext ?? {}
  const orchestrations = durableOrchestrations(context)
  return { method, path: pathname, route, query, params, headers, traceParent, body, orchestrations }
}
