import { Ledger, type LedgerRecord } from '../../../local/simulator/ledger'
import { mergeConfig } from '../../../local/simulator/config'
import { startSimulator } from '../../../local/simulator/simulator'
import { runningSimulator, user } from './running'

const simulator = runningSimulator()

describe('the configuration', () => {
  it('takes a patch, keeps the rest, and removes what is null', async () => {
    const patched = await simulator.patch({
      region: 'Sweden Central',
      deployments: { added: { model: 'gpt-4o-2024-08-06' }, older: null },
    })
    expect(await patched.json()).toMatchObject({
      region: 'Sweden Central',
      deployments: { added: { contentFilter: 'default' }, chat: {} },
    })
    expect((await simulator.chat('added', 'hi')).headers.get('x-ms-region')).toBe('Sweden Central')
    expect((await simulator.chat('older', 'hi')).status).toBe(404)
  })

  it.each([
    [{ deployments: { chat: { latency: { firstTokenMs: 'soon' } } } }, 'deployments.chat.latency.firstTokenMs: '],
    [{ deployments: { chat: { faults: [{ kind: 'explode', next: 1 }] } } }, 'deployments.chat.faults.0'],
    [{ deployments: { chat: { admission: { kind: 'endless' } } } }, "'unlimited' | 'standard' | 'provisioned'"],
    [{ deployments: { vectors: { admission: { kind: 'provisioned', units: 1 } } } }, 'not sold provisioned'],
    [{ deployments: { chat: { output: { tokensMin: 90, tokensMax: 10 } } } }, 'tokensMin'],
    [{ colour: 'red' }, 'colour'],
    [[], 'expected a JSON object'],
  ])('refuses %j, says why, and changes nothing', async (patch, why) => {
    const before = await (await fetch(simulator.url('/simulator/config'))).text()
    const refused = await simulator.patch(patch)

    expect(refused.status).toBe(400)
    expect(await refused.text()).toContain(why)
    expect(await (await fetch(simulator.url('/simulator/config'))).text()).toBe(before)
  })

  it('replaces an object whose kind changes, since the old kind’s fields mean nothing to the new', () => {
    const base = { admission: { kind: 'standard', tokensPerMinute: 5 } }
    expect(mergeConfig(base, { admission: { kind: 'provisioned', units: 1 } })).toEqual({
      admission: { kind: 'provisioned', units: 1 },
    })
    expect(mergeConfig(base, { admission: { kind: 'standard', requestsPerMinute: 2 } })).toEqual({
      admission: { kind: 'standard', tokensPerMinute: 5, requestsPerMinute: 2 },
    })
  })

  it('keeps a limit’s fill through a patch of something else', async () => {
    const admission = { kind: 'standard', tokensPerMinute: 100, requestsPerMinute: 600 }
    await simulator.patch({ deployments: { chat: { admission } } })
    expect((await simulator.chat('chat', { ...user('hi'), max_tokens: 80 })).status).toBe(200)
    await simulator.patch({ deployments: { chat: { latency: { jitter: 0.5 } } } })
    expect((await simulator.chat('chat', { ...user('hi'), max_tokens: 80 })).status).toBe(429)
    await simulator.patch({ deployments: { chat: { admission: { kind: 'unlimited' } } } })
    expect((await simulator.chat('chat', { ...user('hi'), max_tokens: 80 })).status).toBe(200)
  })

  it('is as at the start after a reset, the ledger empty', async () => {
    await simulator.patch({ region: 'Elsewhere' })
    await fetch(simulator.url('/simulator/reset'), { method: 'POST' })
    expect(await (await fetch(simulator.url('/simulator/config'))).json()).toMatchObject({ region: 'East US 2' })
    expect(await simulator.ledger()).toMatchObject({ records: [], next: 0, last: 0, dropped: 0 })
    expect(await simulator.things()).toEqual([])
  })

  it('that is wrong at the start is refused with every field at fault', async () => {
    const config = { seed: 1.5, deployments: { a: { model: '' } } }
    await expect(startSimulator({ config })).rejects.toMatchObject({
      faults: [expect.stringContaining('seed') as string, expect.stringContaining('deployments.a.model') as string],
    })
  })
})

describe('the ledger', () => {
  const record = { id: 'id' } as Omit<LedgerRecord, 'n'>
  const numbers = (page: { records: readonly LedgerRecord[] }) => page.records.map(({ n }) => n)

  it('is read in pages, and says what its ring has dropped', () => {
    const ledger = new Ledger(5)
    for (let count = 0; count < 8; count++) ledger.add(record)

    const first = ledger.page(1, 3)
    expect(numbers(first)).toEqual([4, 5, 6])
    expect(first).toMatchObject({ next: 6, last: 8, dropped: 2 })
    expect(numbers(ledger.page(first.next, 3))).toEqual([7, 8])
    expect(ledger.page(8, 3)).toEqual({ records: [], next: 8, last: 8, dropped: 0 })
  })

  it('refuses a page beyond its bound and a place that is no number', async () => {
    expect((await fetch(simulator.url('/simulator/ledger?limit=10001'))).status).toBe(400)
    expect((await fetch(simulator.url('/simulator/ledger?since=yesterday'))).status).toBe(400)
  })

  it('is emptied by DELETE', async () => {
    await simulator.chat('chat', 'hi')
    await simulator.recorded(0)
    await fetch(simulator.url('/simulator/ledger'), { method: 'DELETE' })
    expect((await simulator.ledger()).last).toBe(0)
  })
})

it('an unknown control path is not found, and health counts what is in flight', async () => {
  expect((await fetch(simulator.url('/simulator/nothing'))).status).toBe(404)
  const leave = new AbortController()
  const stalled = simulator.chat('chat', '[[fault:stall]]', {}, leave.signal).catch(() => undefined)
  while ((await simulator.inFlight()) !== 1) await new Promise((resolve) => setTimeout(resolve, 10))
  leave.abort()
  await stalled
  while ((await simulator.inFlight()) !== 0) await new Promise((resolve) => setTimeout(resolve, 10))
})
