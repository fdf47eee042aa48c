import type { BackendCredentials } from '../azure/backend-credentials'
import type { UpstreamHttp } from '../azure/upstream-http'
import type { Clock } from '../base/clock'
import type { IdMaker } from '../base/ids'
import type { Log } from '../base/log'
import type { Files } from '../files/files'
import type { BackendLookup } from '../inference/send-call'
import type { LateUsage } from '../metering/late-usage'
import type { PriceBook } from '../metering/price-book'
import type { StorageAccount } from '../storage/connect'
import { platformTable } from '../storage/platform-table'
import { tenantTable } from '../storage/tenant-table'
import { createAccountResponses } from './account-responses'
import { createBind } from './bind-references'
import { createEndResponse } from './end-response'
import { createFollowUp } from './follow-up'
import { createHeldResponses } from './held-responses'
import { createOpenResponses } from './open-responses'
import { createResponseOperations } from './response-operations'
import { createResponseStore } from './response-store'
import { createTenantResponses } from './tenant-responses'

/** The second has rows of the platform, whose keys begin with tenants. */
export const responseStorage = { tables: ['responses', 'openresponses'] } as const

export interface ResponseParts {
  readonly storage: StorageAccount
  readonly upstream: UpstreamHttp
  readonly credentials: BackendCredentials
  readonly backends: () => BackendLookup | Promise<BackendLookup>
  readonly lateUsage: LateUsage
  readonly costOf: PriceBook['costOf']
  readonly ids: Pick<IdMaker, 'responseId'>
  readonly clock: Clock
  readonly log: Log
}

/** Everything of stored responses, put together. */
export function assembleResponses(parts: ResponseParts) {
  const { storage } = parts
  const [table, openTable] = responseStorage.tables
  const store = createResponseStore(tenantTable(storage.table(table)))
  const open = createOpenResponses(platformTable(storage.table(openTable)))
  const accounts = createAccountResponses(parts)
  const end = createEndResponse({ ...parts, store, open })
  const held = createHeldResponses({ store, open, accounts, end })
  const deps = { ...parts, store, open, accounts, end, held }
  return {
    /** Files are assembled later, by whoever keeps what is the tenant's own. */
    bindWith: (files: Pick<Files, 'stage'>) => createBind({ ...deps, files }),
    operations: createResponseOperations(deps),
    followUp: createFollowUp(deps),
    ofTenant: createTenantResponses({ ...deps, rowsOf: ({ tenantId }) => storage.rowsInPartition(table, tenantId) }),
  }
}
