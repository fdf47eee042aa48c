import { z } from 'zod'
import { assertNever } from '../base/assert'
import type { ModelId } from '../base/ids'
import { driftChart, shareOf } from './drift-chart'
import { proposedWhys, type DriftPolicy, type DriftBaseline, type DriftState, type Retraining } from './drift-records'
import type { DriftWatching } from './drift-settings'
import type { DriftWindow } from './drift-window'
import { features } from './feature'
import { featureLevels, type ComparedFeature } from './judge-drift'

const time = z.iso.datetime()
const featureName = z.enum(features)

const shownPolicy = z.object({
  kind: z.enum(['propose', 'start']),
  filenamePrefix: z.string().optional(),
  perMonthMax: z.int().optional(),
  allowed: z.object({ by: z.string(), at: time }).optional(),
})

const bin = z.object({
  name: z.string(),
  baseline: z.int(),
  now: z.int(),
  baselineShare: z.number(),
  nowShare: z.number(),
})

export const shownDriftPolicy = z.object({ retrain: shownPolicy })

/** Numbers only: nothing of what anybody asked is in it, since nothing of it was kept. */
export const shownDrift = z
  .object({
    modelId: z.string(),
    watched: z.boolean().meta({ description: 'Whether the tenant’s settings ask for it (`settings.drift.watch`).' }),
    verdict: z.enum(['steady', 'drifted']),
    since: time.optional(),
    driftedFeatures: z.array(featureName).optional(),
    judgedAt: time.optional(),
    retrain: shownPolicy.meta({ description: 'What is done when it has drifted.' }),
    retraining: z.object({
      state: z.enum(['none', 'proposed', 'starting', 'started']),
      at: time.optional(),
      why: z.enum(proposedWhys).optional().meta({ description: 'Why it was proposed and not started.' }),
      jobId: z.string().optional(),
      datasetId: z.string().optional(),
    }),
    baseline: z.object({
      state: z.enum(['not-made-yet', 'made', 'file-gone', 'nothing-to-measure']),
      madeAt: time.optional(),
      requests: z.int().optional(),
      topics: z.enum(['off', 'made', 'failed']).optional(),
      topicsFault: z.string().optional(),
    }),
    window: z.object({ days: z.int(), calls: z.int(), samples: z.int() }),
    bounds: z.object({ warnAt: z.number(), alarmAt: z.number() }),
    features: z.array(
      z.object({
        feature: featureName,
        level: z.enum(featureLevels),
        stabilityIndex: z.number(),
        chanceUpTo: z
          .number()
          .nullable()
          .meta({ description: 'What chance alone makes of the index, 999 times in 1,000; null without samples.' }),
        baselineRequests: z.int(),
        samples: z.int(),
        bins: z.array(bin),
      }),
    ),
    chart: z.string().meta({ description: 'The same as plain text.' }),
  })
  .meta({ id: 'ModelDrift' })

export interface DriftFacts {
  readonly modelId: ModelId
  readonly isWatched: boolean
  readonly watching: DriftWatching
  readonly state: DriftState
  readonly baseline: DriftBaseline | undefined
  readonly window: DriftWindow
  readonly compared: readonly ComparedFeature[]
}

export function driftView(facts: DriftFacts): z.infer<typeof shownDrift> {
  const { modelId, isWatched, watching, state, baseline, window, compared } = facts
  const { verdict, judgedAt, policy, retraining } = state
  return {
    modelId,
    watched: isWatched,
    verdict: verdict.kind,
    ...(verdict.kind === 'drifted' ? { since: iso(verdict.sinceMs), driftedFeatures: [...verdict.features] } : {}),
    ...(judgedAt === undefined ? {} : { judgedAt: iso(judgedAt) }),
    retrain: policyView(policy),
    retraining: retrainingView(retraining),
    baseline: baselineView(baseline),
    window: { days: watching.windowDays, calls: window.calls, samples: window.samples },
    bounds: { ...watching.bounds },
    features: compared.map(featureView),
    chart: driftChart(compared),
  }
}

const featureView = ({ index, chance, bins, ...compared }: ComparedFeature) => ({
  feature: compared.feature,
  level: compared.level,
  stabilityIndex: index,
  chanceUpTo: Number.isFinite(chance) ? chance : null,
  baselineRequests: compared.baselineRequests,
  samples: compared.samples,
  bins: bins.map(({ name, baseline, now }) => ({
    name,
    baseline,
    now,
    baselineShare: shareOf(baseline, compared.baselineRequests),
    nowShare: shareOf(now, compared.samples),
  })),
})

export function policyView(policy: DriftPolicy): z.infer<typeof shownPolicy> {
  if (policy.kind === 'propose') return policy
  const { allowed, ...rules } = policy
  return { ...rules, allowed: { by: allowed.by, at: iso(allowed.atMs) } }
}

function retrainingView(retraining: Retraining): z.infer<typeof shownDrift>['retraining'] {
  switch (retraining.kind) {
    case 'none':
      return { state: 'none' }
    case 'proposed':
      return { state: 'proposed', at: iso(retraining.atMs), why: retraining.why }
    case 'starting':
    case 'started': {
      const { kind: state, atMs, jobId, datasetId } = retraining
      return { state, at: iso(atMs), jobId, datasetId }
    }
    default:
      return assertNever(retraining)
  }
}

function baselineView(baseline: DriftBaseline | undefined): z.infer<typeof shownDrift>['baseline'] {
  if (!baseline) return { state: 'not-made-yet' }
  const madeAt = iso(baseline.madeAt)
  const { state } = baseline
  if (state.kind === 'impossible') return { state: state.why, madeAt }
  const { requests, topics } = state
  return {
    state: 'made',
    madeAt,
    requests,
    topics: topics.kind,
    ...(topics.kind === 'failed' ? { topicsFault: topics.why } : {}),
  }
}

const iso = (timeMs: number) => new Date(timeMs).toISOString()
