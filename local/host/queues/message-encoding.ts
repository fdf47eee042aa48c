import type { QueueSettings } from '../settings'

type Encoding = QueueSettings['messageEncoding']

export function encodeMessage(content: string | Uint8Array, encoding: Encoding): string {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : Buffer.from(content)
  return encoding === 'base64' ? bytes.toString('base64') : bytes.toString('utf8')
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** Undefined when the text is not base64 although the host expects it: such a message can only go to the poison queue. */
export function decodeMessage(text: string, encoding: Encoding): string | undefined {
  if (encoding === 'none') return text
  return BASE64.test(text) ? Buffer.from(text, 'base64').toString('utf8') : undefined
}
