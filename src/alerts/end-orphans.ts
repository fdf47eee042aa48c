import type { TenantId } from '../base/ids'
import type { AlertKind } from './alert-kinds'
import type { Alerts } from './alerts'

/**
 * States of a tenant that whoever watches it ends, and that nobody watches once it is gone. Alerts of what a tenant left behind are not
 * among them: that is still to be mended.
 */
const endWithTenant: ReadonlySet<AlertKind> = new Set<AlertKind>(['sla-incident', 'noisy-neighbour', 'budget-unpriced'])

const PAGE_ALERTS = 100

export interface EndOrphansDeps {
  readonly alerts: Pick<Alerts, 'page' | 'resolve'>
  /** Undefined for one that is gone. */
  readonly tenantOf: (tenantId: TenantId) => object | undefined | Promise<object | undefined>
}

/** Ends alerts of tenants that are gone, which would stay open for good; how many. An operators' reader across tenants (I4), of alerts alone. */
export async function endOrphans({ alerts, tenantOf }: EndOrphansDeps): Promise<number> {
  let ended = 0
  let after: string | undefined
  for (;;) {
    const page = await alerts.page({ after, limit: PAGE_ALERTS })
    for (const { id, kind, tenantId, state } of page) {
      // What is over stands behind all that is not.
      if (state === 'resolved') return ended
      if (tenantId === undefined || !endWithTenant.has(kind) || (await tenantOf(tenantId))) continue
      await alerts.resolve(id, 'The tenant is gone.')
      ended += 1
    }
    after = page.at(-1)?.cursor
    if (page.length < PAGE_ALERTS) return ended
  }
}
