import { accountAddress } from '../azure/account-address'
import { ACCOUNT_KEY_KNOWN_EVERYWHERE_MS, accountKeyName } from '../azure/account-keys'
import type { PlatformSecrets } from '../azure/secret-store'
import type { Alerts } from '../alerts/alerts'
import type { AuditLog } from '../audit/audit-log'
import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'
import { done, type Checklist, type ChecklistStep, type StepOutcome } from '../checklists/checklist'
import type { Backends } from '../routing/backends'
import { nameAmong, otherThan, type AzureKeys, type KeyPair } from './azure-keys'
import { keyNames, type KeyName, type RotatedAccount, type RotatedAccounts, type RotationRun } from './rotated-accounts'

export const keyRotationName = 'account-key-rotation'

export interface KeyRotationInput {
  readonly accountId: string
  /** As `accountAddress` has it. */
  readonly address: string
}

export interface KeyRotationDeps {
  readonly accounts: RotatedAccounts
  readonly azure: AzureKeys
  readonly secrets: PlatformSecrets
  readonly backends: Pick<Backends, 'list'>
  /** The keys that settings hold. */
  readonly settings: Readonly<Record<string, string>>
  readonly audit: Pick<AuditLog, 'append'>
  readonly alerts: Pick<Alerts, 'resolve'>
  readonly clock: Pick<Clock, 'now'>
}

type Step = ChecklistStep<KeyRotationInput>
/** Azure may be busy for minutes, and a new key takes minutes to be taken everywhere. */
const bounds = { timeoutMs: 60 * 60_000, attemptsMax: 20 }
/** In a row: an account has several front ends, and each hears of a new key by itself. */
const TAKEN_MIN = 3
const TRY_AGAIN_MS = 5_000

/**
 * Gives an account two new keys, one after the other, so that at any moment the one that instances use is taken.
 *
 * R1 A key is regenerated only while the vault holds the other one, every instance has had the time to use that, and the account
 *    has just taken it.
 * R2 Wherever it stops, calls go on with the key in the vault; so nothing is undone, and the next rotation begins with what is there.
 * R3 Keys go from Azure to the vault and to the account, and nowhere else: steps ask for them again rather than hand them on.
 */
export const keyRotationChecklist = (deps: KeyRotationDeps): Checklist<KeyRotationInput> => ({
  name: keyRotationName,
  onFailure: 'stop',
  steps: [
    adoptStep(deps),
    waitStep(deps, 'wait-for-the-first'),
    regenerateStep(deps, { id: 'regenerate-unused', which: (target) => target }),
    tryStep(deps),
    putStep(deps),
    waitStep(deps, 'wait-for-the-new'),
    regenerateStep(deps, { id: 'regenerate-former', which: otherThan }),
    concludeStep(deps),
  ],
})

/** The vault holds a key of the account that is good; the other one is in nobody's use once every instance has it. */
const adoptStep = (deps: KeyRotationDeps): Step => ({
  id: 'adopt',
  ...bounds,
  do: async ({ operationId, input }) => {
    const run = await runOf(deps, operationId, input)
    if (run instanceof Problem) return failed(run)
    if (run.target) return done()
    const listed = await deps.azure.list(input.accountId)
    if (listed.kind === 'not-yet') return listed
    const pair = listed.answer
    const secretName = accountKeyName(input.address)
    const kept = nameAmong(pair, await deps.secrets.get(secretName))
    const used = kept ?? (await usedBySettings(deps, input.address, pair)) ?? 'Key1'
    if (!kept) await deps.secrets.put(secretName, pair[used])
    const now = deps.clock.now()
    await changeRun(deps, operationId, input, (known, current) => ({
      ...known,
      adoptedAt: known.adoptedAt ?? now,
      // Also where it was there before: a rotation that broke off may have put it there a moment ago.
      run: { ...current, target: otherThan(used), givenAt: now },
    }))
    return done({ account: input.accountId })
  },
})

const waitStep = (deps: KeyRotationDeps, id: string): Step => ({
  id,
  ...bounds,
  do: async ({ operationId, input }) => {
    const run = await runOf(deps, operationId, input)
    if (run instanceof Problem) return failed(run)
    const waitMs = (run.givenAt ?? 0) + ACCOUNT_KEY_KNOWN_EVERYWHERE_MS - deps.clock.now()
    return waitMs > 0 ? { kind: 'not-yet', againAfterMs: waitMs } : done()
  },
})

const regenerateStep = (
  deps: KeyRotationDeps,
  { id, which }: { id: string; which: (target: KeyName) => KeyName },
): Step => ({
  id,
  ...bounds,
  do: async ({ operationId, input }) => {
    const target = await targetOf(deps, operationId, input)
    if (target instanceof Problem) return failed(target)
    const name = which(target)
    const unsafe = await whyUnsafe(deps, input, otherThan(name))
    if (unsafe) return unsafe
    const answered = await deps.azure.regenerate(input.accountId, name)
    if (answered.kind === 'not-yet') return answered
    await deps.audit.append('platform', {
      actor: { kind: 'orchestration', id: operationId },
      action: 'backends.key-regenerated',
      target: input.accountId,
      outcome: 'done',
      requestId: operationId,
      details: { key: name },
    })
    return done()
  },
})

/** Until the account has taken the new key several times in a row. */
const tryStep = (deps: KeyRotationDeps): Step => ({
  id: 'try-the-new',
  ...bounds,
  do: async ({ operationId, input }) => {
    const found = await newKeyOf(deps, operationId, input)
    if (found.kind !== 'key') return found
    const taken = await deps.azure.takes(input.accountId, found.key)
    const changed = await changeRun(deps, operationId, input, (known, run) => ({
      ...known,
      run: { ...run, taken: taken === false ? 0 : (run.taken ?? 0) + (taken ? 1 : 0) },
    }))
    return (changed?.run?.taken ?? 0) >= TAKEN_MIN ? done() : { kind: 'not-yet', againAfterMs: TRY_AGAIN_MS }
  },
})

const putStep = (deps: KeyRotationDeps): Step => ({
  id: 'put-in-vault',
  ...bounds,
  do: async ({ operationId, input }) => {
    const found = await newKeyOf(deps, operationId, input)
    if (found.kind !== 'key') return found
    await deps.secrets.put(accountKeyName(input.address), found.key)
    await changeRun(deps, operationId, input, (known, run) => ({
      ...known,
      run: { ...run, givenAt: deps.clock.now() },
    }))
    return done()
  },
})

const concludeStep = ({ accounts, alerts, clock }: KeyRotationDeps): Step => ({
  id: 'conclude',
  ...bounds,
  do: async ({ operationId, input: { address } }) => {
    await accounts.change(address, (known) =>
      known?.run?.operationId === operationId
        ? { ...known, rotatedAt: clock.now(), run: undefined, failed: undefined }
        : undefined,
    )
    await alerts.resolve(keyRotationAlertId(address))
    return done()
  },
})

export const keyRotationAlertId = (address: string) => `key-rotation-failed/${accountKeyName(address)}`

/** R1: undefined where the key that stays is in the vault and taken by the account at this moment. */
async function whyUnsafe(
  { azure, secrets }: KeyRotationDeps,
  { accountId, address }: KeyRotationInput,
  stays: KeyName,
): Promise<StepOutcome | undefined> {
  const listed = await azure.list(accountId)
  if (listed.kind === 'not-yet') return listed
  const kept = await secrets.get(accountKeyName(address))
  if (kept === undefined || kept !== listed.answer[stays])
    return failed(
      new Problem('conflict', `The vault does not hold ${stays} of the account: somebody else changed one of them.`),
    )
  return (await azure.takes(accountId, kept)) === true ? undefined : { kind: 'not-yet', againAfterMs: TRY_AGAIN_MS }
}

/** The key that calls go out with before the first rotation, so that they go on with it. */
async function usedBySettings(
  { backends, settings }: KeyRotationDeps,
  address: string,
  pair: KeyPair,
): Promise<KeyName | undefined> {
  const given = (await backends.list()).flatMap(({ backend: { endpoint, credential } }) =>
    credential.kind === 'api-key' && accountAddress(endpoint) === address ? (settings[credential.setting] ?? []) : [],
  )
  return keyNames.find((name) => given.includes(pair[name]))
}

const failed = (problem: Problem): StepOutcome => ({ kind: 'failed', problem })

const superseded = new Problem('conflict', 'Another rotation of this account’s keys has begun since.')

async function runOf(
  { accounts }: KeyRotationDeps,
  operationId: string,
  { address }: KeyRotationInput,
): Promise<RotationRun | Problem> {
  const run = (await accounts.read(address))?.run
  return run?.operationId === operationId ? run : superseded
}

async function targetOf(deps: KeyRotationDeps, operationId: string, input: KeyRotationInput) {
  const run = await runOf(deps, operationId, input)
  return run instanceof Problem ? run : (run.target ?? superseded)
}

/** The key that was regenerated first, as Azure has it now (R3). */
async function newKeyOf(deps: KeyRotationDeps, operationId: string, input: KeyRotationInput) {
  const target = await targetOf(deps, operationId, input)
  if (target instanceof Problem) return failed(target)
  const listed = await deps.azure.list(input.accountId)
  return listed.kind === 'not-yet' ? listed : ({ kind: 'key', key: listed.answer[target] } as const)
}

const changeRun = (
  { accounts }: KeyRotationDeps,
  operationId: string,
  { address }: KeyRotationInput,
  edit: (known: RotatedAccount, run: RotationRun) => RotatedAccount,
) => accounts.change(address, (known) => (known?.run?.operationId === operationId ? edit(known, known.run) : undefined))
