import { pairedConnection } from '../../local/drill/paired-account'
import { PAIRED_REGION, recoveryDrill } from '../../local/drill/recovery-drill'
import { startTestStack, type TestStack } from '../harness/stack'
import { testConnectionString } from '../harness/storage'

let stack: TestStack
beforeAll(async () => {
  stack = await startTestStack({
    TENANTRY_TUNING_POLL_SECONDS: '1',
    TENANTRY_RECOVERY_REGION: PAIRED_REGION,
    TENANTRY_RECOVERY_STORAGE: pairedConnection(testConnectionString()),
  })
  await stack.configureSimulator({ fineTuning: { speed: 6_000, jobsMax: 200 } })
}, 60_000)
afterAll(() => stack.stop())

describe('the drill', () => {
  it('brings a tenant’s models back from the paired region after the first has lost them', async () => {
    const result = await recoveryDrill({ ...stack, connectionString: testConnectionString() })
    expect(result).toMatchObject({ isWhole: true })
    expect(result.steps.map(({ step }) => step)).toContain('restored')
  }, 180_000)
})
