import type { ServerResponse } from 'node:http'
import { createUpstreamHttp } from '../../src/azure/upstream-http'
import { systemChance } from '../../src/base/chance'
import { createIdMaker, type CallId, type ResponseId, type TenantId } from '../../src/base/ids'
import { createLateUsage, type LateUsage } from '../../src/metering/late-usage'
import { createPriceBook } from '../../src/metering/price-book'
import { createAccountResponses } from '../../src/responses/account-responses'
import { assembleResponses, responseStorage } from '../../src/responses/assemble-responses'
import { createEndResponse } from '../../src/responses/end-response'
import { createFollowUp } from '../../src/responses/follow-up'
import { createHeldResponses } from '../../src/responses/held-responses'
import { createOpenResponses } from '../../src/responses/open-responses'
import { holderOf, RESPONSE_KEPT_MS, type ResponseRecord } from '../../src/responses/response-record'
import { createResponseStore } from '../../src/responses/response-store'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { scriptedBackend } from '../inference/scripted-backend'
import { silentLog } from '../metering/read-all'
import { freshUsage, report } from '../usage/usage-fixtures'

/** What an account answers about one of its responses. */
export type Account = (response: ServerResponse, method: string, upstreamId: string) => void

/** Stored responses on Azurite with an account that a test plays, without a host. */
export async function responseWorld(nowMs: number, account: Account) {
  const usage = await freshUsage(nowMs)
  const { storage, clock } = usage
  await storage.ensure(responseStorage)
  const asked: string[] = []
  const server = await scriptedBackend('m', (response, request) => {
    const [, , upstreamId = '', action = ''] = (request.url ?? '').split('/')
    asked.push(`${request.method} ${upstreamId}${action && `/${action}`}`)
    account(response, request.method ?? '', upstreamId)
  })
  const upstream = createUpstreamHttp()
  const ids = createIdMaker({ clock, chance: systemChance() })
  const late = createLateUsage({ storage, clock })
  const store = createResponseStore(tenantTable(storage.table('responses')))
  const open = createOpenResponses(platformTable(storage.table('openresponses')))
  const credentials = { headerOf: () => undefined }
  const { costOf } = createPriceBook()

  /** One process of the platform; `lateUsage` may be made to die. */
  const process = (lateUsage: Pick<LateUsage, 'record'> = late) => {
    const accounts = createAccountResponses({ upstream, credentials, backends: () => new Map(), clock })
    const end = createEndResponse({ store, open, lateUsage, costOf, clock })
    const held = createHeldResponses({ store, open, accounts, end })
    return { end, held, followUp: createFollowUp({ store, open, held, end, clock, log: silentLog }) }
  }
  const parts = { storage, upstream, credentials, backends: () => new Map(), lateUsage: late, costOf, ids, clock }

  const begin = async (scope: TenantScope, more: Partial<ResponseRecord> = {}): Promise<ResponseRecord> => {
    const record = recordOf(scope, ids.responseId(), {
      holder: holderOf(server.backend),
      createdAt: clock.now(),
      ...more,
    })
    await store.add(scope, record)
    await open.add({ tenantId: scope.tenantId, id: record.id })
    return record
  }
  return {
    ...process(),
    ofTenant: assembleResponses({ ...parts, log: silentLog }).ofTenant,
    process,
    late,
    store,
    open,
    clock,
    asked,
    begin,
    scope: () => TenantScope.ofPlatform(ids.tenantId()),
    usageOf: async ({ tenantId }: TenantScope) => {
      const day = { from: iso(nowMs - DAY_MS), to: iso(clock.now() + DAY_MS) }
      return (await report(usage, tenantId, day)).totals
    },
    close: async () => {
      await Promise.all([server.close(), upstream.close(), late.close()])
    },
  }
}

const DAY_MS = 24 * 3_600_000
/** The hour in which a query's span begins. */
const iso = (atMs: number) => new Date(Math.floor(atMs / 3_600_000) * 3_600_000).toISOString()

function recordOf(
  { tenantId }: { tenantId: TenantId },
  id: ResponseId,
  more: Pick<ResponseRecord, 'holder' | 'createdAt'> & Partial<ResponseRecord>,
): ResponseRecord {
  const callId: CallId = `call_${id.slice('resp_'.length)}`
  return {
    id,
    upstreamId: `up${id.slice('resp_'.length)}`,
    alias: 'chat',
    model: 'gpt-4.1-mini',
    by: 'key_a',
    meteredOn: tenantId,
    requestId: callId,
    expiresAt: more.createdAt + RESPONSE_KEPT_MS,
    renames: [],
    status: 'queued',
    tokens: 100,
    estimate: { prompt: 40, total: 100 },
    itemIds: [],
    metering: { kind: 'open' },
    ...more,
  }
}

/** An account where every response is as far as `status` says, and deleted ones are gone. */
export function accountOf(status: () => string): Account {
  const gone = new Set<string>()
  return (response, method, upstreamId) => {
    const json = (code: number, body: object) =>
      response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (gone.has(upstreamId)) return json(404, { error: { message: 'not found' } })
    if (method === 'DELETE') gone.add(upstreamId)
    const isOver = status() === 'completed'
    const usage = isOver ? { input_tokens: 30, output_tokens: 12, total_tokens: 42 } : null
    return json(200, {
      id: upstreamId,
      object: 'response',
      status: status(),
      output: [{ id: `msg_${upstreamId}` }],
      usage,
    })
  }
}
