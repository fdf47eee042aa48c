import { z } from 'zod'
import { endReasons, incidentSeverities } from './incident'
import { exclusionNames } from './classify'
import { objectiveKinds } from './objective'

/** A month's report as it is shown and as it is kept: numbers and ids, times as ISO 8601, UTC. */

const time = z.iso.datetime()
const percent = z.number()

export const shownObjective = z.object({
  kind: z.enum(objectiveKinds),
  percent: z.number().optional().meta({ description: 'Of availability: so many calls of a hundred have to be good.' }),
  p95Ms: z.int().optional().meta({ description: 'Of latency: 95 of a hundred calls may take no longer.' }),
  alias: z.string().optional(),
  operation: z.string().optional(),
})

export const shownIncident = z
  .object({
    id: z.string(),
    tenantId: z.string(),
    objective: shownObjective,
    state: z.enum(['open', 'closed']),
    severity: z.enum(incidentSeverities),
    startedAt: time,
    detectedAt: time,
    rule: z
      .enum(['fast', 'slow'])
      .meta({ description: 'fast: an hour and five minutes; slow: six hours and half an hour.' }),
    longBurn: z.number().meta({ description: 'The burn rate in the rule’s long window when it was detected.' }),
    shortBurn: z.number(),
    endedAt: time.optional(),
    closedAt: time.optional(),
    why: z.enum(endReasons).optional(),
    durationMs: z.int().optional(),
    evidence: z.object({
      badMinutes: z.int(),
      good: z.int(),
      bad: z.int(),
      outcomes: z.record(z.string(), z.int()),
      deployments: z.record(z.string(), z.int()),
    }),
  })
  .meta({ id: 'SlaIncident' })
export type ShownIncident = z.infer<typeof shownIncident>

export const shownMaintenance = z
  .object({
    id: z.string(),
    title: z.string(),
    from: time,
    to: time,
    regions: z.array(z.string()).optional(),
    announcedAt: time,
  })
  .meta({ id: 'Maintenance' })
export type ShownMaintenance = z.infer<typeof shownMaintenance>

const day = z.object({
  date: z.iso.date(),
  good: z.int(),
  bad: z.int(),
  goodPercent: percent.nullable().meta({ description: 'Null on a day without calls that count.' }),
  p95Ms: z.int().nullable().meta({ description: 'Of latency; null for availability.' }),
})
export type ReportDay = z.infer<typeof day>

const reportedObjective = z.object({
  objective: shownObjective,
  result: z.enum(['met', 'missed', 'no-calls']),
  good: z.int(),
  bad: z.int(),
  goodPercent: percent.nullable(),
  p95Ms: z.int().nullable(),
  errorBudget: z
    .object({ calls: z.number(), spent: z.int(), spentPercent: percent })
    .meta({ description: 'Bad calls that the month may have, as its calls are so far, and those that it had.' }),
  days: z.array(day),
})
export type ReportedObjective = z.infer<typeof reportedObjective>

export const shownReport = z
  .object({
    tenantId: z.string(),
    month: z.string(),
    from: time,
    to: time.meta({ description: 'Exclusive; of a month under way the time up to which it counts.' }),
    state: z.enum(['provisional', 'final']).meta({ description: 'Final reports stay as they are.' }),
    madeAt: time,
    objectives: z.array(reportedObjective),
    calls: z.object({
      all: z.int(),
      counted: z.int(),
      excluded: z.array(z.object({ reason: z.enum(exclusionNames), calls: z.int(), why: z.string() })),
      pending: z.int().meta({ description: 'Under way, or not known to be over.' }),
    }),
    incidents: z.array(shownIncident).meta({ description: 'The newest 100 at most.' }),
    maintenance: z.array(shownMaintenance),
  })
  .meta({ id: 'SlaReport' })
export type SlaReport = z.infer<typeof shownReport>
