import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryStore } from '../../local/host/durable/memory-store'
import type { StepRequest, StepReport } from '../../src/checklists/run-step'
import { runChecklist, type ChecklistInput, type ChecklistPlan } from '../../src/checklists/run-checklist'
import { compose } from '../../src/compose'
import { readConfig } from '../../src/config'
import { orchestrationHandler } from '../../src/functions/durable/durable-functions-steps'
import {
  functionsOf,
  handHostClock,
  hubOn,
  isOver,
  outcomeOf,
  runUntil,
  type Orchestrator,
} from '../local/host/durable-harness'
import { testConnectionString } from '../harness/storage'
import { silentLog } from '../metering/read-all'
import { WRITES_FIXTURES } from './fixtures'

const FILE = join(__dirname, 'fixtures', 'step-lists.json')

type StepLists = Record<string, readonly string[]>

function stepListsOfToday(): StepLists {
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-steps-'))
  const config = readConfig({
    AzureWebJobsStorage: testConnectionString(),
    TENANTRY_KEY_PEPPER: 'pepper-of-the-tests-with-enough-characters',
    TENANTRY_WRAPPING_KEY_FILE: join(folder, 'wrapping-key.json'),
    TENANTRY_OPERATOR_TOKEN_HASHES: '0'.repeat(64),
    TENANTRY_PUBLIC_URL: 'http://localhost:1',
  })
  const { checklists } = compose(config, silentLog, '0.0.0')
  return Object.fromEntries(checklists.map(({ checklist: { name, steps } }) => [name, steps.map(({ id }) => id)]))
}

describe('the steps of a checklist', () => {
  it('that a release has had stand in their order at the beginning of its list, whatever is added behind them', () => {
    const today = stepListsOfToday()
    const before = JSON.parse(readFileSync(FILE, 'utf8')) as StepLists
    for (const [name, steps] of Object.entries(before)) {
      expect({ name, steps: today[name]?.slice(0, steps.length) }).toEqual({ name, steps })
    }
    // What was released is checked first: it is added to, never put another way.
    if (WRITES_FIXTURES) writeFileSync(FILE, `${JSON.stringify(today, null, 2)}\n`)
  })

  it('are all on record, so that the next change of one is noticed', () => {
    expect(JSON.parse(readFileSync(FILE, 'utf8'))).toEqual(stepListsOfToday())
  })
})

describe('an operation that the release before has begun', () => {
  const planOf = (...ids: string[]): ChecklistPlan => ({
    name: 'list',
    onFailure: 'stop',
    steps: ids.map((id) => ({ id, timeoutMs: 3_600_000, attemptsMax: 3, canUndo: false })),
  })
  const release = (plan: ChecklistPlan, step: (request: StepRequest) => StepReport) => {
    const list = orchestrationHandler<ChecklistInput, unknown>((steps, started) => runChecklist(steps, plan, started))
    return functionsOf({
      orchestrations: { list: list as Orchestrator },
      activities: { 'list-step': (request: never) => step(request) },
    })
  }

  it('does the steps that it has not done, and those that were added behind them, each once', async () => {
    const store = createMemoryStore()
    const clock = handHostClock()
    const done: string[] = []
    const before = hubOn(
      store,
      release(planOf('first', 'second'), ({ step }) => {
        if (step === 'second') return { kind: 'not-yet', againAfterMs: 60_000 }
        done.push(step)
        return { kind: 'done' }
      }),
      clock,
    ).hub
    await before.start()
    const input = JSON.stringify({ tenantId: 'ten_a', input: {} } satisfies ChecklistInput)
    await before.startInstance('op', { name: 'list', input })
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(done).toEqual(['first'])
    await before.stop()

    const after = release(planOf('first', 'second', 'third'), ({ step }) => {
      done.push(step)
      return { kind: 'done' }
    })
    await hubOn(store, after, clock).hub.start()
    await runUntil(clock, () => isOver(store, 'op'))
    expect(await outcomeOf(store, 'op')).toMatchObject({ status: 'Completed', output: { state: 'completed' } })
    expect(done).toEqual(['first', 'second', 'third'])
  })
})
