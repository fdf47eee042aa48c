import { Problem } from '../base/problem'
import type { Caller, Scope } from './caller'

/** Whoever administers may also read; nothing else includes anything. */
const including: Readonly<Record<Scope, readonly Scope[]>> = {
  inference: ['inference'],
  admin: ['admin'],
  'read-only': ['read-only', 'admin'],
}

/** Undefined where the caller's key has the scope that is needed. */
export function requireScope(caller: Caller, needed: Scope): Problem | undefined {
  if (caller.scopes.some((scope) => including[needed].includes(scope))) return undefined
  const sufficient = including[needed].map((scope) => `"${scope}"`).join(' or ')
  return new Problem(
    'insufficient_scope',
    `This needs an API key with the scope ${sufficient}. This key has: ${caller.scopes.join(', ')}.`,
  )
}
