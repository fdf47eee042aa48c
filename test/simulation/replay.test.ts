import fc from 'fast-check'
import { ATTEMPTS_MAX } from '../../src/inference/forward'
import type { Backend } from '../../src/routing/backend'
import { planRoute } from '../../src/routing/plan-route'
import { handClock } from '../harness/hand-clock'
import { forwarding, textOf } from '../inference/forwarding'
import {
  breakOff,
  eventOf,
  events,
  json,
  promptFilter,
  scriptedBackend,
  token,
  type Script,
  type ScriptedBackend,
} from '../inference/scripted-backend'

/** A byte of it belongs to the client: nobody may be asked behind it, whatever becomes of the rest. */
const beginning: Readonly<Record<string, Script>> = {
  answers: events(promptFilter, token('a'), '[DONE]'),
  'tells an error later': events(token('a'), { error: { code: 'server_error' } }),
  'breaks off later': (response, request) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(eventOf(token('a')), () => breakOff(response, request))
  },
  'ends early': events(token('a')),
}
const others: Readonly<Record<string, Script>> = {
  fails: json(500, {}),
  throttles: json(429, {}, { 'retry-after-ms': '3000' }),
  'refuses us': json(401, { error: { code: 'PermissionDenied' } }),
  'opens with an error': events(promptFilter, { error: { code: 'server_error' } }),
  'opens with a throttle': events({ error: { code: '429', message: 'slow' } }),
  'breaks off': breakOff,
}
const scripts: Readonly<Record<string, Script>> = { ...beginning, ...others }
const BACKENDS = 3

/** What a backend saw, in the order in which it happened. */
type Sight = { readonly callId: string; readonly what: 'asked' | 'began' }

/** Backends that each go through their list of behaviours, call after call, and write down what they do. */
async function street(lists: readonly (readonly string[])[]) {
  const sights: Sight[] = []
  const asks: number[] = []
  const servers: ScriptedBackend[] = []
  for (const [i, list] of lists.entries()) {
    asks.push(0)
    const script: Script = (response, request) => {
      const callId = String(request.headers['x-ms-client-request-id'])
      const what = list[(asks[i] = (asks[i] ?? 0) + 1) % list.length] ?? 'answers'
      sights.push({ callId, what: 'asked' })
      if (what in beginning) sights.push({ callId, what: 'began' })
      scripts[what]?.(response, request)
    }
    servers.push(await scriptedBackend(`backend-${i}`, script))
  }
  return {
    sights,
    backends: servers.map(({ backend }) => backend),
    close: () => Promise.all(servers.map((one) => one.close())),
  }
}

/** Half of all that backends do are faults of some kind, in random runs: enough to open circuits, and to close them again. */
const behaviours = fc.array(fc.constantFrom(...Object.keys(scripts)), { minLength: 4, maxLength: 20 })
const steps = fc.array(
  fc.record({ calls: fc.integer({ min: 1, max: 4 }), pauseMs: fc.constantFrom(0, 100, 2_000, 6_000, 70_000) }),
  { minLength: 10, maxLength: 25 },
)

it('no call is asked again behind its first byte, whatever backends do and whatever circuits and rests are open', async () => {
  const seen = { rests: 0, begun: 0, retried: 0 }
  await fc.assert(
    fc.asyncProperty(fc.tuple(...Array.from({ length: BACKENDS }, () => behaviours)), steps, async (lists, list) => {
      const clock = handClock()
      const parts = forwarding(clock)
      const { sights, backends, close } = await street(lists)
      let calls = 0
      const one = async () => {
        const callId = `call_${++calls}`
        const plan = planOf(parts.deps, backends)
        if (plan.kind !== 'candidates') return void seen.rests++
        const answer = await parts.send(plan.candidates, {
          stream: true,
          callId,
          ...(plan.restMs === undefined ? {} : { restMs: plan.restMs }),
        })
        // A broken rest is the relay's to tell its client.
        await textOf(answer).catch(() => {})
      }
      try {
        for (const { calls: count, pauseMs } of list) {
          await Promise.all(Array.from({ length: count }, one))
          await clock.advance(pauseMs)
        }
        for (const [, mine] of Map.groupBy(sights, ({ callId }) => callId)) {
          const began = mine.findIndex(({ what }) => what === 'began')
          expect(mine.slice(began + 1).filter(({ what }) => what === 'asked' && began >= 0)).toEqual([])
          expect(mine.filter(({ what }) => what === 'asked').length).toBeLessThanOrEqual(ATTEMPTS_MAX)
          if (began >= 0) seen.begun++
          if (mine.filter(({ what }) => what === 'asked').length > 1) seen.retried++
        }
      } finally {
        await close()
        await parts.close()
      }
    }),
    { numRuns: 40 },
  )
  // All of it happened, or the property would say nothing.
  expect(Math.min(seen.rests, seen.begun, seen.retried)).toBeGreaterThan(20)
})

function planOf({ health, load }: ReturnType<typeof forwarding>['deps'], backends: readonly Backend[]) {
  return planRoute({
    tenantId: 'ten_a',
    groups: [{ members: backends.map(({ id }) => ({ backendId: id, weight: 1 })) }],
    residency: [],
    backendOf: (id) => backends.find((backend) => backend.id === id),
    healthOf: (id) => health.view(id, 'ten_a'),
    isSaturated: load.isSaturated,
    fraction: () => 0.5,
  })
}
