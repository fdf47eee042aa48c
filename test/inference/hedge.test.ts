import fc from 'fast-check'
import { createHedgeBudget } from '../../src/inference/hedge'
import { forwarding, textOf, type Forwarding } from './forwarding'
import {
  breakOff,
  eventOf,
  eventsThenSilence,
  json,
  promptFilter,
  scriptedBackend,
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

async function pair(first: Script, second: Script) {
  const made = [await scriptedBackend('first', first), await scriptedBackend('second', second)] as const
  servers.push(...made)
  return made
}
const send = (list: readonly ScriptedBackend[], hedge = { afterMs: 50, shareMax: 1 }) =>
  parts.send(
    list.map(({ backend }) => backend),
    { stream: true, hedge },
  )

/** Turns of the event loop within which what one end of a connection has sent is read at the other, both being in this process. */
const TURNS = 50

async function afterwards(work: () => void): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve))
  work()
}

/** A stream whose first token comes when the test says so. */
function held(text: string) {
  let open = () => {}
  const script: Script = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(eventOf(promptFilter))
    open = () => response.end(eventOf(token(text)) + eventOf('[DONE]'))
  }
  return { script, open: () => open() }
}

describe('a stream whose first token takes long', () => {
  it('is answered by a second backend, and the first is cancelled and its prompt noted', async () => {
    const [first, second] = await pair(eventsThenSilence(promptFilter), streamed('hello'))
    const answer = await send([first, second])
    expect(answer).toMatchObject({ kind: 'stream', backend: { id: 'bke_second' }, attempts: 2 })
    expect(await textOf(answer)).toContain('hello')
    await first.whenCutOff(1)
    expect(parts.hedged).toEqual([10])
  })

  it('is still answered by the first where that begins before the second, which is cancelled and noted', async () => {
    const slow = held('from the first')
    const [first, second] = await pair(slow.script, (response) => {
      eventsThenSilence()(response, response.req)
      slow.open()
    })
    const answer = await send([first, second])
    expect(answer).toMatchObject({ kind: 'stream', backend: { id: 'bke_first' } })
    expect(await textOf(answer)).toContain('from the first')
    await second.whenCutOff(1)
    expect(parts.hedged).toEqual([10])
  })

  it.each([
    ['throttles', json(429, {}, { 'retry-after-ms': '100' })],
    ['fails', json(500, {})],
    ['breaks the connection', breakOff],
  ])('loses nothing by a second backend that %s: the first goes on, and nothing is noted', async (_what, script) => {
    const slow = held('from the first')
    const [first, second] = await pair(slow.script, (response, request) => {
      script(response, request)
      // Until the refusal has been read, the first keeps silent.
      void afterwards(slow.open)
    })
    expect(await textOf(await send([first, second]))).toContain('from the first')
    expect(parts.hedged).toEqual([])
  })

  it('that fails while a second backend is asked is answered by that one', async () => {
    const slow = held('from the second')
    let fail = () => {}
    const [first, second] = await pair(
      (response) => {
        fail = () => json(500, {})(response, response.req)
      },
      (response) => {
        slow.script(response, response.req)
        fail()
        void afterwards(slow.open)
      },
    )
    expect(await textOf(await send([first, second]))).toContain('from the second')
    expect(parts.hedged).toEqual([])
  })

  it('is asked for once where the alias’s share is used up', async () => {
    const slow = held('late')
    const [first, second] = await pair(slow.script, streamed('never'))
    const sending = send([first, second], { afterMs: 50, shareMax: 0.1 })
    while (first.calls.length === 0) await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setTimeout(resolve, 150))
    slow.open()
    expect(await textOf(await sending)).toContain('late')
    expect(second.calls).toEqual([])
  })
})

describe('a call that answers soon, or whole', () => {
  it('asks one backend only', async () => {
    const [first, second] = await pair(streamed('hello'), streamed('never'))
    expect(await textOf(await send([first, second], { afterMs: 30_000, shareMax: 1 }))).toContain('hello')
    expect(second.calls).toEqual([])

    const [whole, other] = await pair(
      (response) => setTimeout(() => json(200, {})(response, response.req), 150),
      breakOff,
    )
    const list = [whole.backend, other.backend]
    expect(await parts.send(list, { hedge: { afterMs: 50, shareMax: 1 } })).toMatchObject({
      kind: 'whole',
      status: 200,
    })
    expect(other.calls).toEqual([])
  })
})

describe('the share of streams that may be hedged', () => {
  it('holds over any run of calls, but for a burst', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 0.2, noNaN: true }),
        fc.array(fc.boolean(), { maxLength: 2_000 }),
        (shareMax, slow) => {
          const budget = createHedgeBudget()
          let hedged = 0
          for (const [i, isSlow] of slow.entries()) {
            budget.earn('ten_a/chat', shareMax)
            if (isSlow && budget.spend('ten_a/chat')) hedged += 1
            expect(hedged).toBeLessThanOrEqual((i + 1) * shareMax + 1e-6)
          }
        },
      ),
    )
  })

  it('lets the tenth stream of a tenth be hedged, and saves up ten at most', () => {
    const budget = createHedgeBudget()
    for (let i = 0; i < 9; i++) budget.earn('a', 0.1)
    expect(budget.spend('a')).toBe(false)
    budget.earn('a', 0.1)
    expect([budget.spend('a'), budget.spend('a')]).toEqual([true, false])
    for (let i = 0; i < 1_000; i++) budget.earn('a', 0.2)
    expect(Array.from({ length: 12 }, () => budget.spend('a')).filter(Boolean)).toHaveLength(10)
  })
})
