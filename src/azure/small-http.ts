import { Agent } from 'undici'
import { UpstreamError } from './upstream-error'

/** Short JSON exchanges with Azure's control planes: bounded in time and size, one answer whole. */
export interface SmallHttp {
  /** Throws an `UpstreamError` where there is no answer in time, or one that is too large. Redirects are not followed. */
  send(request: SmallRequest): Promise<SmallAnswer>
  close(): Promise<void>
}

export interface SmallRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Until the whole answer is there; by default as long as ARM may take. */
  readonly timeoutMs?: number
}

export interface SmallAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Parsed JSON; undefined where the answer has no body, or one that is no JSON. */
  readonly body: unknown
}

const CONNECT_TIMEOUT_MS = 5_000
/** ARM answers a PUT that it validates against quotas within seconds; slow work it does afterwards. */
const ANSWER_TIMEOUT_MS = 60_000
const ANSWER_BYTES_MAX = 1024 * 1024
const CONNECTIONS_PER_ORIGIN_MAX = 16

export function createSmallHttp(): SmallHttp {
  const agent = new Agent({ connections: CONNECTIONS_PER_ORIGIN_MAX, connect: { timeout: CONNECT_TIMEOUT_MS } })
  return {
    send: async (request) => {
      try {
        return await exchange(agent, request)
      } catch (error) {
        if (error instanceof UpstreamError) throw error
        throw new UpstreamError('connect', `no answer from ${new URL(request.url).origin}`, { cause: error })
      }
    },
    close: () => agent.close(),
  }
}

async function exchange(
  agent: Agent,
  { method, url, headers = {}, body, timeoutMs = ANSWER_TIMEOUT_MS }: SmallRequest,
): Promise<SmallAnswer> {
  const { origin, pathname, search } = new URL(url)
  const answer = await agent.request({
    origin,
    path: pathname + search,
    method,
    headers: { accept: 'application/json', 'user-agent': 'tenantry', ...headers },
    ...(body === undefined ? {} : { body }),
    signal: AbortSignal.timeout(timeoutMs),
  })
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    bytes += chunk.length
    // Leaving the loop destroys the body, and with it the connection.
    if (bytes > ANSWER_BYTES_MAX) throw new UpstreamError('broken', `${origin} answered with more than its bound`)
    chunks.push(chunk)
  }
  return { status: answer.statusCode, headers: answer.headers, body: parsed(Buffer.concat(chunks).toString()) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The wait that an answer asks for (seconds, RFC 9110 section 10.2.3), within bounds; `usualMs` where it says none. */
export function retryAfterMs({ headers }: SmallAnswer, usualMs: number): number {
  const text = headers['retry-after']
  const seconds = typeof text === 'string' && /^\d{1,6}$/.test(text) ? Number(text) : undefined
  return seconds === undefined ? usualMs : Math.min(WAIT_MS_MAX, Math.max(WAIT_MS_MIN, seconds * 1_000))
}

const WAIT_MS_MIN = 1_000
const WAIT_MS_MAX = 120_000
