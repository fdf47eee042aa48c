import { createHmac } from 'node:crypto'
import { sameText } from '../access/api-key'
import type { OperationId } from '../base/ids'

/** Lets whoever registered, and nobody else, see how their registration goes. Made from the installation's secret: none is stored. */
export interface RegistrationTokens {
  of(operationId: OperationId): string
  isOf(operationId: OperationId, token: string): boolean
}

export function createRegistrationTokens(secret: string): RegistrationTokens {
  const of = (operationId: OperationId) =>
    createHmac('sha256', secret).update(`registration\n${operationId}`).digest('base64url')
  return { of, isOf: (operationId, token) => sameText(of(operationId), token) }
}
