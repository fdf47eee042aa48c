import type { LogLevel } from '../log'

/**
 * The part of the Functions worker protocol that `@azure/functions` speaks with the module `@azure/functions-core`.
 * The real module exists only inside a Functions host and publishes no types for this, hence these.
 */
export interface TypedData {
  string?: string
  json?: string
  bytes?: Uint8Array
  int?: number
  double?: number
  http?: HttpData
}

export interface HttpData {
  method?: string
  url?: string
  headers?: Record<string, string>
  params?: Record<string, string>
  query?: Record<string, string>
  body?: TypedData | null
  statusCode?: string
  cookies?: readonly HttpCookie[]
}

export interface HttpCookie {
  name: string
  value: string
  domain?: { value: string }
  path?: { value: string }
  expires?: { value: { seconds: number } }
  secure?: { value: boolean }
  httpOnly?: { value: boolean }
  maxAge?: { value: number }
  sameSite?: 'none' | 'lax' | 'strict' | 'explicitNone'
}

/** A binding as the app declared it; everything but `type` and `direction` is particular to the type. */
export interface Binding {
  readonly type: string
  readonly direction: 'in' | 'out'
  readonly [option: string]: unknown
}

export interface FunctionMetadata {
  readonly name: string
  readonly bindings: Readonly<Record<string, Binding>>
}

export type FunctionCallback = (...args: unknown[]) => unknown

export interface InvocationRequest {
  readonly invocationId: string
  readonly inputData: readonly { name: string; data: TypedData }[]
  readonly triggerMetadata: Readonly<Record<string, TypedData>>
  readonly traceContext?: { traceParent: string; traceState?: string }
}

export interface CoreContext {
  readonly invocationId: string
  readonly request: InvocationRequest
  readonly metadata: FunctionMetadata
  state: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks' | undefined
  log(level: LogLevel, category: string, message: string): void
}

export interface InvocationResponse {
  readonly returnValue?: TypedData | null
  readonly outputData?: readonly { name: string; data: TypedData }[]
}

/** What the library makes of one invocation; `context` is its own InvocationContext. */
export interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>
  invokeFunction(context: unknown, inputs: unknown[], handler: FunctionCallback): Promise<unknown>
  getResponse(context: unknown, result: unknown): Promise<InvocationResponse>
}

export interface ProgrammingModel {
  readonly name: string
  readonly version: string
  getInvocationModel(context: CoreContext): InvocationModel
  getCapabilities(capabilities: Record<string, string>): Promise<Record<string, string>>
}

export const HOOK_NAMES = ['appStart', 'appTerminate', 'preInvocation', 'postInvocation', 'log'] as const
export type HookName = (typeof HOOK_NAMES)[number]
export type HookCallback = (context: Record<string, unknown>) => unknown
