import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { backendParams } from '../../http/request-params'
import { keyRotationPolicy, keyRotationView, shownKeyRotation } from '../../key-rotation/key-rotation-view'

/** When and how the keys of a backend's account are rotated; never what they are. */
export const platformBackendKeyRotation = ({ backends, keyRotations }: ControlPlane): HttpTrigger => ({
  name: 'platform-backend-key-rotation',
  route: 'api/platform/backends/{backendId}/key-rotation',
  endpoints: {
    GET: operatorEndpoint('platform.backends.read', {
      summary: 'Shows when the keys of a backend’s account were rotated, and when they will be.',
      params: backendParams,
      answer: shownKeyRotation,
      problems: ['conflict'],
      run: async ({ params }) => {
        const stored = await backends.read(params.backendId)
        const shown = stored && (await keyRotations.show(stored.backend))
        if (!shown) return notFound
        return shown instanceof Problem ? shown : ok(keyRotationView(shown))
      },
    }),
    PUT: operatorEndpoint('platform.backends.manage', {
      summary: 'Has the keys of a backend’s account rotated by their age, or only when asked.',
      params: backendParams,
      body: keyRotationPolicy,
      answer: shownKeyRotation,
      problems: ['conflict'],
      run: async ({ params, body }) => {
        const stored = await backends.read(params.backendId)
        if (!stored) return notFound
        const changed = await keyRotations.setPolicy(stored.backend, body.everyDays)
        return changed instanceof Problem ? changed : ok(keyRotationView(changed))
      },
    }),
  },
})
