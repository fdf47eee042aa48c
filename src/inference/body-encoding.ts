import type { HeaderReader } from '../access/read-credential'
import { Problem } from '../base/problem'

/**
 * Undefined where a body is sent as it is. One that is compressed is refused by its name: unpacked it could be a thousand times as
 * large as any bound, and read as it came it would be malformed for no reason that its sender could see.
 */
export function checkEncoding(headers: HeaderReader): Problem | undefined {
  const encoding = headers.get('content-encoding')?.trim().toLowerCase() ?? ''
  if (encoding === '' || encoding === 'identity') return undefined
  const text = 'The body is sent with a content-encoding, and none is taken. Send it as it is.'
  return new Problem('unsupported_media_type', text, { param: 'content-encoding' })
}
