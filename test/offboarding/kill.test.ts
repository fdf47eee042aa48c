import { startTestStack, type TestStack } from '../harness/stack'
import { certificateOf, storageOf, tracesOf } from './traces'

const STEPS = ['freeze', 'export', 'delete', 'destroy-key', 'remove-record', 'sweep', 'certificate']

let stack: TestStack
beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_OFFBOARDING_GRACE_SECONDS: '0' })
})
afterAll(() => stack.stop())

const boundaries = STEPS.flatMap((step) => [
  { step, when: 'before' as const },
  { step, when: 'after' as const },
])

describe('an offboarding whose host is killed', () => {
  it.each(boundaries)(
    '$when the step $step ends after the restart, with nothing left and one certificate that counts everything',
    async ({ step, when }) => {
      const { tenantId } = await stack.makeTenant()
      const had = (await tracesOf(stack, tenantId)).sort()
      const pid = stack.hostPid()
      await stack.killAt({ function: 'offboarding-step', inputHolds: `"step":"${step}"`, when })
      // The answer may be lost with the host; the id is the tenant's.
      await stack.platform.remove(`/tenants/${tenantId}`).catch(() => undefined)
      await stack.restarted(pid)
      await stack.platform.remove(`/tenants/${tenantId}`)
      const ended = await stack.platform.ended(`off_${tenantId.slice('ten_'.length)}`)
      expect(ended).toMatchObject({ state: 'completed' })

      expect(had).toEqual(expect.arrayContaining(['audit', 'content', 'datakeys', 'keys', 'tenants']))
      // Sums for bills would stay; this tenant has called nothing.
      expect(await tracesOf(stack, tenantId)).toEqual(['exports'])
      expect(await storageOf(stack.storagePrefix).blobsUnder('exports', `${tenantId}/`)).toBe(1)
      expect(await certificateOf(stack, tenantId)).toMatchObject({
        removed: {
          'table keys': 1,
          'sealed records and blobs': 1,
          'versions of the data key': 1,
          // Record and snapshot, where its data lies, that it is there.
          'record, snapshot, place and directory entry': 4,
        },
        dataKeys: { versions: [{ version: 1 }] },
        swept: { found: 0 },
      })
    },
  )
})
