import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createIdMaker, type TenantId } from '../../src/base/ids'
import { systemChance } from '../../src/base/chance'
import { Problem } from '../../src/base/problem'
import { compose, type Platform } from '../../src/compose'
import { readConfig } from '../../src/config'
import { connectStorage, type StorageAccount } from '../../src/storage/connect'
import { TenantScope } from '../../src/storage/tenant-scope'
import { backendInput } from '../../src/routing/backend-input'
import { keyInput } from '../../src/access/key-input'
import { tenantInput } from '../../src/tenants/tenant-input'
import { handClock, type HandClock } from '../harness/hand-clock'
import { testConnectionString } from '../harness/storage'
import { watchTraffic, type Traffic } from '../harness/traffic'

/**
 * The whole app in this process, on the run's Azurite, with a clock that moves only while `run` lets it, and then only when nothing is
 * on its way: what storage and the network take is no time, on any machine.
 */
export interface MovedPlatform {
  readonly platform: Platform
  readonly storage: StorageAccount
  readonly clock: HandClock
  readonly traffic: Traffic
  /** Lets time pass until `ms` later, or until `isDone`. */
  run(ms: number, isDone?: () => boolean): Promise<void>
  makeBackend(url: string): Promise<`bke_${string}`>
  makeTenant(backendId: `bke_${string}`): Promise<MovedTenant>
  stop(): Promise<void>
}

export interface MovedTenant {
  readonly tenantId: TenantId
  readonly scope: TenantScope
  /** One chat completion; the body is what the client gets. */
  chat(outputTokens: number): Promise<{ status: number; retryAfterMs: number; code: string | undefined }>
}

/** How often `run` asks whether it is done. */
const STEP_MS = 1_000

export async function startMovedPlatform(startMs: number): Promise<MovedPlatform> {
  const traffic = watchTraffic()
  const clock = handClock(startMs, traffic.rest)
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-moved-'))
  const prefix = `m${randomBytes(6).toString('hex')}`
  const config = readConfig({
    AzureWebJobsStorage: testConnectionString(),
    TENANTRY_STORAGE_PREFIX: prefix,
    TENANTRY_KEY_PEPPER: randomBytes(32).toString('base64'),
    TENANTRY_OPERATOR_TOKEN_HASHES: '0'.repeat(64),
    TENANTRY_WRAPPING_KEY_FILE: join(folder, 'key.json'),
    AZURE_OPENAI_API_KEY: 'a-key',
  })
  const errors: string[] = []
  const log = {
    info: () => {},
    warn: () => {},
    error: (message: string, fields?: object) => void errors.push(`${message} ${JSON.stringify(fields)}`),
  }
  const platform = compose(config, log, 'test', clock)
  await platform.start()
  const storage = connectStorage({ kind: 'connection-string', connectionString: testConnectionString() }, prefix)
  const ids = createIdMaker({ clock, chance: systemChance() })
  const { tenants, keys, backends } = platform.controlPlane

  const run: MovedPlatform['run'] = async (ms, isDone = () => false) => {
    const endMs = clock.now() + ms
    await traffic.rest()
    while (clock.now() < endMs && !isDone()) await clock.advance(STEP_MS)
    if (errors.length > 0) throw new Error(errors.join('\n'))
  }

  /** Work of the platform that waits for time to pass. */
  const during = async <T>(work: Promise<T>): Promise<T> => {
    let isDone = false
    const done = work.finally(() => (isDone = true))
    done.catch(() => {})
    await run(Infinity, () => isDone)
    return done
  }

  return {
    platform,
    storage,
    clock,
    traffic,
    run,
    makeBackend: async (url) => {
      const input = backendInput.parse({
        name: 'shared',
        api: { kind: 'openai-compatible' },
        endpoint: url,
        deployment: 'gpt-4.1-mini',
        credential: { kind: 'api-key', setting: 'AZURE_OPENAI_API_KEY' },
        region: 'local',
      })
      const made = sound(await backends.create(ids.backendId(), input))
      return made.backend.id
    },
    makeTenant: async (backendId) => {
      const tenantId = ids.tenantId()
      const scope = TenantScope.ofPlatform(tenantId)
      const input = tenantInput.parse({
        displayName: 'A tenant',
        contact: { email: 'somebody@tenant.example' },
        tier: 'premium',
        region: 'local',
        aliases: [{ name: 'chat', model: 'gpt-4.1-mini', groups: [{ members: [{ backendId }] }] }],
      })
      sound(await tenants.register(tenantId, input))
      sound(await tenants.transition(scope, 'activate'))
      const key = sound(await keys.create(scope, ids.keyId(), keyInput.parse({ name: 'a key', scopes: ['inference'] })))
      return { tenantId, scope, chat: (outputTokens) => chat(platform, key.apiKey, outputTokens) }
    },
    stop: async () => {
      await during(platform.stop())
      traffic.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function chat(platform: Platform, apiKey: string, outputTokens: number) {
  const bytes = Buffer.from(
    JSON.stringify({ model: 'chat', max_tokens: outputTokens, messages: [{ role: 'user', content: 'Hello there' }] }),
  )
  const headers = new Headers({ 'api-key': apiKey, 'content-type': 'application/json' })
  const answer = await platform.serve({
    method: 'POST',
    path: '/openai/v1/chat/completions',
    query: new URLSearchParams(),
    headers,
    readBody: async () => ({ kind: 'read', bytes }),
    bytes: async function* () {
      yield bytes
    },
  })
  const { body } = answer
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body.toString() : ''
  const parsed = JSON.parse(text) as { error?: { code?: string } }
  return {
    status: answer.status,
    retryAfterMs: Number(answer.headers['retry-after-ms'] ?? 0),
    code: parsed.error?.code,
  }
}

function sound<T>(result: T | Problem): T {
  if (result instanceof Problem) throw new Error(`${result.code}: ${result.public}`)
  return result
}
