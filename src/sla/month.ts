/** Calendar months, UTC, as `2026-11`. */

export const monthOf = (ms: number): string => new Date(ms).toISOString().slice(0, 7)

export const monthStartMs = (month: string): number => Date.parse(`${month}-01T00:00:00Z`)

/** Start of the month behind it. */
export const monthEndMs = (month: string): number => startOfMonth(month, 1)

export const monthBefore = (month: string): string => monthOf(startOfMonth(month, -1))

function startOfMonth(month: string, further: number): number {
  const start = new Date(monthStartMs(month))
  return Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + further)
}
