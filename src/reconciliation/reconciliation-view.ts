import { z } from 'zod'
import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'
import type { Backends } from '../routing/backends'
import { driftClasses } from './explain-drift'
import { DRIFT_LEAST, DRIFT_SHARE_MAX } from './judge-drift'
import { METRICS_KEPT_MS } from './reconcile-usage'
import { looks, type ComparedRow, type Gap, type ReconciliationStore } from './reconciliation-store'

const DAY_MS = 86_400_000
/** Of one question; days are read one after the other. */
const SPAN_DAYS_MAX = 31

/** By default the last day, all deployments, whether or not both sides agree. */
export interface ReconciliationAsked {
  readonly from?: number | undefined
  /** Exclusive. */
  readonly to?: number | undefined
  readonly deployment?: string | undefined
  readonly drifted?: boolean | undefined
  readonly after?: string | undefined
  readonly limit: number
}

const counted = z.object({ requests: z.int(), promptTokens: z.int(), outputTokens: z.int() })

export const shownReconciliation = z
  .object({
    thresholds: z.object({ share: z.number(), least: counted }),
    rows: z.array(
      z.object({
        hour: z.iso.datetime(),
        account: z.string(),
        deployment: z.string(),
        look: z.enum(looks).meta({ description: 'final: nothing of the hour comes late any more.' }),
        comparedAt: z.iso.datetime(),
        provider: counted,
        platform: counted,
        drift: counted.meta({ description: 'The provider’s figures less the platform’s; the parts add up to it.' }),
        parts: z.array(counted.extend({ class: z.enum(driftClasses) })),
      }),
    ),
    notCompared: z.object({
      accounts: z.array(
        z.object({ account: z.string(), kind: z.string(), detail: z.string(), since: z.iso.datetime() }),
      ),
      ofTenantsDirectories: z.int().meta({ description: 'Backends in accounts of other Entra directories.' }),
      otherServers: z.int().meta({ description: 'Backends that are no Azure OpenAI.' }),
    }),
    next: z.string().optional(),
  })
  .meta({ id: 'Reconciliation' })

/** How the platform's figures compare with the provider's, for operators. */
export type ShowReconciliation = (asked: ReconciliationAsked) => Promise<z.input<typeof shownReconciliation> | Problem>

export function createShowReconciliation({
  store,
  backends,
  clock,
}: {
  store: Pick<ReconciliationStore, 'page' | 'gaps'>
  backends: Pick<Backends, 'all'>
  clock: Clock
}): ShowReconciliation {
  return async ({ from, to, deployment, drifted = false, after, limit }) => {
    const toMs = to ?? clock.now()
    const fromMs = from ?? toMs - DAY_MS
    const fault = spanFault({ fromMs, toMs }, clock.now())
    if (fault) return fault
    const found = await store.page({ fromMs, toMs, deployment, drifted, after, limit: limit + 1 })
    const shown = found.slice(0, limit)
    const all = [...(await backends.all()).values()]
    return {
      thresholds: { share: DRIFT_SHARE_MAX, least: { ...DRIFT_LEAST } },
      rows: shown.map(rowView),
      notCompared: {
        accounts: (await store.gaps()).map(gapView),
        ofTenantsDirectories: all.filter(
          ({ api, directoryId }) => api.kind === 'azure-openai' && directoryId !== undefined,
        ).length,
        otherServers: all.filter(({ api }) => api.kind !== 'azure-openai').length,
      },
      next: found.length > limit ? shown.at(-1)?.cursor : undefined,
    }
  }
}

function spanFault({ fromMs, toMs }: { fromMs: number; toMs: number }, nowMs: number): Problem | undefined {
  const invalid = (message: string) =>
    new Problem('invalid_request', `from: ${message}`, { param: 'from', errors: [{ path: 'from', message }] })
  if (fromMs >= toMs) return invalid('Must lie before "to"')
  if (toMs - fromMs > SPAN_DAYS_MAX * DAY_MS) return invalid(`Must lie at most ${SPAN_DAYS_MAX} days before "to"`)
  if (toMs < nowMs - METRICS_KEPT_MS) return invalid('Lies further back than anything is kept')
  return undefined
}

const isoTime = (ms: number) => new Date(ms).toISOString()

const rowView = (row: ComparedRow) => ({
  hour: isoTime(row.hourMs),
  account: row.accountId,
  deployment: row.deployment,
  look: row.look,
  comparedAt: isoTime(row.comparedAtMs),
  provider: row.theirs,
  platform: row.ours.counted,
  drift: row.drift,
  parts: row.parts.map(({ class: name, part }) => ({ class: name, ...part })),
})

const gapView = ({ account, kind, detail, sinceMs }: Gap) => ({ account, kind, detail, since: isoTime(sinceMs) })
