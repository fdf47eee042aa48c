import { Problem } from '../base/problem'
import type { Caller, Scope } from './caller'

/** Roles of a tenant's people and applications. */
export const tenantRoles = ['owner', 'admin', 'developer', 'auditor', 'viewer'] as const
export type TenantRole = (typeof tenantRoles)[number]

/** Roles of those who run the platform. `support` sees how tenants are set up, never content. */
export const platformRoles = ['operator', 'support', 'auditor'] as const
export type PlatformRole = (typeof platformRoles)[number]

interface TenantGrant {
  readonly roles: readonly TenantRole[]
  /** The scopes of API keys that have it. */
  readonly keys: readonly Scope[]
}

/** The one table of what a tenant's credentials may do. docs/permissions.md shows it; a test holds the two together. */
export const tenantPermissions = {
  'inference.call': { roles: ['owner', 'admin', 'developer'], keys: ['inference'] },
  'tenant.read': { roles: ['owner', 'admin', 'developer', 'auditor', 'viewer'], keys: ['admin', 'read-only'] },
  'tenant.update': { roles: ['owner', 'admin'], keys: ['admin'] },
  'keys.read': { roles: ['owner', 'admin', 'auditor'], keys: ['admin'] },
  'keys.manage': { roles: ['owner', 'admin'], keys: ['admin'] },
  'members.read': { roles: ['owner', 'admin', 'auditor'], keys: ['admin'] },
  'members.manage': { roles: ['owner', 'admin'], keys: ['admin'] },
  'secrets.manage': { roles: ['owner', 'admin'], keys: ['admin'] },
  'models.read': { roles: ['owner', 'admin', 'developer', 'auditor', 'viewer'], keys: ['admin', 'read-only'] },
  'models.manage': { roles: ['owner', 'admin'], keys: ['admin'] },
  'consents.read': { roles: ['owner', 'admin', 'auditor'], keys: ['admin'] },
  'consents.manage': { roles: ['owner', 'admin'], keys: ['admin'] },
  'usage.read': { roles: ['owner', 'admin', 'developer', 'auditor', 'viewer'], keys: ['admin', 'read-only'] },
  'alerts.read': { roles: ['owner', 'admin', 'developer', 'auditor', 'viewer'], keys: ['admin', 'read-only'] },
  'notifications.manage': { roles: ['owner', 'admin'], keys: ['admin'] },
  'invoices.read': { roles: ['owner', 'admin', 'auditor'], keys: ['admin'] },
  'sla.read': { roles: ['owner', 'admin', 'developer', 'auditor', 'viewer'], keys: ['admin', 'read-only'] },
  'audit.read': { roles: ['owner', 'admin', 'auditor'], keys: ['admin'] },
} as const satisfies Record<string, TenantGrant>
export type TenantPermission = keyof typeof tenantPermissions

/** The one table of what those who run the platform may do. */
export const platformPermissions = {
  'platform.tenants.read': ['operator', 'support', 'auditor'],
  'platform.tenants.manage': ['operator'],
  'platform.tenants.offboard': ['operator'],
  /** One-time links in an operation's status: to a tenant's first key, to its export's. */
  'platform.links.read': ['operator'],
  'platform.keys.read': ['operator', 'auditor'],
  'platform.keys.manage': ['operator'],
  'platform.members.manage': ['operator'],
  'platform.secrets.manage': ['operator'],
  'platform.backends.read': ['operator', 'support', 'auditor'],
  'platform.backends.manage': ['operator'],
  'platform.stamps.read': ['operator', 'support', 'auditor'],
  'platform.stamps.manage': ['operator'],
  /** Purposes, shared models, and which tenants consent and contribute; never what their examples say. */
  'platform.shared.read': ['operator', 'auditor'],
  'platform.shared.manage': ['operator'],
  /** How far replicas are; restoring, and models in other regions. */
  'platform.recovery.read': ['operator', 'support', 'auditor'],
  'platform.recovery.manage': ['operator'],
  /** Who is in whose way, and what is done about it. */
  'platform.neighbours.read': ['operator', 'support', 'auditor'],
  'platform.neighbours.manage': ['operator'],
  'platform.alerts.read': ['operator', 'support', 'auditor'],
  'platform.alerts.manage': ['operator', 'support'],
  'platform.notifications.manage': ['operator'],
  /** The provider's figures beside the platform's, what is kept how long, and which secrets are due; never their values. */
  'platform.housekeeping.read': ['operator', 'support', 'auditor'],
  /** Prices, plans, invoices, and what tenants bring and cost. */
  'platform.billing.read': ['operator', 'auditor'],
  'platform.billing.manage': ['operator'],
  /** Objectives, incidents and reports of tenants; maintenances. */
  'platform.sla.read': ['operator', 'support', 'auditor'],
  'platform.sla.manage': ['operator'],
  /** Forecasts, quotas of deployments and terms of provisioned throughput. */
  'platform.capacity.read': ['operator', 'support', 'auditor'],
  'platform.capacity.manage': ['operator'],
  'platform.audit.read': ['operator', 'auditor'],
  /** How the instance stands that answers: its parts, and the platform's backends as it knows them. */
  'platform.health.read': ['operator', 'support', 'auditor'],
} as const satisfies Record<string, readonly PlatformRole[]>
export type PlatformPermission = keyof typeof platformPermissions

/** Undefined where the caller may do it. */
export function requirePermission(caller: Caller, permission: TenantPermission): Problem | undefined {
  const { keys, roles }: TenantGrant = tenantPermissions[permission]
  if (caller.role) {
    if (roles.includes(caller.role)) return undefined
    const text = `This takes the permission ${permission}, which the role "${caller.role}" does not have; ${roles.join(', ')} have it.`
    return new Problem('insufficient_scope', text)
  }
  if (caller.scopes.some((scope) => keys.includes(scope))) return undefined
  const sufficient = keys.map((scope) => `"${scope}"`).join(' or ')
  return new Problem(
    'insufficient_scope',
    `This needs an API key with the scope ${sufficient}. This key has: ${caller.scopes.join(', ')}.`,
  )
}
