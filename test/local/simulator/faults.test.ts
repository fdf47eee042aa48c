import { request } from 'node:http'
import { parseFault, StandingFaults } from '../../../local/simulator/faults'
import { seededRandom } from '../../../local/simulator/random'
import { events, KEY, runningSimulator, user } from './running'

const simulator = runningSimulator({
  deployments: { second: { model: 'gpt-4.1-2025-04-14' } },
})
const streamed = (text: string) => ({ ...user(text), stream: true })
const recordOf = async (since: number) => (await simulator.recorded(since))[0]
const lastRecord = async () => (await simulator.ledger()).last

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const tokensIn = (text: string) => text.match(/"delta":\{"content":"[^"]/g)?.length ?? 0

/** The text that arrived before the connection failed, and whether it failed. */
async function readUntilCut(answer: Response): Promise<{ text: string; cut: boolean }> {
  let text = ''
  try {
    for await (const bytes of answer.body ?? []) text += Buffer.from(bytes as Uint8Array).toString()
    return { text, cut: false }
  } catch {
    return { text, cut: true }
  }
}

describe('a fault asked for by a hint', () => {
  it.each([
    [500, { error: { type: 'server_error', param: null, code: null } }],
    [503, { error: { type: 'server_error' } }],
    [408, { error: { code: 'Timeout', message: 'The operation was timeout.' } }],
    [403, { error: { code: '403', message: 'Access denied due to Virtual Network/Firewall rules.' } }],
  ])('answers status %d with its body, and the ledger calls it faulted', async (status, body) => {
    const since = await lastRecord()
    const answer = await simulator.chat('chat', `[[fault:status:${status}]]`)

    expect(answer.status).toBe(status)
    expect(await answer.json()).toMatchObject(body)
    expect(await recordOf(since)).toMatchObject({
      status,
      outcome: 'faulted',
      outputTokens: 0,
      fault: `status:${status}`,
    })
  })

  it('throttles with the wait that it names', async () => {
    const answer = await simulator.chat('chat', '[[fault:status:429:1500]]')
    expect(answer.status).toBe(429)
    expect(answer.headers.get('retry-after-ms')).toBe('1500')
    expect(answer.headers.get('retry-after')).toBe('2')
  })

  it('hits only the deployments that it is aimed at', async () => {
    const aimed = 'hello [[fault:status:500@chat,vectors]]'
    expect((await simulator.chat('chat', aimed)).status).toBe(500)
    expect((await simulator.chat('second', aimed)).status).toBe(200)
  })

  it('does not act again when an assistant quotes it', async () => {
    const messages = [
      { role: 'assistant', content: 'you said [[fault:status:500]]' },
      { role: 'user', content: 'go on' },
    ]
    expect((await simulator.chat('chat', { messages })).status).toBe(200)
  })
})

describe('a broken connection', () => {
  it('is reset before any byte', async () => {
    const since = await lastRecord()
    await expect(simulator.chat('chat', '[[fault:reset]]')).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } })
    expect(await recordOf(since)).toMatchObject({ status: 0, outcome: 'faulted', tokensSent: 0 })
  })

  it('is reset after the headers', async () => {
    const answer = await simulator.chat('chat', '[[fault:reset-after-headers]]')
    expect(answer.status).toBe(200)
    expect(await readUntilCut(answer)).toEqual({ text: '', cut: true })
  })

  it('cuts a stream after exactly so many tokens, which the ledger counts', async () => {
    const since = await lastRecord()
    const { text, cut } = await readUntilCut(await simulator.chat('chat', streamed('[[tokens:40]] [[fault:cut:7]]')))

    expect(cut).toBe(true)
    expect(tokensIn(text)).toBe(7)
    expect(await recordOf(since)).toMatchObject({ outcome: 'faulted', tokensSent: 7, outputTokens: 40 })
  })

  it.each(['cut', 'wrong-content-length'])('leaves a whole answer unfinished: %s', async (kind) => {
    const answer = await simulator.chat('chat', `[[fault:${kind}]]`)
    expect((await readUntilCut(answer)).cut).toBe(true)
  })
})

describe('a spoiled answer', () => {
  it('is JSON that stops in the middle', async () => {
    const text = await (await simulator.chat('chat', '[[fault:malformed-json]]')).text()
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError)
  })

  it('is a stream that says error and ends without [DONE]', async () => {
    const all = events(await (await simulator.chat('chat', streamed('[[fault:mid-stream-error:3]]'))).text())
    expect(all).toHaveLength(2 + 3 + 1)
    expect(all.at(-1)).toMatchObject({ error: { type: 'server_error' } })
  })

  it('is a whole stream that lacks only [DONE]', async () => {
    const all = events(await (await simulator.chat('chat', streamed('[[tokens:4]] [[fault:no-done]]'))).text())
    expect(all).toHaveLength(2 + 4 + 1)
    expect(all.at(-1)).toMatchObject({ choices: [{ finish_reason: 'stop' }] })
  })

  it('is a stream with one event that is not JSON', async () => {
    const text = await (await simulator.chat('chat', streamed('[[tokens:6]] [[fault:malformed-sse:2]]'))).text()
    const broken = text.split('\n\n').filter((event) => {
      try {
        JSON.parse(event.replace('data: ', ''))
        return false
      } catch {
        return event !== '' && event !== 'data: [DONE]'
      }
    })
    expect(broken).toHaveLength(1)
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
  })

  it('is a stream that keeps its usage back, and counts as completed', async () => {
    const since = await lastRecord()
    const body = { ...streamed('[[fault:no-usage]]'), stream_options: { include_usage: true } }
    const text = await (await simulator.chat('chat', body)).text()
    expect(text).toContain('"usage":null')
    expect(text).not.toContain('"usage":{')
    expect(await recordOf(since)).toMatchObject({ outcome: 'completed', fault: 'no-usage' })
  })
})

describe('a stall', () => {
  it.each([
    ['never answers', '[[fault:stall]]', 0],
    ['goes silent in mid-stream', '[[tokens:30]] [[fault:stall:5]]', 5],
  ])('%s, and holds the connection until the client leaves', async (_name, text, tokensSent) => {
    const since = await lastRecord()
    const leave = new AbortController()
    let seen = ''
    const reading = simulator.chat('chat', streamed(text), {}, leave.signal).then(async (answer) => {
      for await (const bytes of answer.body ?? []) seen += Buffer.from(bytes as Uint8Array).toString()
    })
    reading.catch(() => undefined)
    while (tokensIn(seen) < tokensSent || (await simulator.inFlight()) === 0) await pause(10)
    const race = await Promise.race([reading, pause(300).then(() => 'silent')])
    expect(race).toBe('silent')
    expect((await simulator.ledger()).last).toBe(since)

    leave.abort()
    await reading.catch(() => undefined)
    expect(await recordOf(since)).toMatchObject({ outcome: 'faulted', tokensSent })
  })

  it('comes as a late first byte of a whole answer', async () => {
    const startedMs = performance.now()
    const answer = await simulator.chat('chat', '[[fault:slow-first-token:250]]')
    expect(answer.status).toBe(200)
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(249)
  })
})

describe('a fault asked for by a header', () => {
  it('plays, and one that does not exist is refused with those that do', async () => {
    expect((await simulator.chat('chat', 'hi', { 'x-simulator-fault': 'status:503@second' })).status).toBe(200)
    expect((await simulator.chat('second', 'hi', { 'x-simulator-fault': 'status:503@second' })).status).toBe(503)
    const refused = await simulator.chat('chat', 'hi', { 'x-simulator-fault': 'explode' })
    expect(refused.status).toBe(400)
    expect(await refused.text()).toContain('mid-stream-error[:TOKENS]')
  })
})

describe('a standing fault', () => {
  it('strikes the next N calls and no more, and is armed anew by a patch that names it', async () => {
    const arm = () => simulator.patch({ deployments: { second: { faults: [{ kind: 'status:500', next: 2 }] } } })
    const statuses = async () => [
      (await simulator.chat('second', 'a')).status,
      (await simulator.chat('second', 'b')).status,
      (await simulator.chat('second', 'c')).status,
    ]

    await arm()
    expect(await statuses()).toEqual([500, 500, 200])
    await simulator.patch({ deployments: { second: { latency: { jitter: 0 } } } })
    expect(await statuses()).toEqual([200, 200, 200])
    await arm()
    expect(await statuses()).toEqual([500, 500, 200])
  })

  it('strikes with its probability', () => {
    const faults = new StandingFaults([{ kind: 'reset', probability: 0.25 }], seededRandom(11))
    const struck = Array.from({ length: 4_000 }, () => faults.choose()).filter((fault) => fault !== undefined).length
    expect(struck / 4_000).toBeCloseTo(0.25, 1)
  })
})

describe('a fault text', () => {
  it.each(['status', 'status:200', 'status:abc', 'reset:4', 'slow-first-token', 'cut:-1', ''])(
    '%j is refused',
    (text) => {
      expect(parseFault(text).kind).toBe('invalid')
    },
  )
})

describe('the ledger', () => {
  it('says completed only when the connection took the last byte, also when it then closes', async () => {
    const since = await lastRecord()
    await new Promise<void>((resolve, reject) => {
      const headers = { 'api-key': KEY, connection: 'close' }
      const url = simulator.url('/openai/deployments/chat/chat/completions?api-version=2024-10-21')
      const call = request(url, { method: 'POST', agent: false, headers }, (answer) => {
        answer.resume()
        answer.on('end', resolve)
      })
      call.on('error', reject)
      call.end(JSON.stringify(user('[[tokens:9]]')))
    })
    expect(await recordOf(since)).toMatchObject({ outcome: 'completed', tokensSent: 9, outputTokens: 9, status: 200 })
  })

  it('says client-gone for a stream that is left, with the tokens that were sent until then', async () => {
    await simulator.patch({ deployments: { second: { latency: { tokensPerSecond: 100 } } } })
    const since = await lastRecord()
    const leave = new AbortController()
    const answer = await simulator.chat('second', streamed('[[tokens:2000]]'), {}, leave.signal)
    let seen = 0
    const reading = (async () => {
      for await (const bytes of answer.body ?? []) {
        seen += tokensIn(Buffer.from(bytes as Uint8Array).toString())
        if (seen >= 10) leave.abort()
      }
    })()
    await expect(reading).rejects.toThrow(/abort/)
    const record = await recordOf(since)

    expect(record).toMatchObject({ outcome: 'client-gone', stream: true, status: 200, outputTokens: 2_000 })
    expect(record?.tokensSent).toBeGreaterThanOrEqual(seen)
    // At a hundred a second it has left long before the end.
    expect(record?.tokensSent).toBeLessThan(2_000)
  })

  it('says client-gone, with nothing sent, when the client leaves before the answer', async () => {
    await simulator.patch({ deployments: { second: { latency: { firstTokenMs: 60_000 } } } })
    const since = await lastRecord()
    const leave = new AbortController()
    const call = simulator.chat('second', '[[tokens:5]]', {}, leave.signal)
    const refused = expect(call).rejects.toThrow(/abort/)
    while ((await simulator.inFlight()) === 0) await pause(10)
    leave.abort()
    await refused
    expect(await recordOf(since)).toMatchObject({ outcome: 'client-gone', status: 0, tokensSent: 0, outputTokens: 5 })
  })

  it('says rejected for a refusal, and names the credential and the caller’s own id', async () => {
    const since = await lastRecord()
    await simulator.chat('chat', { messages: [] }, { 'x-request-id': 'of-the-caller' })
    expect(await recordOf(since)).toMatchObject({
      n: since + 1,
      outcome: 'rejected',
      status: 400,
      deployment: 'chat',
      clientRequestId: 'of-the-caller',
      credentialKind: 'api-key',
      path: '/openai/deployments/chat/chat/completions',
    })
  })
})
