import { Problem } from '../../src/base/problem'
import { createAuthenticator } from '../../src/access/authenticator'
import type { Caller } from '../../src/access/caller'
import { createLog } from '../../src/base/log'
import type { StorageAccount } from '../../src/storage/connect'
import { TenantScope } from '../../src/storage/tenant-scope'
import { createKey, createTenant, expectStatus } from '../functions/control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../functions/control-plane-server'
import { watchTraffic } from '../harness/traffic'

/** Two app instances on one storage and one clock. */
let one: ControlPlaneServer
let two: ControlPlaneServer
let admin: { tenantId: string; apiKey: string }
const quiet = createLog(() => {}, Date.now)
const traffic = watchTraffic()
beforeAll(async () => {
  one = await serveControlPlane()
  two = await serveControlPlane({ storage: one.storage, clock: one.clock })
  admin = await createTenant(one)
})
afterAll(async () => {
  await Promise.all([one.close(), two.close()])
  traffic.stop()
})

const ask = (server: ControlPlaneServer, text: string) =>
  server.parts.authenticator.authenticate({ kind: 'api-key', text })

async function isRefused(server: ControlPlaneServer, text: string): Promise<boolean> {
  // A first call after a pause may be answered from what was known; it is the next that sees what was read then.
  return (await ask(server, text)) instanceof Problem
}

/** The text with its last character replaced by another of the same alphabet. */
const mistyped = (key: string) => key.slice(0, -1) + (key.endsWith('0') ? '1' : '0')

describe('a key in use', () => {
  it('is known at once, without a wait and without a request to storage', async () => {
    await ask(two, admin.apiKey)
    const before = two.tableRequests()
    const answer = ask(two, admin.apiKey)
    expect(answer).not.toBeInstanceOf(Promise)
    expect(answer).toMatchObject({ tenantId: admin.tenantId, scopes: ['inference', 'admin'] })
    expect(two.tableRequests()).toBe(before)
  })

  it('carries its own aliases and limits', async () => {
    const { apiKey } = await createKey(one, admin.apiKey, { limits: { requestsPerMinute: 5 } })
    const caller = (await ask(one, apiKey)) as Caller
    expect(caller.limits).toEqual({ requestsPerMinute: 5 })
    expect(caller.aliases).toBeUndefined()
  })

  it('stays known through 25 s without storage, and then fails rather than be refused', async () => {
    let reachable = true
    await using dead = await serveControlPlane({
      storage: cutOff(one.storage, () => reachable),
      clock: one.clock,
    })
    expect(await ask(dead, admin.apiKey)).not.toBeInstanceOf(Problem)
    reachable = false
    await one.clock.advance(24_999)
    expect(await ask(dead, admin.apiKey)).not.toBeInstanceOf(Problem)
    await one.clock.advance(1)
    await expect(ask(dead, admin.apiKey)).rejects.toThrow('cut off')
  })
})

describe('a key that is read', () => {
  it('says whose it is before it has been read, so that its tenant is read meanwhile; others say nothing', async () => {
    const expected: string[] = []
    const authenticator = createAuthenticator({
      store: one.parts.keyStore,
      apiKeys: one.parts.apiKeys,
      onRead: (tenantId) => expected.push(tenantId),
      clock: one.clock,
      log: quiet,
    })
    await authenticator.authenticate({ kind: 'api-key', text: mistyped(admin.apiKey) })
    expect(expected).toEqual([])
    const reading = authenticator.authenticate({ kind: 'api-key', text: admin.apiKey })
    expect(expected).toEqual([admin.tenantId])
    expect(await reading).toMatchObject({ tenantId: admin.tenantId })
    await authenticator.authenticate({ kind: 'api-key', text: admin.apiKey })
    expect(expected).toEqual([admin.tenantId])
  })
})

describe('a key that the platform did not make', () => {
  it('costs no request to storage, however many are tried', async () => {
    await using stranger = await serveControlPlane({ storage: one.storage, clock: one.clock })
    const bad = [
      mistyped(admin.apiKey),
      `${admin.apiKey}x`,
      'sk-proj-abcdef',
      `tnk_${'0'.repeat(26)}_${'0'.repeat(26)}_${'0'.repeat(48)}`,
      `${admin.apiKey.slice(0, 57)}_${'z'.repeat(48)}`,
    ]
    for (const text of bad) {
      const answer = ask(stranger, text)
      expect(answer).not.toBeInstanceOf(Promise)
      expect(answer).toBeInstanceOf(Problem)
    }
    expect(stranger.tableRequests()).toBe(0)
  })
})

describe('a refusal', () => {
  it('looks the same whatever is wrong with the key', async () => {
    const revoked = await createKey(one, admin.apiKey)
    const expiresAt = new Date(one.clock.now() + 1_000).toISOString()
    const expired = await createKey(one, admin.apiKey, { expiresAt })
    expectStatus(await one.send('DELETE', `/api/tenant/keys/${revoked.keyId}`, { apiKey: admin.apiKey }), 204)
    await one.clock.advance(1_000)

    const refusals = await Promise.all([
      one.parts.authenticator.authenticate({ kind: 'none' }),
      ...[revoked.apiKey, expired.apiKey, mistyped(admin.apiKey), 'rubbish'].map((text) => ask(one, text)),
    ])
    for (const refusal of refusals) expect(refusal).toMatchObject({ code: 'invalid_api_key' })
    expect(new Set(refusals.map((refusal) => JSON.stringify(refusal))).size).toBe(1)
  })

  it('says that Entra tokens are not enabled to one who sends one', async () => {
    const refusal = await one.parts.authenticator.authenticate({ kind: 'entra-token', text: 'eyJ.x.y' })
    expect(refusal).toMatchObject({ code: 'invalid_api_key', public: expect.stringContaining('Entra') })
  })
})

describe('a revoked key', () => {
  it('is refused by the instance that revoked it at once, and by every other within 30 s', async () => {
    const key = await createKey(one, admin.apiKey)
    expect(await isRefused(two, key.apiKey)).toBe(false)
    expectStatus(await one.send('DELETE', `/api/tenant/keys/${key.keyId}`, { apiKey: admin.apiKey }), 204)

    expect(await isRefused(one, key.apiKey)).toBe(true)
    // In use every second, as the worst case has it: the old standing is shown while the new one is read.
    let refusedAfterMs = Infinity
    for (let waitedMs = 0; waitedMs <= 30_000; waitedMs += 1_000) {
      if (refusedAfterMs === Infinity && (await isRefused(two, key.apiKey))) refusedAfterMs = waitedMs
      // What was begun in the background has been read.
      await traffic.rest()
      await one.clock.advance(1_000)
    }
    expect(refusedAfterMs).toBeLessThanOrEqual(30_000)
  })

  it('is refused on its next use where it lay idle for 25 s', async () => {
    const key = await createKey(one, admin.apiKey)
    await ask(two, key.apiKey)
    expectStatus(await one.send('DELETE', `/api/tenant/keys/${key.keyId}`, { apiKey: admin.apiKey }), 204)
    await one.clock.advance(25_000)
    expect(await isRefused(two, key.apiKey)).toBe(true)
  })

  it('is not brought back by a reading that began before the revocation', async () => {
    const key = await createKey(one, admin.apiKey)
    const early = ask(one, key.apiKey)
    const revoked = await one.send('DELETE', `/api/tenant/keys/${key.keyId}`, { apiKey: admin.apiKey })
    expectStatus(revoked, 204)
    await early
    expect(await isRefused(one, key.apiKey)).toBe(true)
  })
})

describe('a rotated key', () => {
  const rotate = async (keyId: string, overlapMs: number) => {
    const path = `/api/tenant/keys/${keyId}/rotate`
    const reply = expectStatus(await one.send('POST', path, { apiKey: admin.apiKey, body: { overlapMs } }), 200)
    return reply.body as { keyId: string; apiKey: string }
  }

  it('keeps its id, works everywhere at once, and leaves the old one its overlap and no more', async () => {
    const old = await createKey(one, admin.apiKey)
    await ask(two, old.apiKey)
    const fresh = await rotate(old.keyId, 60_000)

    expect(fresh.keyId).toBe(old.keyId)
    for (const server of [one, two]) {
      expect(await ask(server, fresh.apiKey)).toMatchObject({ callerId: old.keyId })
      expect(await ask(server, old.apiKey)).toMatchObject({ callerId: old.keyId })
    }
    await one.clock.advance(59_999)
    expect(await isRefused(one, old.apiKey)).toBe(false)
    await one.clock.advance(1)
    for (const server of [one, two]) {
      expect(await isRefused(server, old.apiKey)).toBe(true)
      expect(await isRefused(server, fresh.apiKey)).toBe(false)
    }
  })

  it('ends the old one at once where no overlap is wanted', async () => {
    const old = await createKey(one, admin.apiKey)
    await ask(one, old.apiKey)
    await rotate(old.keyId, 0)
    expect(await isRefused(one, old.apiKey)).toBe(true)
  })

  it('does not end a key within its overlap when it is rotated again, as after a lost answer', async () => {
    const first = await createKey(one, admin.apiKey)
    const lost = await rotate(first.keyId, 60_000)
    const third = await rotate(first.keyId, 60_000)
    for (const { apiKey } of [first, lost, third]) expect(await isRefused(one, apiKey)).toBe(false)
  })

  it('takes its replaced ones along when it is revoked', async () => {
    const old = await createKey(one, admin.apiKey)
    const fresh = await rotate(old.keyId, 60_000)
    for (const { apiKey } of [old, fresh]) await ask(one, apiKey)
    expectStatus(await one.send('DELETE', `/api/tenant/keys/${old.keyId}`, { apiKey: admin.apiKey }), 204)
    for (const { apiKey } of [old, fresh]) expect(await isRefused(one, apiKey)).toBe(true)
  })

  it('cannot be rotated any more once it is revoked', async () => {
    const key = await createKey(one, admin.apiKey)
    expectStatus(await one.send('DELETE', `/api/tenant/keys/${key.keyId}`, { apiKey: admin.apiKey }), 204)
    const path = `/api/tenant/keys/${key.keyId}/rotate`
    expectStatus(await one.send('POST', path, { apiKey: admin.apiKey, body: {} }), 409)
  })
})

describe('what is stored and logged', () => {
  it('never holds a key, nor its secret part', async () => {
    const key = await createKey(one, admin.apiKey)
    await ask(one, key.apiKey)
    const secret = key.apiKey.slice(-48)
    const tables = ['keys', 'tenants', 'tenantdirectory', 'idempotency', 'backends']
    for (const name of tables) {
      const rows = await Array.fromAsync(one.storage.table(name).listEntities())
      expect(JSON.stringify(rows)).not.toContain(secret)
    }
    expect(one.logged.join('\n')).not.toContain(secret)
    const stored = await one.parts.keyStore.all(TenantScope.ofPlatform(admin.tenantId as `ten_${string}`))
    expect(stored.map(({ keyId }) => keyId)).toContain(key.keyId)
  })
})

/** The account until `reachable` says no: from then on every table request fails as a dead network does. */
function cutOff(account: StorageAccount, reachable: () => boolean): StorageAccount {
  return {
    ...account,
    table: (name) => {
      const client = account.table(name)
      client.pipeline.addPolicy({
        name: 'cut-off',
        sendRequest: async (request, next) => {
          if (!reachable()) throw new Error('cut off')
          return next(request)
        },
      })
      return client
    },
  }
}
