import { accountKeyName } from '../../src/azure/account-keys'
import { accountAddress } from '../../src/azure/account-address'
import { Problem } from '../../src/base/problem'
import { keyRotationView } from '../../src/key-rotation/key-rotation-view'
import type { RotatedAccount } from '../../src/key-rotation/rotated-accounts'
import { accountId } from '../local/simulator/running-arm'
import { rotationAzure, rotationWorld } from './rotation-world'

/** New keys are taken only some time after they were made, as Azure's are. */
const azure = rotationAzure(400)
let accounts = 0
const world = () => rotationWorld(azure, `rotated-${++accounts}`)

const shown = (account: RotatedAccount | Problem | undefined) => {
  if (!account || account instanceof Problem) throw new Error(String(account?.public))
  return keyRotationView(account)
}
const asFaults = (faults: readonly object[]) =>
  fetch(azure.url('/simulator/config'), {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ arm: { faults } }),
  })

describe('a rotation under load', () => {
  it('gives the account two new keys, and no call fails, whichever of the old keys it went out with', async () => {
    await using place = await world()
    await place.callAll()
    await place.start()
    expect(await place.run()).toMatchObject({ state: 'completed' })
    const after = await place.listKeys()
    expect([after.key1, after.key2]).not.toEqual(expect.arrayContaining([place.first.key1]))
    expect([after.key1, after.key2]).not.toEqual(expect.arrayContaining([place.first.key2]))
    expect(place.failures()).toEqual([])
    expect(place.statuses.length).toBeGreaterThan(40)
    expect(shown(await place.rotations.show(place.one))).toMatchObject({
      accountId: accountId('rotated-1').toLowerCase(),
      everyDays: null,
      rotatedAt: new Date(place.clock.now()).toISOString(),
    })
  })

  it('shows a key nowhere but in the vault: no log line, status, history, audit entry or row has it', async () => {
    await using place = await world()
    const seen = [place.first.key1, place.first.key2]
    for (const time of [1, 2]) {
      await place.start()
      expect(await place.run()).toMatchObject({ state: 'completed' })
      const { key1, key2 } = await place.listKeys()
      expect(seen).not.toContain(key1)
      seen.push(key1, key2)
      // The second one changes their parts.
      expect([time, place.failures()]).toEqual([time, []])
    }
    const entries = await place.audit.page('platform', { after: 0, limit: 100 })
    expect(entries.map(({ action, details }) => [action, details?.['key']])).toHaveLength(4)
    const rows: unknown[] = []
    for (const table of ['accountkeys', 'secrets', 'audit', 'alerts'])
      for await (const row of place.storage.table(table).listEntities()) rows.push(row)
    expect(rows.length).toBeGreaterThan(5)
    const written = JSON.stringify([place.lines, place.history, entries, rows, await place.rotations.show(place.one)])
    expect(seen.filter((key) => written.includes(key))).toEqual([])
    // The search would find them: what is in the vault is one of them.
    expect(seen).toContain(await place.secrets.get(accountKeyName(accountAddress(place.one.endpoint))))
  })
})

describe('a rotation that breaks off', () => {
  // Before any other step, and behind whatever it did: kill.test.ts.
  it('for good a moment behind the vault’s new key leaves calls as they are, also when the next one begins at once', async () => {
    await using place = await world()
    await place.start()
    await place.run({ stopBefore: 'wait-for-the-new' })
    await place.start()
    expect(await place.run()).toMatchObject({ state: 'completed' })
    expect(place.failures()).toEqual([])
  })

  it('for good is told to operators, and the next that ends well ends the alert', async () => {
    await using place = await world()
    await asFaults([{ path: 'regenerateKey', status: 403, code: 'AuthorizationFailed', next: 1 }])
    await place.start()
    expect(await place.run()).toMatchObject({ state: 'failed' })
    await place.rotateDue(place.orchestrations)
    const alert = async () => (await place.alerts.page({ after: undefined, limit: 10 }))[0]
    expect(await alert()).toMatchObject({ kind: 'key-rotation-failed', state: 'open', severity: 'warning' })
    expect(shown(await place.rotations.show(place.one)).failed).toMatchObject({ code: 'provisioning_refused' })
    await place.start()
    expect(await place.run()).toMatchObject({ state: 'completed' })
    expect(await alert()).toMatchObject({ state: 'resolved' })
    expect(shown(await place.rotations.show(place.one)).failed).toBeUndefined()
    expect(place.failures()).toEqual([])
  })

  it('regenerates nothing while the vault does not hold the key that stays', async () => {
    await using place = await world()
    await place.start()
    await place.run({ stopBefore: 'regenerate-former' })
    const started = place.started.at(-1)
    await place.secrets.put(accountKeyName(accountAddress(place.one.endpoint)), 'of somebody else')
    const before = await place.listKeys()
    // The same operation goes on, as after a crash of its host.
    place.started.push(...(started ? [started] : []))
    expect(await place.run()).toMatchObject({
      state: 'failed',
      steps: expect.arrayContaining([expect.objectContaining({ id: 'regenerate-unused', state: 'failed' })]) as unknown,
    })
    expect(await place.listKeys()).toEqual(before)
  })
})

describe('by the clock', () => {
  it('an account is rotated when it is due by its policy, once, whoever looks', async () => {
    await using place = await world()
    const { rotations, orchestrations, rotateDue, clock } = place
    expect(await rotations.show(place.one)).toBeUndefined()
    expect(shown(await rotations.setPolicy(place.other, 30))).toMatchObject({ everyDays: 30 })
    expect(await Promise.all([rotateDue(orchestrations), rotateDue(orchestrations)])).toEqual(
      expect.arrayContaining([1]) as unknown,
    )
    expect(new Set(place.started.map(({ instanceId }) => instanceId)).size).toBe(1)
    expect(await place.start()).toMatchObject({ code: 'conflict' })
    expect(await place.run()).toMatchObject({ state: 'completed' })
    expect(await rotateDue(orchestrations)).toBe(0)
    await clock.advance(30 * 86_400_000)
    expect(await rotateDue(orchestrations)).toBe(1)
    await rotations.setPolicy(place.one, null)
    expect(shown(await rotations.show(place.one)).everyDays).toBeNull()
  })
})

describe('keys that are not the platform’s to rotate', () => {
  it('are refused, each by what would have to be otherwise', async () => {
    await using place = await world()
    const of = async (change: object) => {
      const shownOf = await place.rotations.show({ ...place.one, ...change })
      return shownOf instanceof Problem ? shownOf.public : undefined
    }
    expect(await of({ credential: { kind: 'identity' } })).toMatch(/settings hold/)
    expect(await of({ directoryId: 'of a tenant' })).toMatch(/another directory/)
    expect(await of({ api: { kind: 'openai-compatible' } })).toMatch(/by hand/)
    expect(await of({ endpoint: 'https://unknown.openai.azure.com' })).toMatch(/modelAccountIds/)
  })
})
