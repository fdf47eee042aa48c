import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { TenantScope } from '../storage/tenant-scope'
import type { WatchedTenants } from './watched-tenants'
import { defaultPolicy, type Objective, type SlaPolicy } from './objective'

/** What each tenant is promised, and was. */
export interface Policies {
  /** Version 0 is the default, which nobody has set. */
  policy(scope: TenantScope): Promise<StoredPolicy>
  /** From now on; what held until now is remembered. `expects` is asked about the version that would be replaced. */
  putPolicy(
    scope: TenantScope,
    policy: SlaPolicy,
    expects: (version: number) => boolean,
  ): Promise<StoredPolicy | Problem>
}

export interface StoredPolicy extends SlaPolicy {
  readonly version: number
  /** Those before it, the oldest first, each with when it ended, Unix milliseconds; absent where there was none. */
  readonly before?: readonly (SlaPolicy & { readonly until: number })[] | undefined
}

const POLICY = 'policy'
/** Of the policies before; of a month that far back there is a frozen report. */
const BEFORE_MAX = 50

const changedMeanwhile = new Problem(
  'precondition_failed',
  'The objectives were changed since the version in If-Match. Read them again and repeat the change on what you find.',
)

export function createPolicies({
  rows,
  clock,
  watched,
}: {
  rows: TenantTable<Columns>
  clock: Clock
  watched: Pick<WatchedTenants, 'note'>
}): Policies {
  const read = async (scope: TenantScope) => {
    const row = await rows.get(scope, POLICY)
    const stored: StoredPolicy = row ? fromJsonColumns(row.columns) : { version: 0, ...defaultPolicy }
    return { row, stored }
  }
  return {
    policy: async (scope) => (await read(scope)).stored,
    putPolicy: async (scope, policy, expects) => {
      const { row, stored } = await read(scope)
      const { version, objectives, before = [] } = stored
      if (!expects(version)) return changedMeanwhile
      const next: StoredPolicy = {
        ...policy,
        version: version + 1,
        before: [...before, { objectives, until: clock.now() }].slice(-BEFORE_MAX),
      }
      const columns = toJsonColumns(next)
      const result = await (row ? rows.replace(scope, POLICY, columns, row.etag) : rows.insert(scope, POLICY, columns))
      if (result.kind === 'lost-race') return changedMeanwhile
      // The timer remembers for minutes what a quiet tenant is promised, and judges by this from its next look on.
      await watched.note(scope.tenantId)
      return next
    },
  }
}

/** What was promised at a time, Unix milliseconds: nobody promises less, or more, for a time that is over. Pure. */
export const objectivesAt = ({ objectives, before = [] }: StoredPolicy, atMs: number): readonly Objective[] =>
  (before.find(({ until }) => until > atMs) ?? { objectives }).objectives
