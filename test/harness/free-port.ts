import { createServer } from 'node:net'

/**
 * Below the range from which the system takes the ports of outgoing connections (32768 and up on Linux), so that none of a test's
 * thousands of connections can take the port between its choice and its use; each jest worker has a stretch of its own.
 */
const FIRST = 20_000
const PORTS_PER_WORKER = 1_500
const worker = Number(process.env['JEST_WORKER_ID'] ?? 0) % 8

let next = Math.floor(Math.random() * PORTS_PER_WORKER)

/** A port of this machine on which nobody listens, and which no other test is given soon. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < PORTS_PER_WORKER; tried++) {
    next = (next + 1) % PORTS_PER_WORKER
    const port = FIRST + worker * PORTS_PER_WORKER + next
    if (await isFree(port)) return port
  }
  throw new Error(`none of the ${PORTS_PER_WORKER} ports of this worker is free`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
