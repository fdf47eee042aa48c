import { z } from 'zod'
import { Problem } from '../base/problem'
import type { ControlPlane } from '../http/control-plane'
import { publicEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'
import { notFound, ok } from '../http/plain-request'
import { onboardingIdOf } from '../onboarding/onboarding-input'
import { TenantScope } from '../storage/tenant-scope'

const firstCredential = z.object({
  tenantId: z.string(),
  keyId: z.string(),
  apiKey: z.string(),
  /** For OpenAI clients. */
  baseUrl: z.string(),
  /** For Azure OpenAI clients. */
  azureEndpoint: z.string(),
  aliases: z.array(z.string()),
  documentationUrl: z.string(),
  example: z.string(),
})

/** The one-time link of an onboarding: the first API key, once. */
export const credentials = ({ credentialLinks, tenants, audit, publicUrl }: ControlPlane): HttpTrigger => ({
  name: 'credentials',
  route: 'api/credentials/{token}',
  endpoints: {
    GET: publicEndpoint({
      summary: 'Shows the first API key of a new tenant, once.',
      params: z.object({ token: z.string() }),
      answer: firstCredential,
      problems: ['link_used_up'],
      run: async ({ params }) => {
        const taken = await credentialLinks.take(params.token)
        if (taken.kind === 'unknown') return notFound
        if (taken.kind === 'gone')
          return new Problem('link_used_up', 'This link was used already, or has expired. Ask for another API key.')
        const { tenantId, credential } = taken
        const scope = TenantScope.ofPlatform(tenantId)
        await audit.append(scope, {
          actor: { kind: 'key', id: credential.keyId },
          action: 'onboarding.show-first-key',
          target: credential.keyId,
          outcome: 'done',
          requestId: onboardingIdOf(tenantId),
        })
        const aliases = (await tenants.get(scope))?.aliases.map(({ name }) => name) ?? []
        return ok({
          tenantId,
          ...credential,
          baseUrl: `${publicUrl}/openai/v1`,
          azureEndpoint: publicUrl,
          aliases,
          documentationUrl: `${publicUrl}/api/docs`,
          example: exampleCall(publicUrl, credential.apiKey, aliases[0] ?? 'your-alias'),
        })
      },
    }),
  },
})

const exampleCall = (publicUrl: string, apiKey: string, alias: string) =>
  `curl ${publicUrl}/openai/v1/chat/completions -H 'api-key: ${apiKey}' -H 'content-type: application/json' ` +
  `-d '{"model":"${alias}","messages":[{"role":"user","content":"Hello"}]}'`
