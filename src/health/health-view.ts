import { z } from 'zod'
import type { Clock } from '../base/clock'
import type { InstanceHealth } from './assemble-health'
import { readinessStates } from './judge-readiness'
import type { TroubledBackend } from './look-at-backends'
import { partNames, partStates } from './part'
import type { ReadinessView } from './readiness'

/** Backends of which an answer tells; how many there are it tells of all. */
const BACKENDS_SHOWN_MAX = 100

const partState = z.enum(partStates).meta({
  description: '`impaired`: some of it is missing, and what is left serves.',
})

/** What anyone may see: nothing that names a tenant, a backend or a host. */
export const readinessView = z
  .object({
    status: z.enum(readinessStates).meta({
      description: '`degraded` serves. `unready` and `stopping` are answered with 503 and `retry-after`.',
    }),
    parts: z.partialRecord(z.enum(partNames), partState),
  })
  .meta({ id: 'Readiness' })

export const showReadiness = ({ state, parts }: ReadinessView): z.infer<typeof readinessView> => ({
  status: state,
  parts: Object.fromEntries(parts.map(({ name, state }) => [name, state])),
})

/** What operators see besides. */
export const instanceHealthView = z.object({
  status: readinessView.shape.status,
  instanceId: z.string(),
  version: z.string(),
  parts: z.array(
    z.object({
      name: z.enum(partNames),
      state: partState,
      since: z.iso.datetime().meta({ description: 'When this instance first found it so.' }),
      why: z.string().optional().meta({ description: 'The kind of what is wrong.' }),
    }),
  ),
  backends: z
    .object({
      enabled: z.number().int().meta({ description: 'The platform’s own, those of single tenants aside.' }),
      troubled: z.number().int(),
      shown: z.array(
        z.object({
          id: z.string(),
          name: z.string(),
          state: z.enum(['broken', 'recovering', 'throttled']),
          since: z.iso.datetime().optional(),
          lastError: z.enum(['unreachable', 'answered']).optional().meta({
            description: '`unreachable`: no connection came about. `answered`: it took the call and failed it.',
          }),
          retryAfterMs: z.number().int().optional(),
        }),
      ),
    })
    .optional()
    .meta({ description: `The worst first, at most ${BACKENDS_SHOWN_MAX}; absent where they could not be read.` }),
})

export function showInstanceHealth(
  { state, parts, instanceId, version, backends }: InstanceHealth,
  clock: Clock,
): z.infer<typeof instanceHealthView> {
  return {
    status: state,
    instanceId,
    version,
    parts: parts.map(({ since, why, ...part }) => ({ ...part, since: isoTime(since), ...(why ? { why } : {}) })),
    ...(backends
      ? {
          backends: {
            enabled: backends.enabled,
            troubled: backends.troubled.length,
            shown: backends.troubled.slice(0, BACKENDS_SHOWN_MAX).map((one) => showBackend(one, clock)),
          },
        }
      : {}),
  }
}

function showBackend({ id, name, standing }: TroubledBackend, clock: Clock) {
  const { kind } = standing
  const wait = kind === 'recovering' ? {} : { retryAfterMs: Math.ceil(standing.waitMs) }
  if (kind === 'throttled') return { id, name, state: kind, ...wait }
  // Circuits run on a clock of their own.
  const since = isoTime(clock.now() - (clock.monotonicMs() - standing.sinceMs))
  return { id, name, state: kind, since, lastError: standing.why, ...wait }
}

const isoTime = (ms: number) => new Date(ms).toISOString()
