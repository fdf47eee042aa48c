import type { Bound } from './binding'
import type { DispatchDeps } from './dispatch'
import type { BackendLookup } from './send-call'

/**
 * The same, with no backends but those of the account that holds what a call names: nobody else knows it. Where none of them
 * serves the alias, no backend does.
 */
export function atHolder(deps: DispatchDeps, { isHolder }: Bound): DispatchDeps {
  if (!isHolder) return deps
  const only = (backends: BackendLookup): BackendLookup => ({
    get: (id) => {
      const backend = backends.get(id)
      return backend && isHolder(backend) ? backend : undefined
    },
  })
  return {
    ...deps,
    backends: () => {
      const backends = deps.backends()
      return backends instanceof Promise ? backends.then(only) : only(backends)
    },
    backendsAnew: async () => only(await deps.backendsAnew()),
  }
}
