import { startTestStack, type TestStack } from '../harness/stack'
import { chatBody, chatPath, post } from '../harness/call'
import { certificateOf, storageOf, tracesOf } from './traces'

const GRACE_SECONDS = 10
/** Product 3.1 and 5.4: what is refused is refused everywhere within this time. */
const EVERYWHERE_MS = 30_000

let stack: TestStack
beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_OFFBOARDING_GRACE_SECONDS: String(GRACE_SECONDS) })
})
afterAll(() => stack.stop())

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('a tenant that is being offboarded', () => {
  it.concurrent(
    'is refused here before the request is answered, elsewhere within 30 s, and nothing is deleted before',
    async () => {
      const other = await stack.startInstance()
      const { tenantId, apiKey } = await stack.makeTenant()
      const call = (baseUrl: string) => post({ baseUrl, apiKey }, chatPath, chatBody())
      const readKeys = (baseUrl: string) => fetch(`${baseUrl}/api/tenant/keys`, { headers: { 'api-key': apiKey } })
      expect((await call(stack.baseUrl)).status).toBe(200)
      expect((await call(other.baseUrl)).status).toBe(200)
      expect((await readKeys(other.baseUrl)).status).toBe(200)

      const askedAt = Date.now()
      const { offboardingId } = await stack.platform.remove<{ offboardingId: string }>(`/tenants/${tenantId}`)
      expect((await call(stack.baseUrl)).status).toBe(403)
      expect((await readKeys(stack.baseUrl)).status).toBe(403)
      while ((await call(other.baseUrl)).status === 200) await pause(250)
      expect(Date.now() - askedAt).toBeLessThan(EVERYWHERE_MS)
      expect((await readKeys(other.baseUrl)).status).not.toBe(200)

      const { steps } = (
        await stack.platform.get<{ steps: { id: string; state: string }[] }>(`/operations/${offboardingId}`)
      ).body
      if (Date.now() - askedAt < GRACE_SECONDS * 1_000 - 1_000) {
        expect(steps[0]).toMatchObject({ id: 'freeze', state: 'waiting' })
        expect(await storageOf(stack.storagePrefix).rowsInPartition('keys', tenantId)).toBe(1)
      }
      expect((await stack.platform.ended(offboardingId)).state).toBe('completed')
      expect(Date.now() - askedAt).toBeGreaterThanOrEqual(GRACE_SECONDS * 1_000)
    },
  )

  it.concurrent('is deleted only when a move of its data has ended, and nothing is left in either place', async () => {
    const { tenantId } = await stack.makeTenant()
    const move = await stack.platform.post<{ operationId: string }>(`/tenants/${tenantId}/move`, {
      data: 'container',
    })
    const { offboardingId } = await stack.platform.remove<{ offboardingId: string }>(`/tenants/${tenantId}`)
    // Its history goes with the tenant, so it is read while the offboarding waits.
    expect((await stack.platform.ended(move.operationId)).state).toBe('completed')
    const { body: moved } = await stack.platform.get<{ updatedAt: string }>(`/operations/${move.operationId}`)
    expect((await stack.platform.ended(offboardingId)).state).toBe('completed')
    expect(await tracesOf(stack, tenantId)).toEqual(['exports'])
    const { dataKeys } = (await certificateOf(stack, tenantId)) as { dataKeys: { destroyedAt: string } }
    expect(Date.parse(moved.updatedAt)).toBeLessThanOrEqual(Date.parse(dataKeys.destroyedAt))
  })
})
