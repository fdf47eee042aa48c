import { startTestStack, type TestStack } from '../harness/stack'

const STEPS = ['freeze', 'export', 'delete', 'destroy-key', 'remove-record', 'sweep', 'certificate']

let stack: TestStack
beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_OFFBOARDING_GRACE_SECONDS: '0' })
}, 60_000)
afterAll(() => stack.stop())

const boundaries = STEPS.flatMap((step) => [
  { step, when: 'before' as const },
  { step, when: 'after' as const },
])

describe('an offboarding whose host is killed', () => {
  it.each(boundaries)(
    '$when the step $step ends after the restart with one certificate that counts everything',
    async ({ step, when }) => {
      const tenant = await stack.makeTenant()
      const pid = stack.hostPid()
      await stack.killAt({ function: 'offboarding-step', inputHolds: `"step":"${step}"`, when })
      // The answer may be lost with the host; the id is the tenant's.
      await stack.platform.remove(`/tenants/${tenant.tenantId}`).catch(() => undefined)
      await stack.restarted(pid)
      await stack.platform.remove(`/tenants/${tenant.tenantId}`)
      const ended = await stack.platform.ended(`off_${tenant.tenantId.slice('ten_'.length)}`)
      expect(ended).toMatchObject({ state: 'completed' })
      const { body } = await stack.platform.get<{ certificate: string }>(
        `/tenants/${tenant.tenantId}/deletion-certificate`,
      )
      const payload = Buffer.from(body.certificate.split('.')[1] ?? '', 'base64url').toString()
      expect(JSON.parse(payload)).toMatchObject({ removed: { 'table keys': 1 }, dataKeyVersions: [{ version: 1 }] })
    },
    60_000,
  )
})
