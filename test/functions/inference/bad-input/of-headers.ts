import { badHeaders, MARK } from './headers'
import { expectClearError, operationOf } from './tenant'
import type { BadInputWorld } from './world'
import { rawRequest } from './raw-client'

const nameOf = (line: string) => line.slice(0, line.indexOf(':')).toLowerCase()

/** A chat call with these lines in its head, in place of its own of the same name. */
function ask({ stack, tenant }: BadInputWorld, lines: readonly string[]) {
  const { path } = operationOf('chat.completions')
  const body = Buffer.from(tenant.shot('chat.completions').body)
  const given = new Set(lines.map(nameOf))
  const own = [
    `host: ${new URL(stack.baseUrl).host}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
  ]
  const head = [
    `POST /openai/v1${path} HTTP/1.1`,
    ...own.filter((line) => !given.has(nameOf(line))),
    ...lines.map((line) => line.replace('{key}', tenant.apiKey)),
    // Two of its values are for the change of protocol.
    `connection: ${given.has('upgrade') ? 'upgrade, http2-settings, close' : 'close'}`,
  ]
  return rawRequest(stack.baseUrl, head, body)
}

/** Whatever stands in a head: a clear refusal or an answer, and nothing of it shown or logged. */
export function describeBadHeaders(world: () => BadInputWorld): void {
  it.each(badHeaders)('$what: $status $code', async ({ lines, status, code }) => {
    const { whole, ...answer } = await ask(world(), lines)
    expect(answer.status).toBe(status)
    for (const secret of [MARK, ...world().secrets]) expect(whole).not.toContain(secret)
    if (status === 200) expect(answer.headers.get('x-request-id')).toMatch(/^call_[0-9a-z]{26}$/)
    if (code === undefined) return
    expect(expectClearError({ ...answer, headers: new Headers([...answer.headers]) }).code).toBe(code)
  })

  it('nothing of them stands in a log', () => {
    const log = world().stack.lines.join('\n')
    for (const secret of [MARK, ...world().secrets]) expect(log).not.toContain(secret)
  })
}
