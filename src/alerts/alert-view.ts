import { z } from 'zod'
import { alertStates, NOTE_CHARACTERS_MAX, type Alert, type AlertChange } from './alert'
import { alertKinds, type AlertKind } from './alert-kinds'
import type { ListedAlert } from './alerts'
import { severities } from './severity'

/** Of an alert in a path: slashes of it percent-encoded, other characters as they are. */
const ID_CHARACTERS_MAX = 500
const ALERT_ID = /^[a-z][\x21-\x7e]{0,499}$/

export const alertParams = z.object({
  alertId: z
    .string()
    .max(ID_CHARACTERS_MAX)
    .regex(ALERT_ID, 'Must be the id of an alert')
    .meta({ description: 'The alert’s `id`, percent-encoded.', example: 'recovery-lag' }),
})

export const alertKindInput = z.enum(Object.keys(alertKinds) as [AlertKind, ...AlertKind[]])

export const alertNote = z.strictObject({
  note: z
    .string()
    .trim()
    .min(1)
    .max(NOTE_CHARACTERS_MAX)
    .optional()
    .meta({ description: 'What whoever comes next should know.' }),
})

/** As a tenant may see it: what happened to it, not which operator did it. */
export const tenantAlertView = z.object({
  id: z.string(),
  kind: alertKindInput,
  severity: z.enum(severities),
  title: z.string(),
  detail: z.string(),
  state: z.enum(alertStates),
  episode: z
    .int()
    .meta({ description: '1 for the first time; an alert raised again after it was resolved begins another.' }),
  raisedAt: z.iso.datetime().meta({ description: 'When this episode began.' }),
  lastSeenAt: z.iso.datetime(),
  timesSeen: z.int(),
})

export const alertView = tenantAlertView.extend({
  tenantId: z.string().optional(),
  evidence: z.unknown().optional().meta({ description: 'Figures that show it, by kind.' }),
  audience: z
    .literal('tenant')
    .optional()
    .meta({ description: 'Also for the tenant’s own people; absent: for operators alone.' }),
  history: z.array(
    z.object({
      at: z.iso.datetime(),
      to: z.enum(alertStates),
      episode: z.int(),
      by: z.string().meta({ description: '`platform`, or an operator’s name.' }),
      note: z.string().optional(),
    }),
  ),
})

export function showAlert(alert: Alert) {
  const { tenantId, evidence, audience, history } = alert
  return { ...showToTenant(alert), tenantId, evidence, audience, history: history.map(showChange) }
}

export function showToTenant({
  id,
  kind,
  severity,
  title,
  detail,
  state,
  episode,
  raisedAt,
  lastSeenAt,
  timesSeen,
}: Alert) {
  return {
    id,
    kind,
    severity,
    title,
    detail,
    state,
    episode,
    timesSeen,
    raisedAt: iso(raisedAt),
    lastSeenAt: iso(lastSeenAt),
  }
}

/** What a page shows of `found`, which was asked for one more than fit it. */
export function showPage<View>(found: readonly ListedAlert[], limit: number, show: (alert: Alert) => View) {
  const shown = found.slice(0, limit)
  return { alerts: shown.map(show), next: found.length > limit ? shown.at(-1)?.cursor : undefined }
}

const showChange = ({ at, ...change }: AlertChange) => ({ ...change, at: iso(at) })
const iso = (ms: number) => new Date(ms).toISOString()

/** Of a page's `next`, which is an alert's place in its list. */
export const alertCursor = z
  .string()
  .max(200)
  .regex(/^[a-z0-9_-]+$/, 'Must be the `next` of the page before')
