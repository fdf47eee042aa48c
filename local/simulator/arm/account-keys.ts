import { createHash } from 'node:crypto'

/** Both keys of an account that was made through ARM. They follow from its id: this keeps nothing secret. */
export function accountKeys(accountId: string): [string, string] {
  const keyOf = (number: number) =>
    createHash('sha256').update(`account key ${number} of ${accountId.toLowerCase()}`).digest('hex').slice(0, 32)
  return [keyOf(1), keyOf(2)]
}
