import net from 'node:net'

const POLL_INTERVAL_MS = 25
const CONNECT_TIMEOUT_MS = 1_000
const READY_MS_MAX = 60_000
const EMULATOR_PORTS = [10_000, 10_001, 10_002]

/**
 * Resolves when the emulator that a connection string names takes connections; at once for a real account.
 * A storage SDK that finds a closed port backs off for seconds, so nothing may touch the storage before this.
 */
export async function waitForStorage(connectionString: string): Promise<void> {
  const deadlineMs = Date.now() + READY_MS_MAX
  await Promise.all(localPorts(connectionString).map((port) => waitForPort(port, deadlineMs)))
}

function localPorts(connectionString: string): number[] {
  if (connectionString === 'UseDevelopmentStorage=true') return EMULATOR_PORTS
  return [...connectionString.matchAll(/Endpoint=http:\/\/(?:127\.0\.0\.1|localhost):(\d+)/g)].map(([, port]) =>
    Number(port),
  )
}

/** Rejects when nothing listens on the port of this machine before `deadlineMs` (epoch). */
export async function waitForPort(port: number, deadlineMs: number): Promise<void> {
  while (!(await isListening(port))) {
    if (Date.now() > deadlineMs) throw new Error(`Nothing listens on port ${port} after ${READY_MS_MAX} ms`)
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS))
  }
}

export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1', timeout: CONNECT_TIMEOUT_MS })
    const settle = (open: boolean) => {
      socket.destroy()
      resolve(open)
    }
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
    socket.once('timeout', () => settle(false))
  })
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
