import type { TenantId } from '../../src/base/ids'
import { createLog } from '../../src/base/log'
import { Problem, ProblemError } from '../../src/base/problem'
import { done, type Checklist, type ChecklistStep, type Decision } from '../../src/checklists/checklist'
import type { ChecklistStatus } from '../../src/checklists/checklist-status'
import { runChecklist } from '../../src/checklists/run-checklist'
import { createRunStep, planOf, type StepAlert, type StepRequest } from '../../src/checklists/run-step'
import { handRun } from './hand-run'

const tenantId: TenantId = `ten_${'1'.repeat(26)}`
type Step = ChecklistStep<object>

async function run(steps: Step[], options: { onFailure?: 'undo' | 'stop'; decision?: Decision } = {}) {
  const checklist: Checklist<object> = { name: 'test', onFailure: options.onFailure ?? 'undo', steps }
  const alerts: StepAlert[] = []
  const log = createLog(
    () => {},
    () => 0,
  )
  const runStep = createRunStep(checklist, { log, alert: async (alert) => void alerts.push(alert) })
  const result = await handRun((durable) => runChecklist(durable, planOf(checklist), { tenantId, input: {} }), {
    activity: (name, request) => {
      expect(name).toBe('test-step')
      return runStep(request as StepRequest, {
        orchestrations: { purge: async () => {}, running: async () => [], ended: async () => [] },
      })
    },
    event: () => options.decision,
  })
  const states = Object.fromEntries(result.output.steps.map(({ id, state }) => [id, state]))
  return { ...result, states, alerts }
}

const step = (id: string, more: Partial<Step> = {}): Step => ({
  id,
  timeoutMs: 60_000,
  attemptsMax: 3,
  do: async () => done(),
  ...more,
})

const broken = async () => {
  throw new Error('storage was away')
}

describe('a checklist', () => {
  it('does its steps in order and collects what they found out', async () => {
    const order: string[] = []
    const noted = (id: string) => step(id, { do: async () => (order.push(id), done({ [id]: `of ${id}` })) })
    const { output, states } = await run([noted('a'), noted('b')])
    expect(order).toEqual(['a', 'b'])
    expect(output).toMatchObject({ state: 'completed', facts: { a: 'of a', b: 'of b' } })
    expect(states).toEqual({ a: 'done', b: 'done' })
  })

  it('shows each step as it happens', async () => {
    const { statuses } = await run([step('a'), step('b')])
    const seen = (statuses as ChecklistStatus[]).map(({ steps }) => steps.map(({ state }) => state).join(' '))
    expect(seen).toEqual(['running pending', 'done pending', 'done running', 'done done', 'done done'])
  })

  it('repeats a step that threw, with growing pauses, and counts its attempts', async () => {
    let attempts = 0
    const flaky = step('flaky', { attemptsMax: 5, do: async () => (++attempts < 4 ? broken() : done()) })
    const { output, elapsedMs } = await run([flaky])
    expect(output.steps[0]).toMatchObject({ state: 'done', attempts: 4 })
    expect(elapsedMs).toBe(500 + 1_000 + 2_000)
  })

  it('says nothing of a thrown error but what a problem says in public', async () => {
    const secretive = step('secretive', { attemptsMax: 1, do: broken })
    const { output } = await run([secretive])
    expect(output.steps[0]?.error).toEqual({
      code: 'internal_error',
      detail: expect.not.stringContaining('storage was away'),
    })
  })

  it('waits for what is slow without counting it as failure, and gives up at the step’s timeout', async () => {
    let asked = 0
    const slow = (readyAfter: number) =>
      step('slow', {
        timeoutMs: 30_000,
        do: async () => (++asked > readyAfter ? done() : { kind: 'not-yet', againAfterMs: 5_000 }),
      })
    expect((await run([slow(4)])).states).toEqual({ slow: 'done' })
    asked = 0
    const { output } = await run([slow(100)])
    expect(output.steps[0]).toMatchObject({ state: 'failed', error: { code: 'step_timeout' } })
  })

  it('undoes from the end what was done, the failed step first, and leaves alone what never began', async () => {
    const undone: string[] = []
    const undoing = (id: string, more: Partial<Step> = {}) =>
      step(id, { undo: async () => void undone.push(id), ...more })
    const fails = async () => ({ kind: 'failed' as const, problem: new Problem('conflict', 'No.') })
    const { output, states } = await run([undoing('a'), undoing('b'), undoing('c', { do: fails }), undoing('d')])
    expect(undone).toEqual(['c', 'b', 'a'])
    expect(output.state).toBe('undone')
    expect(states).toEqual({ a: 'undone', b: 'undone', c: 'failed', d: 'pending' })
    expect(output.steps[2]?.error).toEqual({ code: 'conflict', detail: 'No.' })
  })

  it('ends at once on a problem that waiting cannot heal', async () => {
    let attempts = 0
    const final = step('final', {
      do: async () => {
        attempts++
        throw new ProblemError(new Problem('invalid_request', 'Never valid.'))
      },
    })
    expect((await run([final])).output.state).toBe('undone')
    expect(attempts).toBe(1)
  })

  it('keeps a failed undo on the record, raises an alert once, and undoes the rest all the same', async () => {
    const undone: string[] = []
    const { output, states, alerts } = await run([
      step('a', { undo: async () => void undone.push('a') }),
      step('b', { undo: broken }),
      step('c', { attemptsMax: 1, do: broken }),
    ])
    expect(undone).toEqual(['a'])
    expect(output.state).toBe('failed')
    expect(states).toEqual({ a: 'undone', b: 'undo-failed', c: 'failed' })
    expect(alerts).toEqual([expect.objectContaining({ checklist: 'test', step: 'b', operationId: 'onb_1', tenantId })])
  })

  it('stops where it stands when its work cannot be undone', async () => {
    const undo = jest.fn(async () => {})
    const { output } = await run([step('a', { undo }), step('b', { attemptsMax: 1, do: broken })], {
      onFailure: 'stop',
    })
    expect(output.state).toBe('failed')
    expect(undo).not.toHaveBeenCalled()
  })

  it('passes over what does not apply, in undoing too', async () => {
    const undo = jest.fn(async () => {})
    const { states } = await run([
      step('extra', { applies: () => false, undo }),
      step('b', { attemptsMax: 1, do: broken }),
    ])
    expect(states).toEqual({ extra: 'skipped', b: 'failed' })
    expect(undo).not.toHaveBeenCalled()
  })

  describe('that needs a decision', () => {
    const approval = step('approval', {
      do: async ({ decision }) => {
        if (!decision) return { kind: 'needs-decision', timeoutMs: 3_600_000 }
        if (decision.approved) return done({ by: decision.by })
        return { kind: 'failed', problem: new Problem('registration_rejected', decision.reason ?? '') }
      },
    })

    it('says that it waits, and goes on when it is approved', async () => {
      const { output, statuses } = await run([approval], { decision: { approved: true, by: 'ann' } })
      expect(output).toMatchObject({ state: 'completed', facts: { by: 'ann' } })
      expect((statuses as ChecklistStatus[]).map(({ state }) => state)).toContain('waiting-for-approval')
    })

    it('is undone when it is rejected', async () => {
      const { output } = await run([approval], { decision: { approved: false, by: 'ann', reason: 'unknown company' } })
      expect(output).toMatchObject({ state: 'undone', steps: [{ error: { detail: 'unknown company' } }] })
    })

    it('is undone when nobody decides in time', async () => {
      const { output, elapsedMs } = await run([approval])
      expect(output).toMatchObject({ state: 'undone', steps: [{ error: { code: 'not_decided' } }] })
      expect(elapsedMs).toBe(3_600_000)
    })
  })
})
