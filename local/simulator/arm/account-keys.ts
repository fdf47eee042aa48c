import { createHash, randomBytes } from 'node:crypto'
import type { StoredAccount } from './stored-resource'

/** Both keys of an account that was made through ARM. They follow from its id: this keeps nothing secret. */
export function accountKeys(accountId: string): [string, string] {
  const keyOf = (number: number) =>
    createHash('sha256').update(`account key ${number} of ${accountId.toLowerCase()}`).digest('hex').slice(0, 32)
  return [keyOf(1), keyOf(2)]
}

export const keyNames = ['Key1', 'Key2'] as const
export type KeyName = (typeof keyNames)[number]

/** A key that took another's place. The data plane hears of it some time after `at`, Unix milliseconds. */
export interface RegeneratedKey {
  readonly name: KeyName
  readonly value: string
  readonly former: string
  readonly at: number
}

/** The keys as Resource Manager lists them, given those that the account was made with. */
export function listedKeys(made: readonly [string, string], { regenerated = [] }: StoredAccount): [string, string] {
  const valueOf = (name: KeyName, first: string) => regenerated.find((key) => key.name === name)?.value ?? first
  return [valueOf('Key1', made[0]), valueOf('Key2', made[1])]
}

/** The keys that the data plane takes at a time: a former one until its successor has got there, never both. */
export function takenKeys(
  made: readonly string[],
  { regenerated = [] }: StoredAccount,
  { now, delayMs }: { now: number; delayMs: number },
): readonly string[] {
  if (regenerated.length === 0) return made
  return keyNames.flatMap((name, index) => {
    const successor = regenerated.find((key) => key.name === name)
    if (!successor) return made[index] ?? []
    return now >= successor.at + delayMs ? successor.value : successor.former
  })
}

export function regenerateKey(
  account: StoredAccount,
  { name, listed, now }: { name: KeyName; listed: readonly [string, string]; now: number },
): StoredAccount {
  const former = listed[name === 'Key1' ? 0 : 1]
  const others = (account.regenerated ?? []).filter((key) => key.name !== name)
  return { ...account, regenerated: [...others, { name, value: randomBytes(16).toString('hex'), former, at: now }] }
}
