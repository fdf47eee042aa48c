import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { HostSettings } from '../settings'
import { describeError, type HostLog } from '../log'
import { admitBody } from './body-limit'
import { answerCors } from './cors'
import type { FunctionEndpoint, HttpCall } from './function-endpoint'
import type { Keys } from './keys'
import type { Routes } from './routes'

/** Longer than the idle time of the usual load balancers and clients, so that they close first and never race us. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000
const HEADERS_TIMEOUT_MS = 60_000
/** For the whole request to arrive; says nothing of how long an answer may stream. */
const REQUEST_TIMEOUT_MS = 300_000

/** A part of the URL space that is the host's own: its admin API, the durable API. */
export interface HostEndpoint {
  /** In lower case, with the slash in front and behind. */
  readonly prefix: string
  readonly serve: (req: IncomingMessage, res: ServerResponse) => Promise<void>
}

interface Deps {
  readonly settings: HostSettings
  readonly keys: Keys
  readonly routes: Routes<FunctionEndpoint>
  readonly hostEndpoints: readonly HostEndpoint[]
  readonly serve: (endpoint: FunctionEndpoint, call: HttpCall) => Promise<void>
  readonly nextInvocationId: () => string
  readonly log: HostLog
}

/** The host's HTTP front. It does not listen yet. */
export function createHttpServer(deps: Deps): Server {
  const answer = createAnswer(deps)
  return createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      noDelay: true,
    },
    (req, res) => {
      answer(req, res).catch((error: unknown) => {
        deps.log.write('error', 'host', describeError(error))
        if (res.headersSent) res.destroy()
        else res.writeHead(500).end()
      })
    },
  )
}

function createAnswer({ settings, keys, routes, hostEndpoints, serve, nextInvocationId }: Deps) {
  const hostOf = createHostCheck()
  const isAllowed = (endpoint: FunctionEndpoint, req: IncomingMessage) =>
    !settings.enforceKeys || endpoint.authLevel === 'anonymous'
      ? true
      : keys.allows(endpoint.authLevel, endpoint.fn.name, req)

  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const host = hostOf(req)
    if (host === undefined) return answerEmpty(res, 400)
    if (answerCors(settings.cors, req, res)) return
    const path = pathOf(req)
    const own = hostEndpoints.find(({ prefix }) => startsWithIgnoringCase(path, prefix))
    if (own) return own.serve(req, res)

    const match = routes.match(req.method ?? 'GET', path)
    if (!match) return answerEmpty(res, 404)
    const allowed = isAllowed(match.value, req)
    if (allowed !== true && !(await allowed)) return answerEmpty(res, 401)
    if (!admitBody(req, res)) return
    await serve(match.value, { req, res, params: match.params, host, invocationId: nextInvocationId() })
  }
}

/** The path alone; a target in absolute form, as proxies get it, is brought to the usual form first. */
function pathOf(req: IncomingMessage): string {
  let target = req.url ?? '/'
  if (!target.startsWith('/')) {
    const url = URL.parse(target)
    target = url ? url.pathname + url.search : '/'
    req.url = target
  }
  const query = target.indexOf('?')
  return query === -1 ? target : target.slice(0, query)
}

function startsWithIgnoringCase(path: string, prefix: string): boolean {
  return path.length >= prefix.length && path.slice(0, prefix.length).toLowerCase() === prefix
}

/**
 * The Host header, checked, since the library builds a URL from it and never answers when that fails.
 * Clients repeat the same value all the time, so the last good one is remembered. Undefined: malformed.
 */
function createHostCheck(): (req: IncomingMessage) => string | undefined {
  let lastGood = 'localhost'
  return (req) => {
    const host = req.headers.host ?? 'localhost'
    if (host === lastGood) return host
    if (!/^[\w.:[\]-]+$/.test(host) || !URL.canParse(`http://${host}/`)) return undefined
    lastGood = host
    return host
  }
}

function answerEmpty(res: ServerResponse, status: number): void {
  res.writeHead(status, { 'content-length': '0' }).end()
}
