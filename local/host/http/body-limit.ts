import type { IncomingMessage, ServerResponse } from 'node:http'

/** The request body limit of the Functions host: 100 MB. */
export const bodyBytesMax = 104_857_600

/**
 * Answers 413 and returns false when the declared length is over the limit. A body of undeclared length is counted as
 * it arrives; going over then answers 413 (if nothing was answered yet) and ends the connection.
 */
export function admitBody(req: IncomingMessage, res: ServerResponse, bytesMax = bodyBytesMax): boolean {
  const declared = req.headers['content-length']
  if (declared !== undefined) {
    if (Number(declared) <= bytesMax) return true
    // Closing is the only way to be rid of a body that nobody will read.
    res.writeHead(413, { connection: 'close' }).end()
    return false
  }
  if (req.headers['transfer-encoding'] !== undefined) countChunks(req, res, bytesMax)
  return true
}

/** Counts in `push`, by which the parser hands over each chunk: a `data` listener would start the flow too early. */
function countChunks(req: IncomingMessage, res: ServerResponse, bytesMax: number): void {
  const push = req.push.bind(req)
  let bytes = 0
  req.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (bytes > bytesMax) return false
    if (chunk instanceof Uint8Array) bytes += chunk.byteLength
    if (bytes <= bytesMax) return push(chunk, encoding)
    refuse(req, res)
    return false
  }
}

function refuse(req: IncomingMessage, res: ServerResponse): void {
  const cut = () => void req.destroy(new Error('the request body is over the limit of the host'))
  if (res.headersSent) return cut()
  // The handler may still try to answer; what it writes after this end is an error event, and of no interest.
  res.on('error', () => {})
  res.writeHead(413, { connection: 'close' }).end(cut)
}
