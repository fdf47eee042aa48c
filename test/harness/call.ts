/** Calls over a real socket, with nothing of an SDK in between. */
export interface RawAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body's JSON; undefined for a stream or what is no JSON. */
  readonly json: { error?: { message: string; type: string; param: string | null; code: string } } & Record<
    string,
    unknown
  >
}

export interface CallTarget {
  readonly baseUrl: string
  readonly apiKey?: string
}

export async function post(
  { baseUrl, apiKey }: CallTarget,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  const answer = await fetch(baseUrl + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(apiKey ? { 'api-key': apiKey } : {}), ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
  })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, text, json: parse(text) }
}

export const chatPath = '/openai/v1/chat/completions'

/** A small chat call on the alias `chat`; the prompt may carry the simulator's hints. */
export const chatBody = (content = 'Hi [[echo:Hello there]]', more: object = {}) => ({
  model: 'chat',
  messages: [{ role: 'user', content }],
  ...more,
})

/** The data of a stream's events, `[DONE]` as text. */
export function eventsOf(text: string): unknown[] {
  return text
    .split('\n\n')
    .filter((event) => event.startsWith('data: '))
    .map((event) => event.slice('data: '.length))
    .map((data) => (data === '[DONE]' ? data : (JSON.parse(data) as unknown)))
}

function parse(text: string): RawAnswer['json'] {
  try {
    return JSON.parse(text) as RawAnswer['json']
  } catch {
    return {}
  }
}
