import { parseBackendId } from '../base/ids'
import type { TenantScope } from '../storage/tenant-scope'
import type { BackendFigures } from './judge-route'

/** What the usage log says of one alias, by backend, of the whole minutes in a span (Unix milliseconds). */
export type AliasFigures = (
  scope: TenantScope,
  alias: string,
  span: { readonly fromMs: number; readonly toMs: number },
) => Promise<readonly BackendFigures[]>

/** A row of the roll-up's answer, as far as it is read here. */
export interface UsageByBackend {
  readonly alias?: string
  readonly backend?: string | null
  readonly outcome?: string
  readonly calls: number
  readonly latencyMs: number
}

/** All rows of a query of usage, however many pages they are. */
export type UsageRowsOf = (scope: TenantScope, query: Readonly<Record<string, string>>) => AsyncIterable<UsageByBackend>

/**
 * Figures of live calls from the roll-ups of the usage log, which every instance writes to: no instance's own view, and nothing that a
 * call would have to write besides.
 */
export const createAliasFigures =
  (usageRowsOf: UsageRowsOf): AliasFigures =>
  async (scope, alias, { fromMs, toMs }) => {
    const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()]
    const figures: BackendFigures[] = []
    for await (const row of usageRowsOf(scope, { from, to, groupBy: 'alias,backend,outcome' })) {
      const backendId = parseBackendId(row.backend ?? '')
      if (row.alias !== alias || !backendId) continue
      const isFailed = row.outcome === 'failed' || row.outcome === 'interrupted'
      figures.push({ backendId, calls: row.calls, failed: isFailed ? row.calls : 0, latencyMs: row.latencyMs })
    }
    return figures
  }
