import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { HeaderReader } from '../access/read-credential'
import type { DirectAnswer } from './direct-http'

/** Names are in lower case, as Node gives them. */
export class NodeHeaders implements HeaderReader {
  readonly #values: IncomingHttpHeaders

  constructor(values: IncomingHttpHeaders) {
    this.#values = values
  }

  get(name: string): string | null {
    const value = this.#values[name] ?? this.#values[name.toLowerCase()]
    return (Array.isArray(value) ? value.join(', ') : value) ?? null
  }
}

/** The whole body. Rejects where the client broke off. */
export function readAll(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    request.once('error', reject)
    request.once('close', () => {
      // It closes behind its end as well, and an error that nobody sees costs a twentieth of a call: its stack is taken down.
      if (!request.readableEnded) reject(new Error('the client closed the connection before its request was complete'))
    })
  })
}

/** Throws where a body breaks off. */
export async function writeAnswer(response: ServerResponse, { status, headers, body }: DirectAnswer): Promise<void> {
  if (typeof body === 'string' || Buffer.isBuffer(body)) {
    // A known length spares the chunked encoding and its extra write.
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body)
    return
  }
  response.writeHead(status, headers)
  for await (const chunk of body) response.write(chunk)
  response.end()
}
