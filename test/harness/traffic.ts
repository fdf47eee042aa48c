import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { EventEmitter } from 'node:events'

/** What this process has asked of servers, its own among them: a clock that moves only at rest makes time the same on any machine. */
export interface Traffic {
  /**
   * Resolves once every request that was sent either is answered or waits in a server of this process for time to pass, and nothing
   * came of the answers that has not been sent in turn.
   */
  rest(): Promise<void>
  /** Told by a server of this process of a request that it answers in time: the function it returns is called before it does. */
  park(): () => void
  stop(): void
}

/** Between an answer and the request that comes of it there are some turns of the event loop, for streams and parsers. */
const CALM_TURNS = 20

/** Counts by what Node's own client and undici tell of themselves: nothing that is tested knows of it. */
export function watchTraffic(): Traffic {
  const sent = new Set<unknown>()
  const parked = new Set<symbol>()
  let onChange = () => {}
  const changed = () => new Promise<void>((resolve) => (onChange = resolve))
  const begin = (request: unknown) => {
    sent.add(request)
    onChange()
  }
  const end = (request: unknown) => {
    sent.delete(request)
    onChange()
  }
  const listeners = {
    'http.client.request.start': ({ request }: Exchange) => begin(request),
    'http.client.request.error': ({ request }: Exchange) => end(request),
    // Its head is there; it is taken when it is closed.
    'http.client.response.finish': ({ request, response }: Exchange) => response.once('close', () => end(request)),
    'undici:request:create': ({ request }: Exchange) => begin(request),
    'undici:request:trailers': ({ request }: Exchange) => end(request),
    'undici:request:error': ({ request }: Exchange) => end(request),
  }
  const subscriptions = Object.entries(listeners).map(([channel, listener]) => {
    const onMessage = (message: unknown) => void listener(message as Exchange)
    subscribe(channel, onMessage)
    return () => void unsubscribe(channel, onMessage)
  })
  return {
    rest: async () => {
      for (let calm = 0; calm < CALM_TURNS; calm++) {
        await new Promise((turned) => setImmediate(turned))
        while (sent.size > parked.size) {
          await changed()
          calm = 0
        }
      }
    },
    park: () => {
      const place = Symbol('a request that waits for time to pass')
      parked.add(place)
      onChange()
      return () => void parked.delete(place)
    },
    stop: () => {
      for (const end of subscriptions) end()
    },
  }
}

interface Exchange {
  readonly request: unknown
  readonly response: EventEmitter
}
