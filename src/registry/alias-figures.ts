import { parseBackendId } from '../base/ids'
import { Problem } from '../base/problem'
import type { TenantScope } from '../storage/tenant-scope'
import type { BackendFigures } from './judge-route'

/** What the usage log says of one alias, by backend, of the whole minutes in a span (Unix milliseconds). */
export type AliasFigures = (
  scope: TenantScope,
  alias: string,
  span: { readonly fromMs: number; readonly toMs: number },
) => Promise<readonly BackendFigures[]>

/** The roll-up's answer, as far as it is read here. */
export interface UsageByBackend {
  readonly rows: readonly {
    readonly alias?: string
    readonly backend?: string | null
    readonly outcome?: string
    readonly calls: number
    readonly latencyMs: number
  }[]
}

export type UsageOf = (scope: TenantScope, query: Readonly<Record<string, string>>) => Promise<UsageByBackend | Problem>

/**
 * Figures of live calls from the roll-ups of the usage log, which every instance writes to: no instance's own view, and nothing that a
 * call would have to write besides.
 */
export const createAliasFigures =
  (usageOf: UsageOf): AliasFigures =>
  async (scope, alias, { fromMs, toMs }) => {
    const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()]
    const report = await usageOf(scope, { from, to, groupBy: 'alias,backend,outcome' })
    if (report instanceof Problem) throw new Error(`usage by backend cannot be read: ${report.public}`)
    return report.rows.flatMap((row) => {
      const backendId = parseBackendId(row.backend ?? '')
      if (row.alias !== alias || !backendId) return []
      const isFailed = row.outcome === 'failed' || row.outcome === 'interrupted'
      return [{ backendId, calls: row.calls, failed: isFailed ? row.calls : 0, latencyMs: row.latencyMs }]
    })
  }
