import type { HttpFunctionOptions } from '@azure/functions'
import type { Endpoints } from './handle'

/** The part of `app` of `@azure/functions` that registering needs. */
export interface HttpApp {
  http(name: string, options: HttpFunctionOptions): void
}

/** One HTTP trigger: its deployed name, its route and what each method does. */
export interface HttpTrigger {
  readonly name: string
  readonly route: string
  readonly endpoints: Endpoints
}
