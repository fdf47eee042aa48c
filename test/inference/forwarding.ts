import { createUpstreamHttp } from '../../src/azure/upstream-http'
import { systemClock, type Clock } from '../../src/base/clock'
import { Problem } from '../../src/base/problem'
import { authorize, type Grant } from '../../src/inference/authorize'
import { forward, type ForwardDeps, type UpstreamAnswer } from '../../src/inference/forward'
import { createHedgeBudget } from '../../src/inference/hedge'
import { operations } from '../../src/inference/operations'
import { parseCall, type Call } from '../../src/inference/read-call'
import { createAccountWatch } from '../../src/routing/account-watch'
import type { Backend } from '../../src/routing/backend'
import { createBackendHealth } from '../../src/routing/health'
import { createBackendLoad, type LoadHold } from '../../src/routing/load'
import type { ModelAlias, TenantSnapshot } from '../../src/tenants/snapshot'

/** The real parts of forwarding, put together without a host: sockets, health, load and alerts. */
export interface Forwarding {
  readonly deps: ForwardDeps
  readonly alerts: string[]
  readonly holds: LoadHold[]
  readonly hedged: number[]
  send(candidates: readonly Backend[], more?: SendOptions): Promise<UpstreamAnswer>
  close(): Promise<void>
}

export interface SendOptions {
  readonly tenant?: `ten_${string}`
  readonly stream?: boolean
  readonly operation?: 'chat.completions' | 'audio.speech'
  readonly hedge?: ModelAlias['hedge']
  readonly restMs?: number | undefined
  readonly ageMs?: number
  readonly signal?: AbortSignal
  /** As backends are told it. */
  readonly callId?: string
}

export function forwarding(clock: Clock = systemClock): Forwarding {
  const alerts: string[] = []
  const holds: LoadHold[] = []
  const hedged: number[] = []
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  const upstream = createUpstreamHttp()
  const deps: ForwardDeps = {
    upstream,
    credentials: { headerOf: () => undefined },
    health: createBackendHealth(clock),
    load: createBackendLoad(clock),
    accounts: createAccountWatch({
      alerts: {
        raise: async ({ id }) => void alerts.push(`raised ${id}`),
        resolve: async (id) => void alerts.push(`resolved ${id}`),
      },
      clock,
      log,
    }),
    hedges: createHedgeBudget(),
    clock,
    log,
  }
  return {
    deps,
    alerts,
    holds,
    hedged,
    send: (
      candidates,
      {
        tenant = 'ten_a',
        stream = false,
        operation = 'chat.completions',
        hedge,
        restMs,
        ageMs = 0,
        signal,
        callId = 'call_test',
      } = {},
    ) => {
      const { call, grant } = granted({ tenantId: tenant, stream, operation, hedge })
      return forward(deps, {
        call,
        grant,
        candidates,
        restMs,
        tokens: { promptTokens: 10, outputTokens: 20 },
        callId,
        signal,
        running: {
          ageMs,
          uses: (hold) => void holds.push(hold),
          hedged: (tokens) => void hedged.push(tokens),
          tried: () => {},
        },
      })
    },
    close: () => upstream.close(),
  }
}

function granted({
  tenantId,
  stream,
  operation: name,
  hedge,
}: Pick<SendOptions, 'hedge'> & Required<Pick<SendOptions, 'stream' | 'operation'>> & { tenantId: `ten_${string}` }): {
  call: Call
  grant: Grant
} {
  const operation = operations.find((one) => one.name === name)
  if (!operation) throw new Error(`there is no ${name}`)
  const body = { model: 'chat', messages: [{ role: 'user', content: 'Hello' }], stream, input: 'Hello' }
  const target = { kind: 'call', operation, family: 'v1', deployment: undefined, apiVersion: undefined } as const
  const call = parseCall(target, Buffer.from(JSON.stringify(body)))
  if (call instanceof Problem) throw new Error(call.public)
  const alias: ModelAlias = {
    name: 'chat',
    model: 'gpt-4.1-mini',
    capabilities: ['chat', 'speech'],
    groups: [],
    outputTokensMax: 100,
    outputTokensField: 'max_tokens',
    ...(hedge ? { hedge } : {}),
  }
  const tenant = { tenantId, aliases: { chat: alias }, settings: {} } as unknown as TenantSnapshot
  const caller = { tenantId, aliases: undefined } as unknown as Parameters<typeof authorize>[1]
  const grant = authorize(tenant, caller, call)
  if (grant instanceof Problem) throw new Error(grant.public)
  return { call, grant }
}

/** What a client would have got of a stream. */
export async function textOf(answer: UpstreamAnswer): Promise<string> {
  if (answer.kind === 'whole') return answer.body.toString()
  if (answer.kind === 'failed') return answer.problem.code
  const pieces = [answer.first]
  for (let piece = await answer.rest.next(); piece; piece = await answer.rest.next()) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}
