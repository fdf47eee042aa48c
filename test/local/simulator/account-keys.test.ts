import { listedKeys, regenerateKey, takenKeys } from '../../../local/simulator/arm/account-keys'
import type { StoredAccount } from '../../../local/simulator/arm/stored-resource'
import { accountId, runningArm } from './running-arm'
import { KEY } from './running'

const azure = runningArm()
const { call, putAccount } = azure

const models = async (account: string, key: string) => {
  const answer = await fetch(azure.url(`${account}/openai/models?api-version=2024-10-21`), {
    headers: { 'api-key': key },
  })
  await answer.arrayBuffer()
  return answer.status
}
const regenerate = async (account: string, keyName: string) => {
  const { status, body } = await call('POST', `${accountId(account)}/regenerateKey`, { body: { keyName } })
  return { status, ...(body as { key1?: string; key2?: string }) }
}
const list = async (account: string) =>
  (await call('POST', `${accountId(account)}/listKeys`)).body as { key1: string; key2: string }

describe('a key that is regenerated', () => {
  it('is refused from then on, and the other key goes on', async () => {
    await putAccount('rotated')
    const before = await list('rotated')
    const answer = await regenerate('rotated', 'Key2')
    const after = await list('rotated')
    expect(answer).toEqual({ status: 200, ...after })
    expect(after.key1).toBe(before.key1)
    expect(await models('/accounts/rotated', before.key2)).toBe(401)
    expect(await models('/accounts/rotated', after.key1)).toBe(200)
    expect(await models('/accounts/rotated', after.key2)).toBe(200)
  })

  it('is so at the account at the root too, until everything is reset', async () => {
    await regenerate('simulator', 'Key1')
    expect(await models('', KEY)).toBe(401)
    expect(await models('', (await list('simulator')).key1)).toBe(200)
    await fetch(azure.url('/simulator/reset'), { method: 'POST' })
    expect(await models('', KEY)).toBe(200)
  })

  it('has a name that there is, at an account that has keys', async () => {
    await putAccount('rotated')
    await putAccount('keyless', { disableLocalAuth: true })
    expect((await regenerate('rotated', 'Key3')).status).toBe(400)
    expect((await regenerate('keyless', 'Key1')).status).toBe(400)
  })

  it('gets to the data plane late: until then its former one is taken, and itself is not', () => {
    const made = ['a', 'b'] as const
    const account = { regenerated: undefined } as unknown as StoredAccount
    const changed = regenerateKey(account, { name: 'Key1', listed: made, now: 1_000 })
    const [fresh] = listedKeys(made, changed)
    expect(fresh).not.toBe('a')
    expect(takenKeys(made, changed, { now: 1_499, delayMs: 500 })).toEqual(['a', 'b'])
    expect(takenKeys(made, changed, { now: 1_500, delayMs: 500 })).toEqual([fresh, 'b'])
  })
})
