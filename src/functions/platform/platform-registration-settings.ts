import { z } from 'zod'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { registeredTenant } from '../../http/registered-tenant'
import { registrationSettingsInput } from '../../onboarding/registration-settings'

const etagOf = ({ version }: { version: number }) => ({ etag: `"${version}"` })

/** Before anything was set it is closed, in no region. */
const shownSettings = registrationSettingsInput.extend({ regions: z.array(z.string()) })

const someone = { displayName: 'Somebody', contact: { email: 'somebody@tenant.example' } }

/** Whether people may register by themselves, and what they get. */
export const platformRegistrationSettings = ({ registrationSettings, tenants, ids }: ControlPlane): HttpTrigger => ({
  name: 'platform-registration-settings',
  route: 'api/platform/registration-settings',
  endpoints: {
    GET: operatorEndpoint('platform.tenants.read', {
      summary: 'Reads what people who register by themselves get.',
      answer: shownSettings,
      run: async () => {
        const { version, ...settings } = await registrationSettings.get()
        return ok(settings, etagOf({ version }))
      },
    }),
    PUT: operatorEndpoint('platform.tenants.manage', {
      summary: 'Opens, restricts or closes registration.',
      body: registrationSettingsInput,
      answer: shownSettings,
      needsIfMatch: true,
      run: async ({ body, ifMatch }) => {
        // Found out here and not by strangers, who would be refused for aliases that they never sent.
        const fault = await tenants.check(
          ids.tenantId(),
          registeredTenant(body, { ...someone, region: body.regions[0] ?? '' }),
        )
        if (fault) return fault
        const stored = await registrationSettings.put(body, ifMatch)
        if (stored instanceof Problem) return stored
        const { version, ...settings } = stored
        return ok(settings, etagOf({ version }))
      },
    }),
  },
})
