import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { HttpCookie, HttpData } from '../core/worker-types'

/** Reads a whole request into the form in which it travels inside an invocation. The caller has bounded the body. */
export async function readBuffered(
  req: IncomingMessage,
  { host, params }: { host: string; params: Readonly<Record<string, string>> },
): Promise<HttpData> {
  const chunks: Uint8Array[] = []
  for await (const chunk of req) chunks.push(chunk as Uint8Array)
  const url = new URL(req.url ?? '/', `http://${host}`)
  return {
    method: req.method ?? 'GET',
    url: url.href,
    headers: flatten(req.headers),
    params: { ...params },
    query: Object.fromEntries(url.searchParams),
    body: chunks.length > 0 ? { bytes: Buffer.concat(chunks) } : null,
  }
}

function flatten(headers: IncomingHttpHeaders): Record<string, string> {
  const flat: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return flat
}

/** No answer at all means that the handler returned nothing: 204, as in the real host. */
export function answerBuffered(res: ServerResponse, data: HttpData | undefined): void {
  if (!data) {
    res.writeHead(204).end()
    return
  }
  for (const [name, value] of Object.entries(data.headers ?? {})) res.setHeader(name, value)
  if (data.cookies && data.cookies.length > 0) res.setHeader('set-cookie', data.cookies.map(cookieText))
  res.statusCode = Number(data.statusCode ?? 200)
  res.end(data.body?.bytes ?? data.body?.string)
}

const SAME_SITE = { none: undefined, lax: 'Lax', strict: 'Strict', explicitNone: 'None' } as const

function cookieText(cookie: HttpCookie): string {
  const parts = [`${cookie.name}=${encodeURIComponent(cookie.value)}`]
  if (cookie.maxAge) parts.push(`Max-Age=${cookie.maxAge.value}`)
  if (cookie.domain) parts.push(`Domain=${cookie.domain.value}`)
  if (cookie.path) parts.push(`Path=${cookie.path.value}`)
  if (cookie.expires) parts.push(`Expires=${new Date(cookie.expires.value.seconds * 1_000).toUTCString()}`)
  if (cookie.httpOnly?.value) parts.push('HttpOnly')
  if (cookie.secure?.value) parts.push('Secure')
  const sameSite = SAME_SITE[cookie.sameSite ?? 'none']
  if (sameSite) parts.push(`SameSite=${sameSite}`)
  return parts.join('; ')
}
