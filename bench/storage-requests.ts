import { subscribe } from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'

/** What was asked of storage between two looks. */
export interface StorageRequests {
  readonly count: number
  /** How many were under way at a time, over the time in which any was: 1 means one after the other. */
  readonly atOnce: number
  /** Requests by what they ask of which table or container, the most frequent first. */
  readonly kinds: readonly (readonly [kind: string, count: number])[]
}

/** Digits of ids, days and names of blobs, which would make a kind of each request. */
const PATH = /^\/[^/]+\/([A-Za-z0-9-]+|\$batch)/

/**
 * Counts this process's requests to the ports of a storage account, as `node:http` tells of them (its diagnostics channels
 * `http.client.request.start` and `http.client.response.finish`, which the Azure SDK's requests all pass). Call it once a process.
 */
export function watchStorageRequests(connectionString: string): { look(): StorageRequests } {
  const ports = new Set([...connectionString.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port = '']) => port))
  const beganAt = new WeakMap<ClientRequest, number>()
  const ofStorage = (request: ClientRequest) => ports.has(String(request.getHeader('host')).split(':')[1] ?? '')
  let kinds = new Map<string, number>()
  let count = 0
  let busyMs = 0
  let openMs = 0
  let open = 0
  let openSince = 0

  subscribe('http.client.request.start', (message) => {
    const { request } = message as { request: ClientRequest }
    if (!ofStorage(request)) return
    const now = performance.now()
    beganAt.set(request, now)
    if (open++ === 0) openSince = now
    count += 1
    const kind = `${request.method} ${PATH.exec(request.path)?.[1] ?? request.path}`
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    request.once('close', () => {
      const end = performance.now()
      busyMs += end - (beganAt.get(request) ?? end)
      if (--open === 0) openMs += end - openSince
    })
  })

  return {
    look: () => {
      const looked = {
        count,
        atOnce: openMs === 0 ? 0 : busyMs / openMs,
        kinds: [...kinds].toSorted(([, a], [, b]) => b - a),
      }
      kinds = new Map()
      ;[count, busyMs, openMs] = [0, 0, 0]
      return looked
    },
  }
}
