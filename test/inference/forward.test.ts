import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { Backend } from '../../src/routing/backend'
import { FAILURES_TO_OPEN } from '../../src/routing/backend-state'
import { forwarding, textOf, type Forwarding } from './forwarding'
import {
  breakOff,
  eventOf,
  events,
  eventsThenSilence,
  inTurn,
  json,
  promptFilter,
  scriptedBackend,
  silence,
  streamed,
  token,
  type Script,
  type ScriptedBackend,
} from './scripted-backend'

let parts: Forwarding
let servers: ScriptedBackend[] = []

beforeEach(() => {
  parts = forwarding()
})
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()))
  servers = []
  await parts.close()
})

async function server(name: string, script: Script, more: Partial<Backend> = {}): Promise<ScriptedBackend> {
  const made = await scriptedBackend(name, script, more)
  servers.push(made)
  return made
}
const answered = { choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } }
const of = (...list: readonly ScriptedBackend[]) => list.map(({ backend }) => backend)
const throttle = (ms: number) =>
  json(429, { error: { code: '429', message: 'slow' } }, { 'retry-after-ms': String(ms) })

describe('another backend serves', () => {
  it.each([
    ['a server error', json(503, { error: {} })],
    ['a timeout of its own', json(408, { error: { code: 'Timeout' } })],
    ['a throttle', throttle(500)],
    ['a refusal of our key', json(401, { error: { code: '401' } })],
    ['a deployment that is gone', json(404, { error: { code: 'DeploymentNotFound' } })],
    ['a broken connection', breakOff],
  ])('after %s', async (_what, script) => {
    const [first, second] = [await server('first', script), await server('second', json(200, answered))]
    const answer = await parts.send(of(first, second))
    expect(answer).toMatchObject({ kind: 'whole', status: 200, attempts: 2, backend: { id: 'bke_second' } })
    expect(first.calls).toHaveLength(1)
  })

  it.each([
    ['a chat error', { error: { code: 'server_error', message: 'oops' } }],
    ['a throttle as a chat error', { error: { code: '429', message: 'Please retry after 7 seconds.' } }],
    ['a Responses error event', { type: 'error', code: 'server_error', message: 'oops', sequence_number: 0 }],
    [
      'a failed response',
      { type: 'response.failed', response: { error: { code: 'rate_limit_exceeded', message: 'Too many requests' } } },
    ],
    ['a failed response without a reason', { type: 'response.failed', response: { status: 'failed' } }],
  ])('after a 200 whose stream opens with %s', async (_what, event) => {
    const [first, second] = [await server('first', events(event)), await server('second', streamed('hello'))]
    const answer = await parts.send(of(first, second), { stream: true })
    expect(answer).toMatchObject({ kind: 'stream', attempts: 2, backend: { id: 'bke_second' } })
    expect(await textOf(answer)).toContain('hello')
  })

  it.each([
    ['Azure’s chunk about the prompt', [promptFilter]],
    ['the first two events of a response', [{ type: 'response.created' }, { type: 'response.in_progress' }]],
  ])('after %s and then an error, since no token has come', async (_what, preamble) => {
    const failing = events(...preamble, { error: { code: '429', message: 'rate limit' } })
    const [first, second] = [await server('first', failing), await server('second', streamed('hello'))]
    const text = await textOf(await parts.send(of(first, second), { stream: true }))
    expect(text).toContain('hello')
    expect(text).not.toContain('rate limit')
  })

  it('after an event that comes in pieces and turns out to be an error', async () => {
    const inPieces: Script = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const bytes = eventOf({ error: { code: 'server_error', message: 'x' } })
      response.write(bytes.slice(0, 12))
      setImmediate(() => response.end(bytes.slice(12)))
    }
    const [first, second] = [await server('first', inPieces), await server('second', streamed('hello'))]
    expect(await textOf(await parts.send(of(first, second), { stream: true }))).toContain('hello')
  })

  it('after a stream without a single event', async () => {
    const [first, second] = [await server('first', events()), await server('second', streamed('hello'))]
    expect(await textOf(await parts.send(of(first, second), { stream: true }))).toContain('hello')
  })
})

describe('no other backend is asked', () => {
  it.each([
    ['a refusal that is the caller’s own', json(400, { error: { code: 'context_length_exceeded' } })],
    ['a filtered prompt', json(400, { error: { code: 'content_filter' } })],
  ])('after %s', async (_what, script) => {
    const [first, second] = [await server('first', script), await server('second', json(200, answered))]
    expect(await parts.send(of(first, second))).toMatchObject({ kind: 'whole', status: 400, attempts: 1 })
    expect(second.calls).toEqual([])
  })

  it('after an error event that is the caller’s own: it goes to the client as it came', async () => {
    const event = { type: 'response.failed', response: { error: { code: 'invalid_prompt', message: 'no' } } }
    const [first, second] = [await server('first', events(event)), await server('second', streamed('hello'))]
    expect(await textOf(await parts.send(of(first, second), { stream: true }))).toBe(eventOf(event))
    expect(second.calls).toEqual([])
  })

  it('once a token has come, whatever follows', async () => {
    const broken = events(token('Hel'), { error: { code: 'server_error', message: 'x' } })
    const [first, second] = [await server('first', broken), await server('second', streamed('hello'))]
    expect(await textOf(await parts.send(of(first, second), { stream: true }))).toContain('server_error')
    expect(second.calls).toEqual([])
  })

  it('than four in all', async () => {
    const list = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => server(`s${n}`, json(500, {}))))
    expect(await parts.send(of(...list))).toMatchObject({ kind: 'failed', attempts: 4 })
    expect(list.map(({ calls }) => calls.length)).toEqual([1, 1, 1, 1, 0, 0])
  })

  it('when the client has gone and its tenant cancels', async () => {
    const [first, second] = [await server('first', silence), await server('second', json(200, answered))]
    const gone = new AbortController()
    const sending = parts.send(of(first, second), { signal: gone.signal })
    while (first.calls.length === 0) await new Promise((resolve) => setImmediate(resolve))
    gone.abort()
    expect(await sending).toMatchObject({ kind: 'failed', problem: { code: 'client_closed_request' } })
    await first.whenCutOff(1)
    expect(second.calls).toEqual([])
  })
})

describe('a lone backend', () => {
  it('is asked a second time where the connection broke, and only then', async () => {
    const flaky = await server('flaky', inTurn(breakOff, json(200, answered)))
    expect(await parts.send(of(flaky))).toMatchObject({ kind: 'whole', attempts: 2 })
    const failing = await server('failing', json(500, {}))
    expect(await parts.send(of(failing))).toMatchObject({ kind: 'failed', attempts: 1 })
    const broken = await server('broken', breakOff)
    expect(await parts.send(of(broken))).toMatchObject({ kind: 'failed', attempts: 2 })
  })
})

describe('the wait that a client is told', () => {
  const waitOf = async (list: readonly ScriptedBackend[], restMs?: number) => {
    const answer = await parts.send(of(...list), restMs === undefined ? {} : { restMs })
    return answer.kind === 'failed' ? [answer.problem.code, answer.problem.retryAfterMs] : answer.kind
  }

  it('is the shortest of the backends that were asked', async () => {
    const list = [await server('a', throttle(900)), await server('b', throttle(300)), await server('c', throttle(500))]
    expect(await waitOf(list)).toEqual(['backends_cooling_down', 300])
  })

  it('is that of a backend that rested from the start, where it is back before them', async () => {
    expect(await waitOf([await server('a', throttle(900))], 200)).toEqual(['backends_cooling_down', 200])
  })

  it('is nothing where backends are left that nobody has asked', async () => {
    const list = await Promise.all([1, 2, 3, 4, 5].map((n) => server(`s${n}`, throttle(5_000))))
    expect(await waitOf(list)).toEqual(['backends_cooling_down', 1])
  })

  it('stands above a failure of another backend, which only hides it', async () => {
    const list = [await server('a', throttle(900)), await server('b', json(500, {}))]
    expect(await waitOf(list)).toEqual(['backends_cooling_down', 900])
  })

  it('comes from the message of a throttle inside a stream', async () => {
    const event = { error: { code: '429', message: 'Rate limit. Please retry after 7 seconds.' } }
    const answer = await parts.send(of(await server('a', events(event))), { stream: true })
    expect(answer).toMatchObject({ kind: 'failed', problem: { retryAfterMs: 7_000 } })
  })
})

describe('timeouts of a backend', () => {
  it('of the connection lead to the next backend', async () => {
    // It takes connections and never answers the TLS handshake, so that none ever comes about.
    const connections: Socket[] = []
    const mute = createServer((socket) => connections.push(socket))
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
    const { port } = mute.address() as AddressInfo
    const next = await server('next', json(200, answered))
    const hanging = { ...next.backend, id: 'bke_hangs' as const, endpoint: `https://127.0.0.1:${port}` }
    const answer = await parts.send([{ ...hanging, timeouts: { connectMs: 200 } }, next.backend])
    expect(answer).toMatchObject({ kind: 'whole', attempts: 2, backend: { id: 'bke_next' } })
    for (const connection of connections) connection.destroy()
    mute.close()
  })

  it('of the first token lead to the next backend, and end the call at the first', async () => {
    const slow = await server('slow', eventsThenSilence(), { timeouts: { firstTokenMs: 500 } })
    const next = await server('next', streamed('hello'))
    const answer = await parts.send(of(slow, next), { stream: true })
    expect(await textOf(answer)).toContain('hello')
    await slow.whenCutOff(1)
  })

  it('of a whole answer are 504 where nobody else serves', async () => {
    const slow = await server('slow', silence, { timeouts: { wholeAnswerMs: 500 } })
    expect(await parts.send(of(slow))).toMatchObject({ kind: 'failed', problem: { code: 'upstream_timeout' } })
  })

  it('of a pause end the stream', async () => {
    const pausing = await server('pausing', eventsThenSilence(token('Hel')), { timeouts: { idleMs: 500 } })
    const answer = await parts.send(of(pausing), { stream: true })
    await expect(textOf(answer)).rejects.toThrow('the answer paused for longer than the idle timeout')
    await pausing.whenCutOff(1)
  })

  it('of the whole call end a stream that goes on and on', async () => {
    const endless = await server(
      'endless',
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        const timer = setInterval(() => response.write(eventOf(token('on'))), 20)
        response.on('close', () => clearInterval(timer))
      },
      { timeouts: { totalMs: 1_000 } },
    )
    const answer = await parts.send(of(endless), { stream: true })
    await expect(textOf(answer)).rejects.toThrow('the total timeout has passed')
  })

  it('of the whole call count from its arrival: a call that has had its time asks nobody', async () => {
    const idle = await server('idle', json(200, answered), { timeouts: { totalMs: 5_000 } })
    const answer = await parts.send(of(idle), { ageMs: 5_000 })
    expect(answer).toMatchObject({ kind: 'failed', problem: { code: 'upstream_timeout' } })
    expect(idle.calls).toEqual([])
  })
})

describe('what one tenant provokes', () => {
  it('leaves a shared backend to the others', async () => {
    const failures = Array.from({ length: FAILURES_TO_OPEN }, () => json(500, {}))
    const shared = await server('shared', inTurn(...failures, json(200, answered)))
    for (let i = 0; i < FAILURES_TO_OPEN; i++) await parts.send(of(shared), { tenant: 'ten_provoker' })
    const provoker = await parts.send(of(shared), { tenant: 'ten_provoker' })
    expect(provoker).toMatchObject({ kind: 'failed', problem: { code: 'backends_cooling_down' } })
    expect(await parts.send(of(shared), { tenant: 'ten_other' })).toMatchObject({ kind: 'whole', status: 200 })
  })
})

describe('an account that refuses the platform', () => {
  const role = 'Cognitive Services OpenAI User'

  it('of a tenant’s own tells its administrators the role, and the operator by one alert', async () => {
    const own = await server('own', json(401, { error: { code: 'PermissionDenied' } }), {
      ownerTenantId: 'ten_a',
      credential: { kind: 'identity' },
    })
    const answers = [await parts.send(of(own)), await parts.send(of(own))]
    for (const answer of answers) {
      expect(answer).toMatchObject({ kind: 'failed', problem: { code: 'model_account_refuses' } })
      expect(answer.kind === 'failed' && answer.problem.public).toContain(role)
    }
    expect(parts.alerts).toEqual(['raised backend-refuses/bke_own'])
  })

  it('of the platform’s tells the tenant nothing of it', async () => {
    const shared = await server('shared', json(403, { error: { code: 'AuthenticationTypeDisabled' } }))
    const answer = await parts.send(of(shared))
    expect(answer).toMatchObject({ kind: 'failed', problem: { code: 'upstream_rejected_us' } })
    expect(answer.kind === 'failed' && answer.problem.public).not.toContain('AuthenticationTypeDisabled')
    expect(parts.alerts).toEqual(['raised backend-refuses/bke_shared'])
  })

  it('is no alert where only the endpoint that the tenant chose does not exist', async () => {
    const shared = await server('shared', json(404, { error: { code: '404', message: 'Resource not found' } }))
    expect(await parts.send(of(shared))).toMatchObject({ kind: 'failed', problem: { code: 'upstream_rejected_us' } })
    expect(parts.alerts).toEqual([])
  })
})

describe('sound', () => {
  const sound = (...pieces: readonly string[]): Script => {
    return (response) => {
      response.writeHead(200, { 'content-type': 'audio/wav' })
      for (const [i, piece] of pieces.entries()) setTimeout(() => response.write(piece), 20 * i)
      setTimeout(() => response.end(), 20 * pieces.length)
    }
  }
  const cutBehindItsFirstPiece: Script = (response, request) => {
    response.writeHead(200, { 'content-type': 'audio/wav' })
    response.write('half', () => setTimeout(() => breakOff(response, request), 20))
  }

  it('is handed on whole, in its pieces', async () => {
    const voice = await server('voice', sound('one ', 'two ', 'three'))
    expect(await textOf(await parts.send(of(voice), { operation: 'audio.speech' }))).toBe('one two three')
    const short = await server('short', sound('one'))
    expect(await textOf(await parts.send(of(short), { operation: 'audio.speech' }))).toBe('one')
  })

  it('that breaks off behind its first piece is asked for elsewhere, since nothing of it has gone out', async () => {
    const [broken, whole] = [
      await server('broken', cutBehindItsFirstPiece),
      await server('whole', sound('a ', 'voice')),
    ]
    const answer = await parts.send(of(broken, whole), { operation: 'audio.speech' })
    expect(await textOf(answer)).toBe('a voice')
    const nowhere = await server('nowhere', cutBehindItsFirstPiece)
    expect(await parts.send(of(nowhere), { operation: 'audio.speech' })).toMatchObject({
      kind: 'failed',
      problem: { code: 'upstream_failed' },
    })
  })
})
