import type { ModelId } from '../../src/base/ids'
import { createGateStage } from '../../src/evaluation/gate-stage'
import { judgeThreshold } from '../../src/evaluation/judge-threshold'
import type { ModelEvaluation, ModelVersion } from '../../src/registry/model-version'
import { TenantScope } from '../../src/storage/tenant-scope'

const evaluation: ModelEvaluation = {
  id: 'evl_1',
  atMs: 0,
  fileId: 'file-1',
  datasetHash: 'sha256:00',
  sampleHash: 'sha256:00',
  examples: 10,
  unanswered: 0,
  tuned: { token_f1: 0.8 },
  base: { token_f1: 0.6 },
  gains: { token_f1: { mean: 0.2, low: 0.05, high: 0.35 } },
  baseAlias: 'chat',
}
const threshold = (metric: string, scoreMin: number) =>
  judgeThreshold({ kind: 'threshold', metric, scoreMin }, evaluation)

describe('a gate with a threshold', () => {
  it('lets a score pass that reaches it, by itself or by its gain over the base', () => {
    expect(threshold('token_f1', 0.8)).toBeUndefined()
    expect(threshold('token_f1_gain', 0.2)).toBeUndefined()
    const narrow = { ...evaluation, gains: { f: { mean: 0.3 - 0.1, low: 0, high: 1 } } }
    expect(judgeThreshold({ kind: 'threshold', metric: 'f_gain', scoreMin: 0.2 }, narrow)).toBeUndefined()
  })

  it('refuses one that does not, and says by how much', () => {
    expect(threshold('token_f1', 0.81)?.public).toContain('token_f1 is 0.8 over 10 examples and had to be 0.81')
    expect(threshold('token_f1_gain', 0.21)?.public).toContain('is 0.2 over 10 examples and had to be 0.21')
  })

  it('on what the gain is at least is not passed by luck', () => {
    expect(threshold('token_f1_gain_low', 0.05)).toBeUndefined()
    expect(threshold('token_f1_gain_low', 0.1)?.public).toContain('token_f1_gain_low is 0.05')
  })

  it('looks at its own job’s evaluation, whatever others have found since', async () => {
    const jobId = 'ftjob-1'
    const worse = { ...evaluation, id: 'evl_2' as const, tuned: { token_f1: 0 } }
    const get = async () => ({ evaluations: [evaluation, worse] }) as unknown as ModelVersion
    const outcome = await createGateStage({ registry: { get } }).do({
      scope: TenantScope.ofPlatform('ten_1'),
      jobId,
      operationId: jobId,
      modelId: 'mdl_1',
      wish: { kind: 'threshold', metric: 'token_f1', scoreMin: 0.8 },
      by: { callerId: 'key_1' },
      startedAt: 0,
    })
    expect(outcome).toEqual({ kind: 'done' })
  })

  it('refuses where the metric was not measured, or nothing was', () => {
    expect(threshold('grade', 0)?.public).toContain('has no metric "grade"; it has: token_f1')
    expect(judgeThreshold({ kind: 'threshold', metric: 'token_f1', scoreMin: 0 }, undefined)?.public).toContain(
      'not been evaluated',
    )
  })
})

describe('a gate with an approval', () => {
  const stage = createGateStage({ registry: { get: async () => undefined } })
  const asked = (decision?: { approved: boolean; by: string; reason?: string }) =>
    stage.do({
      scope: TenantScope.ofPlatform('ten_1'),
      jobId: 'ftjob-1',
      operationId: 'ftjob-1',
      by: { callerId: 'key_1' },
      modelId: 'mdl_1' satisfies ModelId,
      wish: { kind: 'approval', timeoutHours: 48 },
      startedAt: 0,
      ...(decision ? { decision } : {}),
    })

  it('waits for as long as was asked, and opens on a yes only', async () => {
    expect(await asked()).toEqual({ kind: 'needs-decision', timeoutMs: 48 * 3_600_000 })
    expect(await asked({ approved: true, by: 'ops' })).toEqual({ kind: 'done' })
    const refused = await asked({ approved: false, by: 'ops', reason: 'too terse' })
    expect(refused.kind === 'refused' && refused.problem.public).toBe('The model was not approved: too terse.')
  })
})
