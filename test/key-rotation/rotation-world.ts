import { createAccountKeys } from '../../src/azure/account-keys'
import { createArm } from '../../src/azure/arm-client'
import { createBackendCredentials } from '../../src/azure/backend-credentials'
import { createSmallHttp } from '../../src/azure/small-http'
import { createAlerts, alertStorage } from '../../src/alerts/alerts'
import { auditStorage } from '../../src/audit/chain-rows'
import { createAuditLog } from '../../src/audit/create-audit-log'
import { systemChance } from '../../src/base/chance'
import { systemClock } from '../../src/base/clock'
import type { OrchestrationStatus } from '../../src/base/durable-steps'
import { createIdMaker, type OperationId } from '../../src/base/ids'
import { createLog } from '../../src/base/log'
import { Problem } from '../../src/base/problem'
import { runChecklist, type ChecklistInput } from '../../src/checklists/run-checklist'
import { createRunStep, planOf, type StepRequest } from '../../src/checklists/run-step'
import { createWrappedPlatformSecrets, secretStorage } from '../../src/encryption/wrapped-secrets'
import { keyFileWrappingKey } from '../../src/encryption/key-file'
import { assembleKeyRotation, rotatedAddresses } from '../../src/key-rotation/assemble-key-rotation'
import { createRotatedAccounts, keyRotationStorage } from '../../src/key-rotation/rotated-accounts'
import { backendStorage, createBackends } from '../../src/routing/backends'
import { backendInput } from '../../src/routing/backend-input'
import { createStamps, stampStorage } from '../../src/stamps/stamps'
import { stampInput } from '../../src/stamps/stamp-input'
import { platformTable } from '../../src/storage/platform-table'
import { tenantTable } from '../../src/storage/tenant-table'
import { handRun } from '../checklists/hand-run'
import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'
import { accountId, GROUP, runningArm } from '../local/simulator/running-arm'
import { user } from '../local/simulator/running'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

type Azure = ReturnType<typeof rotationAzure>
export type Keys = { readonly key1: string; readonly key2: string }

/** Of every account's deployment. Calls follow one another as fast as the machine goes, and none of them may be refused for that. */
const CAPACITY = 1_000_000
const STEP_MS = 60_000
const INSTANCES = 2

/** A simulator that has room for any number of accounts, and takes a new key in place of the former one after `keyDelayMs`. */
export const rotationAzure = (keyDelayMs: number) => runningArm({ keyDelayMs, quotas: [] })

/**
 * An account of the simulator's with two backends, whose settings hold different keys of it, and instances that call it: real storage,
 * real sockets, and a clock of the test's, by which waits of minutes pass under load.
 */
export async function rotationWorld(azure: Azure, name: string) {
  const storage = freshStorage()
  await storage.ensure({
    tables: [keyRotationStorage, secretStorage, backendStorage, stampStorage, auditStorage, alertStorage].flatMap(
      ({ tables }) => [...tables],
    ),
  })
  await azure.putAccount(name)
  await azure.putDeployment(name, 'chat', { capacity: CAPACITY })
  const listKeys = async () => (await azure.call('POST', `${accountId(name)}/listKeys`)).body as Keys
  const first = await listKeys()
  const settings = { AZURE_OPENAI_API_KEY: first.key2, TENANTRY_BACKEND_KEY_B: first.key1 }

  const clock = handClock()
  const ids = createIdMaker({ clock, chance: systemChance() })
  const lines: string[] = []
  const log = createLog((line) => void lines.push(line), clock.now)
  const http = createSmallHttp()
  const token = await azure.token('platform', 'https://management.azure.com/.default')
  const identity = { getToken: async () => ({ token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) }
  const arm = createArm({ url: azure.url(''), audience: 'https://management.azure.com', identity, http })
  const backends = createBackends({ table: platformTable(storage.table('backends')), clock, log })
  const stamps = createStamps(platformTable(storage.table('stamps')))
  const made = stampInput.parse({
    name: 'simulated',
    region: 'swedencentral',
    resourceGroupId: GROUP,
    modelAccountIds: [accountId(name)],
  })
  await stamps.create(ids.stampId(), made)
  const backend = async (setting: string) => {
    const body = {
      name: `${name} ${setting}`,
      api: { kind: 'azure-openai' },
      endpoint: azure.url(`/accounts/${name}`),
      deployment: 'chat',
      credential: { kind: 'api-key', setting },
      region: 'swedencentral',
    }
    const stored = await backends.create(ids.backendId(), backendInput.parse(body))
    if (stored instanceof Problem) throw new Error(stored.public)
    return stored.backend
  }
  const [one, other] = [await backend('AZURE_OPENAI_API_KEY'), await backend('TENANTRY_BACKEND_KEY_B')]

  const chance = systemChance()
  const audit = createAuditLog({
    tenantRows: tenantTable(storage.table('audit')),
    platformRows: platformTable(storage.table('audit')),
    clock,
    chance,
  })
  const alerts = createAlerts({ rows: platformTable(storage.table('alerts')), clock })
  const accounts = createRotatedAccounts(platformTable(storage.table('accountkeys')))
  const wrappingKey = keyFileWrappingKey(join(mkdtempSync(join(tmpdir(), 'tenantry-test-')), 'key.json'))
  const secrets = createWrappedPlatformSecrets(platformTable(storage.table('secrets')), wrappingKey)

  /** Throws behind the n-th thing that the rotation does outside, as a process does that dies before it can note it. */
  const death = { at: Infinity, done: 0 }
  const mortal = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (of, property, receiver) => {
        const value: unknown = Reflect.get(of, property, receiver)
        if (typeof value !== 'function') return value
        return async (...args: unknown[]) => {
          const result: unknown = await Reflect.apply(value, of, args)
          if (++death.done === death.at) throw new Error('the process died')
          return result
        }
      },
    })
  const assembled = assembleKeyRotation({
    accounts: mortal(accounts),
    arm: mortal(arm),
    http,
    secrets: mortal(secrets),
    backends,
    stamps,
    settings,
    audit: mortal(audit),
    alerts,
    ids,
    clock,
    log,
  })

  const instances = Array.from({ length: INSTANCES }, () =>
    createBackendCredentials({
      settings,
      accountKeys: createAccountKeys({ rotated: () => rotatedAddresses(accounts), secrets, clock }),
      identity,
      secrets: { get: async () => undefined },
      clock,
    }),
  )
  const statuses: number[] = []
  /** Each instance calls the account once, by either backend. */
  const callAll = () =>
    Promise.all(
      instances.map(async (instance, index) => {
        const header = await instance.headerOf(index % 2 === 0 ? one : other, 'api-key')
        const answer = await fetch(
          azure.url(`/accounts/${name}/openai/deployments/chat/chat/completions?api-version=2024-10-21`),
          {
            method: 'POST',
            headers: { 'content-type': 'application/json', ...(header ? { [header[0]]: header[1] } : {}) },
            body: JSON.stringify({ ...user('hi'), max_tokens: 1 }),
          },
        )
        await answer.arrayBuffer()
        statuses.push(answer.status)
      }),
    )
  /** While it works, calls go on. */
  const underLoad = async <T>(work: Promise<T>): Promise<T> => {
    const over = new AbortController()
    const calls = (async () => {
      while (!over.signal.aborted) await callAll()
    })()
    try {
      return await work
    } finally {
      over.abort()
      await calls
    }
  }
  const sleep = async (ms: number) => {
    for (let slept = 0; slept < ms; slept += STEP_MS) {
      await clock.advance(Math.min(STEP_MS, ms - slept))
      await callAll()
    }
  }

  const runStep = createRunStep(assembled.checklist, { log, alert: async () => {} })
  const plan = planOf(assembled.checklist)
  const history: unknown[] = []
  const ended = new Map<string, OrchestrationStatus>()
  const started: { instanceId: string; input: ChecklistInput }[] = []
  /** A host's orchestrations of which the test runs one when it wants to. */
  const orchestrations = {
    start: async (_: string, instanceId: string, input: unknown) => {
      if (ended.has(instanceId)) return
      started.push({ instanceId, input: input as ChecklistInput })
      ended.set(instanceId, statusOf('running', undefined))
    },
    status: async (instanceId: string) => ended.get(instanceId),
  }
  const statusOf = (state: OrchestrationStatus['state'], output: unknown): OrchestrationStatus => ({
    state,
    input: undefined,
    status: undefined,
    output,
    createdAt: clock.now(),
    updatedAt: clock.now(),
  })
  const takes = async (key: string) => {
    const url = azure.url(`/accounts/${name}/openai/models?api-version=2024-10-21`)
    const answer = await fetch(url, { headers: { 'api-key': key } })
    await answer.arrayBuffer()
    return answer.status === 200
  }
  /** Until the account has heard of what was done last; only then does it refuse whoever goes on with a former key. */
  const heard = async () => {
    const { key1, key2 } = await listKeys()
    while (!((await takes(key1)) && (await takes(key2)))) await systemClock.sleep(20)
  }
  /** Runs what was started last. `stopBefore`: the host loses it before that step, for good. */
  const run = async ({ stopBefore }: { stopBefore?: string } = {}) => {
    const last = started.at(-1)
    if (!last) throw new Error('nothing was started')
    const { instanceId, input } = last
    const activity = async (_: string, request: unknown) => {
      if ((request as StepRequest).step === stopBefore) throw new Error('the orchestration was lost')
      const report = await underLoad(
        runStep(request as StepRequest, {
          orchestrations: { purge: async () => {}, running: async () => [], ended: async () => [] },
        }),
      )
      history.push(request, report)
      return report
    }
    try {
      const { output, statuses: shown } = await handRun((steps) => runChecklist(steps, plan, input), {
        activity,
        instanceId,
        sleep,
      })
      history.push(input, ...shown)
      ended.set(instanceId, statusOf('completed', output))
      await heard()
      await callAll()
      return output
    } catch {
      ended.set(instanceId, statusOf('terminated', undefined))
      await heard()
      await callAll()
      return undefined
    }
  }
  const start = async (operationId: OperationId = ids.operationId('krt')) =>
    assembled.rotations.start(one, operationId, orchestrations)

  return {
    ...assembled,
    storage,
    clock,
    ids,
    alerts,
    audit,
    accounts,
    secrets,
    backends,
    one,
    other,
    death,
    first,
    lines,
    history,
    started,
    statuses,
    orchestrations,
    callAll,
    listKeys,
    start,
    run,
    /** Calls that were not answered. */
    failures: () => statuses.filter((status) => status !== 200),
    [Symbol.asyncDispose]: () => http.close(),
  }
}
