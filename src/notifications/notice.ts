import { assert } from '../base/assert'
import type { TenantId } from '../base/ids'
import type { Json } from '../alerts/alert'
import type { Severity } from '../alerts/severity'

/** Something to tell people or their systems: an alert's change, an incident, an invoice, a report. Numbers and ids, no content. */
export interface Notice {
  /** Names it for good: what is published again under the same id within `NOTICE_KEPT_MS` is told once. */
  readonly id: string
  /** What subscriptions choose by: an alert's kind, or `incident`, `invoice`, `report`. Lower-case letters, digits, hyphens. */
  readonly kind: string
  /** A tenant's notice is told to its own subscriptions alone, and names it. */
  readonly audience: 'operators' | 'tenant'
  readonly tenantId?: TenantId | undefined
  readonly severity: Severity
  /** Says that something is over: it wakes nobody, however severe it was. */
  readonly isOver?: boolean | undefined
  /** One line. */
  readonly title: string
  readonly text: string
  /** For programs: figures, ids, where to look. */
  readonly data?: Json | undefined
}

export interface Notifications {
  /**
   * Resolves when the notice and its deliveries are durable; they are sent behind it. Rejects where storage does, and can then be
   * called again with the same notice.
   */
  publish(notice: Notice): Promise<void>
}

/** After it a notice is forgotten with its deliveries, and its id means another one. */
export const NOTICE_KEPT_MS = 35 * 86_400_000
export const NOTICE_ID_CHARACTERS_MAX = 600
/** Longer texts are cut: a notice that is too long must not be lost. */
const TITLE_CHARACTERS_MAX = 300
const TEXT_CHARACTERS_MAX = 6_000
/** Of its JSON; a larger one is left out, and `dataLeftOut` says so. */
const DATA_CHARACTERS_MAX = 40_000
export const noticeKind = /^[a-z][a-z0-9-]{0,63}$/

/** Within its bounds. Throws on what no caller of ours may hand in. */
export function boundedNotice(notice: Notice): Notice {
  assert(notice.id.length > 0 && notice.id.length <= NOTICE_ID_CHARACTERS_MAX, 'a notice has an id within its bound')
  assert(noticeKind.test(notice.kind), 'a notice’s kind is a name')
  assert(notice.audience === 'operators' || notice.tenantId !== undefined, 'a tenant’s notice names the tenant')
  const isTooLarge = notice.data !== undefined && JSON.stringify(notice.data).length > DATA_CHARACTERS_MAX
  return {
    ...notice,
    title: cut(notice.title.replaceAll(/\s+/g, ' '), TITLE_CHARACTERS_MAX),
    text: cut(notice.text, TEXT_CHARACTERS_MAX),
    ...(isTooLarge ? { data: { dataLeftOut: true } } : {}),
  }
}

const cut = (text: string, charactersMax: number) =>
  (text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1)}…`).toWellFormed()
