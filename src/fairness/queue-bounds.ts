/** No call waits longer for its turn, its tries taken together. Clients have timeouts of their own, the shortest about 30 s. */
export const WAIT_MS_MAX = 10_000
/** Calls that wait at one set of backends. */
export const WAITING_MAX = 2_000
export const WAITING_PER_TENANT_MAX = 200
/** Beyond it the HTTP client's pool for an origin would line calls up itself, whoever came first. */
export const CALLS_UNDER_WAY_MAX = 2_048
/** What tests make smaller. */
export interface QueueBounds {
  readonly waitMsMax: number
  readonly waitingMax: number
  readonly waitingPerTenantMax: number
  readonly callsUnderWayMax: number
}

export const defaultBounds: QueueBounds = {
  waitMsMax: WAIT_MS_MAX,
  waitingMax: WAITING_MAX,
  waitingPerTenantMax: WAITING_PER_TENANT_MAX,
  callsUnderWayMax: CALLS_UNDER_WAY_MAX,
}
