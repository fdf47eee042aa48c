import type { IncomingMessage, ServerResponse } from 'node:http'

/** Answers with JSON, or with an empty body when there is nothing to say but the status. */
export function answerJson(
  res: ServerResponse,
  status: number,
  value?: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = value === undefined ? '' : JSON.stringify(value)
  const type = value === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }
  res.writeHead(status, { ...type, 'content-length': String(Buffer.byteLength(body)), ...headers }).end(body)
}

/** The body as text; undefined when it is longer than `bytesMax`. */
export async function readText(req: IncomingMessage, bytesMax: number): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of req) {
    bytes += (chunk as Buffer).byteLength
    if (bytes > bytesMax) return undefined
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}
