import { bindingText } from '../core/binding-text'
import type { HostFunction } from '../core/registry'
import type { TypedData } from '../core/worker-types'
import type { AuthLevel, FunctionEndpoint } from './function-endpoint'
import { Routes } from './routes'

const ALL_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE'] as const
const AUTH_LEVELS: readonly string[] = ['anonymous', 'function', 'admin'] satisfies AuthLevel[]

/** Compiles the routes of all HTTP functions. Throws, naming the function, on one that could not be served. */
export function routeFunctions(
  functions: readonly HostFunction[],
  routePrefix: string,
  extraInputsOf: (fn: HostFunction) => readonly { name: string; data: TypedData }[],
): Routes<FunctionEndpoint> {
  const routes = new Routes<FunctionEndpoint>()
  for (const fn of functions) {
    const { route, methods } = fn.trigger
    const template = `${routePrefix}/${typeof route === 'string' ? route : fn.name}`
    const extraInputs = extraInputsOf(fn)
    const endpoint: FunctionEndpoint = {
      fn,
      authLevel: readAuthLevel(fn),
      extraInputs,
      streamInputs: [{ name: fn.triggerName, data: {} }, ...extraInputs],
    }
    try {
      routes.add(template, readMethods(methods), endpoint)
    } catch (error) {
      throw new Error(`Function "${fn.name}": ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return routes
}

function readMethods(methods: unknown): readonly string[] {
  if (!Array.isArray(methods) || methods.length === 0) return ALL_METHODS
  return methods.map((method) => String(method).toUpperCase())
}

function readAuthLevel({ name, trigger }: HostFunction): AuthLevel {
  const text = bindingText(trigger, 'authLevel', 'anonymous').toLowerCase()
  if (!AUTH_LEVELS.includes(text)) throw new Error(`Function "${name}": unknown authLevel "${text}"`)
  return text as AuthLevel
}
