import { z } from 'zod'
import { assert } from '../base/assert'
import { parseTenantId } from '../base/ids'
import { Problem } from '../base/problem'
import type { ControlPlane } from '../http/control-plane'
import { publicEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'
import { accepted, notFound } from '../http/plain-request'
import { registeredTenant } from '../http/registered-tenant'
import { startOnboarding } from '../onboarding/start-onboarding'
import { contactInput, displayName, regionName } from '../tenants/tenant-input'

const registrationInput = z.strictObject({ displayName, contact: contactInput, region: regionName })

const registrationStarted = z.object({ tenantId: z.string(), onboardingId: z.string(), statusUrl: z.string() })

/** For whoever wants to become a tenant, where operators have opened registration. */
export const registrations = ({
  tenants,
  ids,
  registrationSettings,
  registrationTokens,
  registrationGate,
}: ControlPlane): HttpTrigger => ({
  name: 'registrations',
  route: 'api/registrations',
  endpoints: {
    POST: publicEndpoint({
      summary: 'Registers a new tenant, subject to approval where operators want it.',
      body: registrationInput,
      answer: registrationStarted,
      answerStatus: 202,
      problems: ['not_found', 'rate_limit_exceeded'],
      newSubject: () => ids.tenantId(),
      run: async ({ body, subject, orchestrations }) => {
        const settings = await registrationSettings.get()
        if (settings.mode === 'closed') return notFound
        if (!settings.regions.includes(body.region)) {
          const text = `region: Must be one of ${settings.regions.join(', ')}`
          return new Problem('invalid_request', text, { param: 'region' })
        }
        const full = registrationGate.enter()
        if (full) return full
        const tenantId = parseTenantId(subject)
        assert(tenantId, 'newSubject makes a tenant id')
        const input = registeredTenant(settings, body)
        const needsApproval = settings.mode === 'approval'
        const started = await startOnboarding({ tenants, orchestrations }, { tenantId, input, needsApproval })
        if (started instanceof Problem) return started
        const token = registrationTokens.of(started.onboardingId)
        return accepted({ ...started, statusUrl: `/api/registrations/${started.onboardingId}?token=${token}` })
      },
    }),
  },
})
