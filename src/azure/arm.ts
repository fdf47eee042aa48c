/**
 * Azure Resource Manager as far as tenants' resources need it. Every call can be repeated. Slow operations are started by
 * `put` and `remove` and watched by `get`: nothing waits in here for minutes. `api-version` is the caller's: it belongs to
 * the resource type.
 */
export interface Arm {
  /** A resource that is there already is brought in line. */
  put(resourceId: string, apiVersion: string, body: object): Promise<ArmOutcome>
  /** A missing one is `gone`. `query` is for what is asked for by more than a path, such as metrics; it is encoded here. */
  get(resourceId: string, apiVersion: string, query?: Readonly<Record<string, string>>): Promise<ArmOutcome>
  /** A missing one is `gone`. */
  remove(resourceId: string, apiVersion: string): Promise<ArmOutcome>
  /** An action such as `listKeys`; its answer stands in `properties`. */
  post(path: string, apiVersion: string, body?: object): Promise<ArmOutcome>
  /** The object id of whoever we are to ARM: what role assignments name. */
  principalId(): Promise<string>
}

export type ArmOutcome =
  | { readonly kind: 'ready'; readonly resource: ArmResource }
  /** Accepted and under way (`provisioningState` Accepted, Creating, Deleting …). */
  | { readonly kind: 'under-way'; readonly resource: ArmResource | undefined; readonly againAfterMs: number }
  | { readonly kind: 'gone' }
  /** Another operation on the parent, throttled, unreachable, or ARM itself failed: the same call may succeed later. */
  | { readonly kind: 'busy'; readonly code: string; readonly message: string; readonly againAfterMs: number }
  /** For good: quota, policy, missing right, invalid name; also an operation that ended badly. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly message: string }

export interface ArmResource {
  readonly id: string
  readonly name: string
  readonly location?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly sku?: { readonly name?: string; readonly capacity?: number }
  readonly properties: Readonly<Record<string, unknown>>
}
