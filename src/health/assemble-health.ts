import type { SmallHttp } from '../azure/small-http'
import type { Clock } from '../base/clock'
import type { InstanceId } from '../base/ids'
import type { WatchedUsageLog } from '../metering/usage-log'
import type { Backends } from '../routing/backends'
import type { BackendHealth } from '../routing/health'
import type { Columns, PartitionTable } from '../storage/partition-table'
import { lookAtBackends, type BackendsFound } from './look-at-backends'
import { sound, type Found } from './part'
import { createReadiness, type Readiness, type ReadinessView } from './readiness'

export interface Health {
  readonly readiness: Readiness
  /** For operators. */
  show(): Promise<InstanceHealth>
}

/** How the instance that is asked stands. The others each know for themselves. */
export interface InstanceHealth extends ReadinessView {
  readonly instanceId: InstanceId
  readonly version: string
  /** The platform's own; undefined where they could not be read. */
  readonly backends: BackendsFound | undefined
}

export interface HealthDeps {
  /** Any table that there is from the start. */
  readonly rows: Pick<PartitionTable<Columns>, 'get'>
  readonly usageLog: Pick<WatchedUsageLog, 'behind'>
  readonly backends: Pick<Backends, 'all'>
  readonly standings: Pick<BackendHealth, 'standing'>
  /** Absent where a key file wraps. */
  readonly reachVault: (() => Promise<void>) | undefined
  /** Absent where no Entra tokens are taken. */
  readonly signIn: { readonly authority: string; readonly http: Pick<SmallHttp, 'send'> } | undefined
  readonly isStopping: () => boolean
  readonly instanceId: InstanceId
  readonly version: string
  readonly clock: Clock
}

export function assembleHealth(deps: HealthDeps): Health {
  const { rows, usageLog, backends, standings, reachVault, signIn, isStopping, instanceId, version, clock } = deps
  const lookAtPool = async () => lookAtBackends((await backends.all()).values(), (id) => standings.standing(id))
  const readiness = createReadiness({
    looks: {
      // That there is no such row is an answer too.
      storage: () => rows.get('health').then(() => sound),
      'usage-log': () => (usageLog.behind === undefined ? sound : { state: 'failing', why: usageLog.behind }),
      backends: async () => (await lookAtPool()).found,
      ...(reachVault ? { 'key-vault': () => reachVault().then(() => sound) } : {}),
      ...(signIn ? { 'sign-in': () => lookAtSignIn(signIn) } : {}),
    },
    isStopping,
    clock,
  })
  return {
    readiness,
    show: async () => {
      const view = await readiness.look()
      // That they cannot be read is told by their part.
      const found = await lookAtPool().catch(() => undefined)
      return { ...view, instanceId, version, backends: found }
    },
  }
}

/** The keys that verify tokens. Those that an instance has, it keeps for a day: new ones are what it would miss. */
async function lookAtSignIn({ authority, http }: NonNullable<HealthDeps['signIn']>): Promise<Found> {
  const { status } = await http.send({ method: 'GET', url: `${authority}/common/discovery/v2.0/keys` })
  return status === 200 ? sound : { state: 'failing', why: `status ${status}` }
}
