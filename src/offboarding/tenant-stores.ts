/** The registry of what tenants have, in one file since it is one list: a store that stands elsewhere would be forgotten. */
import { removeTenantAlerts } from '../alerts/remove-tenant-alerts'
import type { Directories } from '../access/directories'
import { INVOICES_KEPT_YEARS } from '../billing/remove-old-invoices'
import type { SecretStore } from '../azure/secret-store'
import type { TenantBatches } from '../batches/tenant-batches'
import type { TenantSharedModels } from '../shared-models/tenant-shared-models'
import { createTenantSla } from '../sla/tenant-sla'
import { slaStorage } from '../sla/sla-store'
import type { TenantTuning } from '../tuning/tenant-tuning'
import type { TenantResponses } from '../responses/tenant-responses'
import { capacityStoreIn } from '../capacity/assemble-capacity'
import { capacityTable } from '../capacity/capacity-store'
import type { Removal } from '../checklists/removal'
import type { TenantKeyring } from '../encryption/sealer'
import type { Copies } from '../files/copies'
import type { DataPlaces } from '../provisioning/data-places'
import type { TenantModels } from '../provisioning/tenant-models'
import { createNeighbourStore, neighbourStorage, neighbourTable } from '../neighbours/neighbour-store'
import { outboxRowsIn } from '../notifications/assemble-notifications'
import { removeOutboxOf } from '../notifications/forget-notice'
import type { StorageAccount } from '../storage/connect'
import { placeStorage, type Places } from '../storage/places'
import { platformTable } from '../storage/platform-table'
import { tenantDataTables } from '../storage/tenant-data'
import { TenantScope } from '../storage/tenant-scope'
import { tenantTable, type Columns } from '../storage/tenant-table'
import { validationLimitsId } from '../tenants/canary'
import type { Tenants } from '../tenants/tenants'
import type { Offboarding } from './offboardings'
import type { RetainedData, StorageNames, TenantStore } from './tenant-store'

/** Tables whose partition is the tenant and which nobody but their slice knows more about, in the order of emptying. */
const partitions = [
  'hosting',
  'usagereports',
  'budgets',
  'idempotency',
  'keys',
  'members',
  'audit',
  'recovery',
] as const

const removed: Removal = { kind: 'removed' }

/** The registry: everything that holds data of tenants. A slice that keeps more fails a test until it is entered. */
export interface TenantStores {
  /** What the tenant had. */
  readonly data: readonly TenantStore[]
  /** Its data key: whatever of its content is left anywhere, in a backup too, does not open after this. */
  readonly dataKey: TenantStore
  /** That it was there, and where its data lay: last, since the others are found by it. */
  readonly record: TenantStore
}

export function tenantStores({
  storage,
  places,
  dataPlaces,
  directories,
  models,
  secrets,
  keyring,
  fileCopies,
  batches,
  responses,
  tuning,
  sharedModels,
  tenants,
  elsewhere = [],
}: {
  storage: StorageAccount
  places: Places
  dataPlaces: DataPlaces
  directories: Directories
  models: TenantModels
  secrets: SecretStore
  keyring: TenantKeyring
  fileCopies: Pick<Copies, 'removeAll' | 'count'>
  batches: TenantBatches
  responses: TenantResponses
  tuning: TenantTuning
  sharedModels: TenantSharedModels
  tenants: Tenants
  /** What other accounts have of tenants. */
  elsewhere?: readonly TenantStore[]
}): TenantStores {
  return {
    data: [
      ...elsewhere,
      // Before its ledger goes, which lies among its sealed records.
      sharedModelStore(sharedModels),
      // First of what lies at accounts: by what lies among its sealed records its models at accounts are found.
      tuningStore(tuning),
      // Before the backends and secrets by which the accounts that have them are reached.
      fileCopyStore(storage, fileCopies),
      batchStore(batches),
      responseStore(responses),
      dataPlaceStore(dataPlaces),
      directoryStore(directories),
      modelStore(models),
      secretStore(secrets),
      limitStore(storage),
      capacityStore(storage),
      slaStore(storage),
      neighbourStore(storage),
      alertStore(storage),
      notificationStore(storage),
      ...partitions.map((name) => partitionStore(storage, name)),
    ],
    dataKey: {
      name: 'versions of the data key',
      holds: { tables: ['datakeys'] },
      remove: async (scope) => {
        await keyring.destroy(scope)
        return removed
      },
      census: async (scope) => (await keyring.versions(scope)).length,
    },
    record: {
      name: 'record, snapshot, place and directory entry',
      holds: { tables: ['tenants', 'tenantdirectory', 'tenantplaces'] },
      remove: async (scope) => {
        await places.forget(scope)
        await tenants.remove(scope)
        return removed
      },
      census: async (scope) =>
        (await storage.rowsInPartition('tenants', scope.tenantId)) +
        (await storage.rowsInPartition('tenantplaces', scope.tenantId)) +
        (await storage.platformRowsUnder('tenantdirectory', scope.tenantId)),
    },
  }
}

/** They have ended before: the freeze waits for their checklists, which call back what runs of a tenant that goes. */
const batchStore = (batches: TenantBatches): TenantStore => ({
  name: 'batches and their turns',
  holds: { tables: ['batches'] },
  census: batches.census,
  remove: async (scope) => {
    await batches.remove(scope)
    return removed
  },
})

/** What is usual of it, and what it was found to do to others. Where others were found, its name goes with their findings, in hours. */
function neighbourStore(storage: StorageAccount): TenantStore {
  const table = partitionStore(storage, neighbourTable)
  return {
    name: 'normals, noisy policy and findings',
    holds: neighbourStorage,
    remove: async (scope) => {
      await createNeighbourStore(storage).removeFindings(scope)
      return table.remove(scope)
    },
    census: async (scope) =>
      (await table.census(scope)) + (await storage.platformRowsUnder(neighbourTable, scope.tenantId)),
  }
}

/** With the copies of its incidents in operators' list of all. */
const slaStore = (storage: StorageAccount): TenantStore => ({
  name: 'objectives, incidents and reports',
  holds: slaStorage,
  ...createTenantSla(storage),
})

/** Jobs have ended before, as batches have. What is known of them and of models lies among the sealed records. */
const tuningStore = (tuning: TenantTuning): TenantStore => ({
  name: 'tuned models, their deployments and jobs',
  holds: {},
  census: tuning.census,
  remove: tuning.remove,
})

/** As an objection to every purpose: models with its examples in them are made anew without. */
const sharedModelStore = (sharedModels: TenantSharedModels): TenantStore => ({
  name: 'part in shared models',
  holds: { tables: ['sharedparts'] },
  census: sharedModels.census,
  remove: sharedModels.remove,
})

const RESPONSES_AGAIN_MS = 5_000

/** With the responses themselves, which the accounts that made them keep. */
const responseStore = (responses: TenantResponses): TenantStore => ({
  name: 'stored responses, at their accounts and here',
  holds: { tables: ['responses', 'openresponses'] },
  census: responses.census,
  remove: async (scope) =>
    (await responses.remove(scope)) ? removed : { kind: 'not-yet', againAfterMs: RESPONSES_AGAIN_MS },
})

/** Tables in which there is nothing of any tenant. The sweep looks through them all the same. */
export const withoutTenants: StorageNames = {
  // Of lanes and turns the rows are deployments' and accounts': tenants' turns are removed with their batches and jobs.
  tables: [
    'batchlanes',
    'tuningturns',
    'stamps',
    'registrations',
    'sharedmodels',
    'signingkeys',
    'usageblobs',
    'housekeeping',
    'accountkeys',
  ],
}

const retainedAlways: readonly RetainedData[] = [
  {
    what: 'Sums of usage by minute, hour and day, and the usage log',
    why: 'Numbers and ids for bills that were or will be made; they never held content.',
    holds: { tables: ['usageminutes', 'usagedays'], containers: ['usage-log', 'usage-archive'] },
  },
  {
    what: 'What the provider counted at its deployments, for 93 days',
    why: 'Numbers beside the platform’s own, by which bills can be checked for as long as the provider keeps them.',
    holds: { tables: ['reconciliation'] },
  },
  {
    what: `Invoices, and the plans, credits and daily sums that they were made of, for ${INVOICES_KEPT_YEARS} years`,
    why: 'Tax law wants invoices kept, with what shows how they came to be. Numbers, ids, names of aliases and models, and the name that was billed.',
    holds: { tables: ['billing'] },
  },
  {
    what: 'The tombstone of this offboarding, and the platform’s own audit log',
    why: 'They prove who had the tenant deleted, when, and what was deleted.',
    holds: { tables: ['offboardings'] },
  },
  {
    what: 'Alerts about it that operators alone saw, and what they were told of them',
    why: 'Ids and numbers of how the platform ran, among those of others. They go when they are old, as every alert does.',
    holds: {},
  },
  {
    what: 'Shared models that examples of it helped train, where it had consented to that',
    why: 'They were made of several tenants’ examples without what identifies anybody. Each is marked, made anew without it, and deleted within 90 days.',
    holds: {},
  },
]

/** What stays of this tenant. Nothing else may: the sweep looks through everything that is not named here. */
export const retainedOf = ({ export: made }: Pick<Offboarding, 'export'>): readonly RetainedData[] =>
  made ? [...retainedAlways, exportUntil(made.until)] : retainedAlways

const exportUntil = (untilMs: number): RetainedData => ({
  what: `The encrypted export, until ${new Date(untilMs).toISOString()}`,
  why: 'It is the tenant’s to fetch, and is deleted with its key at that time.',
  holds: { containers: ['exports'] },
})

/** Whatever place the tenant's is by now: a move that broke off may have left something in another. */
const dataPlaceStore = (dataPlaces: DataPlaces): TenantStore => ({
  name: 'sealed records and blobs',
  holds: { tables: tenantDataTables, containers: placeStorage.containers },
  census: dataPlaces.census,
  remove: dataPlaces.releaseAll,
})

/** Copies of its files at accounts, and what is known of its files besides their content. */
function fileCopyStore(storage: StorageAccount, copies: Pick<Copies, 'removeAll' | 'count'>): TenantStore {
  const table = partitionStore(storage, 'files')
  return {
    ...table,
    name: 'copies of files at model accounts',
    remove: async (scope) => {
      const gone = await copies.removeAll(scope)
      return gone.kind === 'gone' ? table.remove(scope) : { kind: 'not-yet', againAfterMs: gone.againMs }
    },
  }
}

function directoryStore(directories: Directories): TenantStore {
  return {
    name: 'links to Entra directories',
    holds: { tables: ['directories'] },
    census: async (scope) => (await directories.list(scope)).length,
    remove: async (scope) => {
      for (const { directoryId } of await directories.list(scope)) await directories.unlink(scope, directoryId)
      return removed
    },
  }
}

/** Backends that are its alone, with the deployments and accounts that were made for it. */
const modelStore = (models: TenantModels): TenantStore => ({
  name: 'backends of its own',
  holds: { tables: ['backends'] },
  census: models.census,
  remove: (scope) => models.removeUnused(scope, undefined),
})

/** Credentials that it handed over: in Key Vault, where no sweep of the storage account sees them, or in a table. */
function secretStore(secrets: SecretStore): TenantStore {
  return {
    name: 'secrets that it handed over',
    holds: { tables: ['secrets'] },
    census: async (scope) => (await secrets.remains(scope)).length,
    remove: async (scope) => {
      for (const name of await secrets.remains(scope)) await secrets.remove(scope, name)
      return removed
    },
  }
}

/** What it was told of itself, and whom alerts went to. What operators alone saw of it stays among theirs. */
function alertStore(storage: StorageAccount): TenantStore {
  const table = partitionStore(storage, 'alerts')
  return {
    ...table,
    name: 'alerts that it was shown',
    remove: async (scope) => {
      await removeTenantAlerts(platformTable<Columns>(storage.table('alerts')), scope.tenantId)
      return table.remove(scope)
    },
    census: async (scope) => (await table.census(scope)) + (await storage.platformRowsUnder('alerts', scope.tenantId)),
  }
}

/** With what leads to them in the platform's partition. */
function notificationStore(storage: StorageAccount): TenantStore {
  const table = partitionStore(storage, 'notifications')
  return {
    ...table,
    name: 'notifications',
    remove: async (scope) => {
      await removeOutboxOf(outboxRowsIn(storage), scope)
      return table.remove(scope)
    },
  }
}

/** What was observed and expected of it, with its places among everybody's. */
function capacityStore(storage: StorageAccount): TenantStore {
  const table = partitionStore(storage, capacityTable)
  const store = capacityStoreIn(storage)
  return {
    ...table,
    name: 'forecasts',
    remove: async (scope) => {
      await store.removeRanks(scope.tenantId)
      return table.remove(scope)
    },
    census: async (scope) => (await table.census(scope)) + (await store.countRanks(scope.tenantId)),
  }
}

/** The row that its calls spend from, and the one beside it that its validation spent from. */
function limitStore(storage: StorageAccount): TenantStore {
  const table = partitionStore(storage, 'limits')
  const ofValidation = ({ tenantId }: TenantScope) => TenantScope.ofPlatform(validationLimitsId(tenantId))
  return {
    ...table,
    remove: async (scope) => {
      await table.remove(ofValidation(scope))
      return table.remove(scope)
    },
    census: async (scope) => (await table.census(scope)) + (await table.census(ofValidation(scope))),
  }
}

function partitionStore(storage: StorageAccount, name: string): TenantStore {
  const table = tenantTable<Columns>(storage.table(name))
  return {
    name: `table ${name}`,
    holds: { tables: [name] },
    remove: async (scope: TenantScope) => {
      await table.removeAll(scope)
      return removed
    },
    census: ({ tenantId }) => storage.rowsInPartition(name, tenantId),
  }
}
