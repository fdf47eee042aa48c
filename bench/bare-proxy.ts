import { createServer } from 'node:http'
import { Pool } from 'undici'

/**
 * The bare limit: `node:http` in front, an undici pool behind, bodies passed through, nothing looked at.
 * What a gateway does beyond this is its overhead. Usage: bare-proxy <port> <upstream origin> <upstream path>
 */
const [port, origin = '', path = ''] = process.argv.slice(2)
const pool = new Pool(origin, { connections: 2_048, pipelining: 1 })

createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
    const headers = { 'content-type': 'application/json', 'api-key': 'simulator-key' }
    pool
      .stream({ method: 'POST', path, headers, body }, ({ statusCode, headers: answered }) => {
        response.writeHead(statusCode, { 'content-type': String(answered['content-type']) })
        return response
      })
      .catch(() => response.destroy())
  })
}).listen(Number(port), '127.0.0.1', () => process.send?.({ kind: 'ready' }))
