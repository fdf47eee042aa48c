/** True when a storage call failed with one of these HTTP statuses. */
export function isStatus(error: unknown, ...statuses: readonly number[]): boolean {
  const status = storageStatus(error)
  return status !== undefined && statuses.includes(status)
}

/** The HTTP status of a storage failure; undefined when there was no answer, or for anything else that was thrown. */
export function storageStatus(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined
  return typeof error.statusCode === 'number' ? error.statusCode : undefined
}
