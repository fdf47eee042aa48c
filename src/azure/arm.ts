/**
 * Azure Resource Manager as far as tenants' resources need it. Every call can be repeated. Slow operations are started by
 * `put` and `remove` and watched by `get`: nothing waits in here for minutes.
 */
export interface Arm {
  /** `api-version` is the caller's: it belongs to the resource type. A resource that is there already is brought in line. */
  put(resourceId: string, apiVersion: string, body: object): Promise<ArmOutcome>
  /** A missing one is `gone`. */
  get(resourceId: string, apiVersion: string): Promise<ArmOutcome>
  /** A missing one is `gone`. */
  remove(resourceId: string, apiVersion: string): Promise<ArmOutcome>
  /** An action such as `listKeys`. */
  post(path: string, apiVersion: string, body?: object): Promise<ArmOutcome>
}

export type ArmOutcome =
  | { readonly kind: 'ready'; readonly resource: ArmResource }
  /** Accepted and under way (`provisioningState` Accepted, Creating, Deleting …). */
  | { readonly kind: 'under-way'; readonly resource: ArmResource | undefined; readonly againAfterMs: number }
  | { readonly kind: 'gone' }
  /** Another operation on the parent, throttled, or ARM itself failed: the same call may succeed later. */
  | { readonly kind: 'busy'; readonly code: string; readonly message: string; readonly againAfterMs: number }
  /** For good: quota, policy, missing right, invalid name. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly message: string }

export interface ArmResource {
  readonly id: string
  readonly name: string
  readonly location?: string
  readonly properties: Readonly<Record<string, unknown>>
}
