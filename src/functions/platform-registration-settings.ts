import { Problem } from '../base/problem'
import type { ControlPlane } from '../http/control-plane'
import { operatorEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'
import { ok } from '../http/plain-request'
import { registrationSettingsInput } from '../onboarding/registration-settings'

const etagOf = ({ version }: { version: number }) => ({ etag: `"${version}"` })

/** Whether people may register by themselves, and what they get. */
export const platformRegistrationSettings = ({ registrationSettings }: ControlPlane): HttpTrigger => ({
  name: 'platform-registration-settings',
  route: 'api/platform/registration-settings',
  endpoints: {
    GET: operatorEndpoint('platform.tenants.read', {
      summary: 'Reads what people who register by themselves get.',
      answer: registrationSettingsInput,
      run: async () => {
        const { version, ...settings } = await registrationSettings.get()
        return ok(settings, etagOf({ version }))
      },
    }),
    PUT: operatorEndpoint('platform.tenants.manage', {
      summary: 'Opens, restricts or closes registration.',
      body: registrationSettingsInput,
      answer: registrationSettingsInput,
      needsIfMatch: true,
      run: async ({ body, ifMatch }) => {
        const stored = await registrationSettings.put(body, ifMatch)
        if (stored instanceof Problem) return stored
        const { version, ...settings } = stored
        return ok(settings, etagOf({ version }))
      },
    }),
  },
})
