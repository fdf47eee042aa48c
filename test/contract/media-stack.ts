import { makeMediaTenant } from '../harness/media-tenant'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'

/** One stack for all tests of a file, with a tenant that has every kind of model beside chat and embeddings. */
export function mediaStack() {
  let stack: TestStack
  let tenant: TestTenant
  beforeAll(async () => {
    stack = await startTestStack()
    tenant = await makeMediaTenant(stack)
  })
  afterAll(() => stack.stop())
  return {
    stack: () => stack,
    target: () => ({ baseUrl: stack.baseUrl, apiKey: tenant.apiKey }),
  }
}

/** The ways in which `@ai-sdk/azure` may be told to write its URLs. */
export const aiSdkUrls = (apiVersion: string) => [
  { urls: 'with neither v1 nor api-version', settings: {} },
  { urls: 'with deployment-based URLs of a dated version', settings: { apiVersion, useDeploymentBasedUrls: true } },
  // Its own default is `api-version=v1`, which no path of Azure with a deployment takes.
  { urls: 'with deployment-based URLs of its own version', settings: { useDeploymentBasedUrls: true } },
]
