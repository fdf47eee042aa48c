/** The part of the composition that compares with the provider and looks after what grows old. */
import type { TokenCredential } from '@azure/core-auth'
import type { Keys } from './access/keys'
import type { Alerts } from './alerts/alerts'
import { endOrphans } from './alerts/end-orphans'
import { createRemoveOldAlerts } from './alerts/remove-old-alerts'
import { createArm } from './azure/arm-client'
import type { SecretAges } from './azure/secret-store'
import type { SmallHttp } from './azure/small-http'
import type { Chance } from './base/chance'
import type { Clock } from './base/clock'
import type { TenantId } from './base/ids'
import type { Log } from './base/log'
import type { WrappingKey } from './base/wrapping-key'
import type { BudgetWarnings } from './budgets/budget-warnings'
import type { Config } from './config'
import type { TenantKeyring } from './encryption/sealer'
import type { Timers } from './functions/timers'
import { assembleHousekeeping } from './housekeeping/assemble-housekeeping'
import type { HeldSecret } from './housekeeping/watch-rotation'
import type { ControlPlane } from './http/control-plane'
import { idempotencyBegunAt } from './http/idempotency'
import type { Notifications } from './notifications/notice'
import { assembleReconciliation } from './reconciliation/assemble-reconciliation'
import type { OurCountsDeps } from './reconciliation/our-counts'
import type { Backends } from './routing/backends'
import type { Stamps } from './stamps/stamps'
import type { StorageAccount } from './storage/connect'
import { platformTable } from './storage/platform-table'
import { allStorageNeeds } from './storage-needs'
import type { TenantSnapshot } from './tenants/snapshot'
import { queryUsage } from './usage/query-usage'
import type { RollUp } from './usage/run-roll-up'
import { createSpentByLog } from './usage/spent-by-log'

export interface HousekeepingParts extends OurCountsDeps {
  readonly config: Config
  readonly storage: StorageAccount
  /** Whom the platform is to Azure. */
  readonly identity: TokenCredential
  readonly smallHttp: SmallHttp
  readonly backends: Backends
  readonly stamps: Stamps
  readonly keys: Keys
  readonly secrets: SecretAges
  readonly keyring: TenantKeyring
  readonly wrappingKey: WrappingKey
  readonly rollUp: Pick<RollUp, 'run'>
  readonly budgetWarnings: BudgetWarnings
  readonly alerts: Alerts
  readonly notifications: Notifications
  readonly tenantIds: () => AsyncIterable<TenantId>
  readonly tenantOf: (tenantId: TenantId) => TenantSnapshot | undefined | Promise<TenantSnapshot | undefined>
  readonly clock: Clock
  readonly chance: Chance
  readonly log: Log
}

export function composeHousekeeping(parts: HousekeepingParts) {
  const { config, storage, log } = parts
  const arm = createArm({ ...config.arm, identity: parts.identity, http: parts.smallHttp })
  const reconciliation = assembleReconciliation({ ...parts, arm })
  // The walk over budgets rolls up once, before it asks for the first.
  const asRolledUp = { storage, clock: parts.clock, rollUp: { run: async () => {} } }
  const housekeeping = assembleHousekeeping({
    ...parts,
    freshen: () => parts.rollUp.run({ fresh: true }),
    spentByLog: createSpentByLog((scope, query) => queryUsage(asRolledUp, scope, query)),
    held: heldSecrets(config),
    pepper: config.keyPepper,
    queues: allStorageNeeds.queues,
    begunAt: idempotencyBegunAt,
    removeOldAlerts: createRemoveOldAlerts(platformTable(storage.table('alerts'))),
    reconciliation: reconciliation.store,
  })
  return {
    controlPlane: {
      showReconciliation: reconciliation.show,
      showHousekeeping: housekeeping.show,
    } satisfies Partial<ControlPlane>,
    timers: {
      'reconcile-usage': async () => {
        const rows = await reconciliation.reconcile()
        if (rows > 0) log.info('usage was compared with the provider’s figures', { rows })
      },
      'keep-house': async (orchestrations) => {
        await housekeeping.keepHouse(orchestrations)
        const ended = await endOrphans(parts)
        if (ended > 0) log.info('alerts of tenants that are gone were ended', { ended })
      },
      'watch-key-expiry': async () => {
        const told = await housekeeping.watchKeyExpiry()
        if (told > 0) log.info('tenants were told of keys that end', { told })
      },
      'watch-budgets': async () => {
        await housekeeping.watchBudgets()
      },
      'watch-rotation': async () => {
        const due = await housekeeping.watchRotation()
        if (due > 0) log.info('keys and secrets are due to be rotated', { due })
      },
    } satisfies Partial<Timers>,
  }
}

/** What the settings hold and somebody should replace from time to time. Operators’ tokens are there as hashes, which name them. */
function heldSecrets({ backendKeys, operatorTokens, application }: Config): readonly HeldSecret[] {
  return [
    ...Object.entries(backendKeys).map(([name, value]) => ({ kind: 'backend-key', name, value }) as const),
    ...operatorTokens.map(
      ({ hash, role }) =>
        ({ kind: 'operator-token', name: `${role} ${hash.slice(0, HASH_CHARACTERS)}`, value: hash }) as const,
    ),
    ...(application?.secret === undefined
      ? []
      : [{ kind: 'application-secret', name: 'AZURE_CLIENT_SECRET', value: application.secret } as const]),
  ]
}

/** Enough to tell operators’ tokens apart. */
const HASH_CHARACTERS = 8
