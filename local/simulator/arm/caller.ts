import type { Entra } from '../entra/entra'
import type { TokenClaims } from '../entra/read-token'
import { ArmError } from './arm-answer'

const AZURE_AUDIENCES = ['https://management.azure.com', 'https://management.core.windows.net']
const BEARER = /^bearer\s+(\S+)$/i

/** Who calls, by a token of the simulated Entra that is meant for ARM. Throws ARM's 401 otherwise. */
export function readCaller(entra: Entra, authorization: string | undefined, origin: string): TokenClaims {
  if (authorization === undefined || authorization === '') {
    throw unauthorized('AuthenticationFailed', "Authentication failed. The 'Authorization' header is missing.")
  }
  const [, token = ''] = BEARER.exec(authorization) ?? []
  if (token === '') {
    const text = "Authentication failed. The 'Authorization' header is provided in an invalid format."
    throw unauthorized('AuthenticationFailedInvalidHeader', text)
  }
  const read = entra.readToken(token)
  switch (read.kind) {
    case 'invalid':
      throw unauthorized('InvalidAuthenticationToken', 'The access token is invalid.')
    case 'expired':
      throw unauthorized(
        'ExpiredAuthenticationToken',
        'The access token expiry UTC time is earlier than current UTC time.',
      )
    case 'valid': {
      const { claims } = read
      if ([...AZURE_AUDIENCES, origin].includes(claims.aud.replace(/\/+$/, ''))) return claims
      const text = `The access token has been obtained for wrong audience or resource '${claims.aud}'. It should exactly match with one of the allowed audiences '${AZURE_AUDIENCES.join("','")}'.`
      throw unauthorized('InvalidAuthenticationTokenAudience', text)
    }
  }
}

const unauthorized = (code: string, message: string) =>
  new ArmError(401, code, message, { 'www-authenticate': `Bearer error="invalid_token", error_description="${code}"` })

/** Throws ARM's 401 where the token is of another directory than the subscription. */
export function checkDirectory({ tid }: TokenClaims, directoryId: string): void {
  if (tid === directoryId) return
  throw unauthorized(
    'InvalidAuthenticationTokenTenant',
    `The access token is from the wrong issuer '${tid}'. It must match the tenant '${directoryId}' associated with this subscription.`,
  )
}
