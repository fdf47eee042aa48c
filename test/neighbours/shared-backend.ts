import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { MovedPlatform } from './moved-platform'

/**
 * A model that serves so many calls at a time, by a clock that a test moves, and lets the others wait in order of arrival: it refuses
 * nobody, so whoever sends too much makes everybody slow.
 */
export interface SharedBackend {
  readonly url: string
  /** From now on it serves so many at a time. */
  setAtOnce(atOnce: number): void
  close(): Promise<void>
}

export interface Capacity {
  readonly atOnce: number
  readonly callMs: number
  readonly promptTokens: number
  readonly outputTokens: number
}

export async function startSharedBackend(
  { clock, traffic }: Pick<MovedPlatform, 'clock' | 'traffic'>,
  capacity: Capacity,
): Promise<SharedBackend> {
  const waiting: { response: ServerResponse; unpark: () => void }[] = []
  let { atOnce } = capacity
  let serving = 0
  const answer = JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 0,
    model: 'gpt-4.1-mini',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
    usage: {
      prompt_tokens: capacity.promptTokens,
      completion_tokens: capacity.outputTokens,
      total_tokens: capacity.promptTokens + capacity.outputTokens,
    },
  })
  const serveNext = () => {
    while (serving < atOnce) {
      const next = waiting.shift()
      if (!next) return
      serving += 1
      clock.after(capacity.callMs, () => {
        serving -= 1
        next.unpark()
        next.response.writeHead(200, { 'content-type': 'application/json' }).end(answer)
        serveNext()
      })
    }
  }
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      waiting.push({ response, unpark: traffic.park() })
      serveNext()
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setAtOnce: (next) => {
      atOnce = next
    },
    close: () =>
      new Promise((closed) => {
        server.closeAllConnections()
        server.close(() => closed())
      }),
  }
}
