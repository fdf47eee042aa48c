import { SIMULATOR_KEY } from '../../../../local/stack'
import { startTestStack, type TestStack } from '../../../harness/stack'
import { makeBadInputTenant, type BadInputTenant } from './tenant'

/** One app and one tenant for all that clients send: what of it is left behind is looked at in the end. */
export interface BadInputWorld {
  readonly stack: TestStack
  readonly tenant: BadInputTenant
  /** What no client and no log may see. */
  readonly secrets: readonly string[]
}

export async function makeBadInputWorld(): Promise<BadInputWorld> {
  const stack = await startTestStack()
  const tenant = await makeBadInputTenant(stack)
  return { stack, tenant, secrets: [tenant.apiKey, SIMULATOR_KEY] }
}
