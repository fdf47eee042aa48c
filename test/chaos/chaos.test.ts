import { minuteWindow } from '../../src/limits/window-state'
import { chatBody, chatPath, post } from '../harness/call'
import { operations } from '../../src/inference/operations'
import { startTestStack, type TestStack } from '../harness/stack'
import { agree, type Agreement } from './agreement'
import { buildTown, seeded, storm, type Town } from './storm'

const WORKERS = 24
const STORM_MS = 20_000
const KILL_EVERY_MS = 4_000
/** Of every surface, as clients see it. */
const WHOLE_MIN = 20
const SEED = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000)

let stack: TestStack
let town: Town
let found: Agreement

/** Two instances, killed in turn, under calls of every surface: see `npm run soak` for more of the same. */
beforeAll(async () => {
  stack = await startTestStack()
  town = await buildTown(stack, 2)
  const chance = seeded(SEED)
  const bounds = { forMs: STORM_MS, workers: WORKERS, killEveryMs: KILL_EVERY_MS, wholeMin: WHOLE_MIN }
  const weather = await storm(town, { ...bounds, chance })
  found = await agree(town, weather, WORKERS)
})
afterAll(() => stack.stop())

describe(`under disconnects, faults and kill -9 of either instance (seed ${SEED})`, () => {
  it('calls of every surface were completed, broken off and cut short, so that the rest means something', () => {
    expect(Object.keys(found.completed).sort()).toEqual(operations.map(({ name }) => name).sort())
    expect(Math.min(...Object.values(found.completed))).toBeGreaterThan(10)
    expect(found.interrupted).toBeGreaterThan(10)
    expect(found.kills).toBeGreaterThan(2)
  })

  it('no client saw a failure without a reason of ours', () => {
    // The host's own; the app tells what the backends do as 429, 502, 503 or 504.
    expect(found.statuses).not.toHaveProperty('500')
  })

  it('clients, the provider’s ledger, the usage log and the tenants’ figures agree: every completed call once, none twice', () => {
    expect(found.disagreements).toEqual([])
  })

  it('and nothing stays reserved: who may have few calls at once has them all again, at either instance', async () => {
    const apiKey = town.tenants.at(-1)?.apiKey ?? ''
    const body = chatBody('Hi', { model: 'chat-completions' })
    const statusesAt = async ({ baseUrl }: { baseUrl: string }) => {
      const statuses: number[] = []
      for (let n = 0; n < 12; n++) statuses.push((await post({ baseUrl, apiKey }, chatPath, body)).status)
      return statuses
    }
    // What a killed instance held comes back when its lease has expired.
    await new Promise((resolve) => setTimeout(resolve, minuteWindow.leaseMs))
    for (const instance of town.instances) expect(await statusesAt(instance)).toEqual(Array(12).fill(200))
  })
})
