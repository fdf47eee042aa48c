import { z } from 'zod'
import type { ControlPlane } from '../http/control-plane'
import { publicEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'
import { ok } from '../http/plain-request'

/** The public keys by which anybody verifies what the platform has signed. */
export const signingKeys = ({ certificateSigner }: ControlPlane): HttpTrigger => ({
  name: 'signing-keys',
  route: 'api/.well-known/tenantry-keys.json',
  endpoints: {
    GET: publicEndpoint({
      summary: 'Lists the keys that verify deletion certificates, as a JSON Web Key Set.',
      answer: z.object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string() })) }),
      run: async () => ok(await certificateSigner.publicKeys()),
    }),
  },
})
