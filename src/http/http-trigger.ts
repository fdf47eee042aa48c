import type { Endpoints } from './handle'

/** One HTTP trigger: its deployed name, its route and what each method does. */
export interface HttpTrigger {
  readonly name: string
  readonly route: string
  readonly endpoints: Endpoints
}
