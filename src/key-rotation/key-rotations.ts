import { accountAddress } from '../azure/account-address'
import type { Arm } from '../azure/arm'
import type { Clock } from '../base/clock'
import type { Orchestrations } from '../base/durable-steps'
import type { OperationId } from '../base/ids'
import { Problem } from '../base/problem'
import type { ChecklistInput } from '../checklists/run-checklist'
import { addressesOf, placeBackend } from '../reconciliation/model-accounts'
import type { Backend } from '../routing/backend'
import type { Stamps } from '../stamps/stamps'
import { platformOwnerId } from '../tenants/platform-owner'
import { keyRotationName, type KeyRotationInput } from './key-rotation-checklist'
import type { RotatedAccount, RotatedAccounts } from './rotated-accounts'
import { runStateOf } from './settle-rotation'

/** Rotating the keys of accounts, asked for by a backend that is called with one. */
export interface KeyRotations {
  /** Undefined where nobody ever asked for anything. */
  show(backend: Backend): Promise<RotatedAccount | undefined | Problem>
  /** Null: only when asked. */
  setPolicy(backend: Backend, everyDays: number | null): Promise<RotatedAccount | Problem>
  /** A rotation under this id that is there already stays as it is; another one under way is a conflict. */
  start(
    backend: Backend,
    operationId: OperationId,
    orchestrations: Pick<Orchestrations, 'start' | 'status'>,
  ): Promise<RotatedAccount | Problem>
}

export interface KeyRotationsDeps {
  readonly accounts: RotatedAccounts
  readonly arm: Pick<Arm, 'get'>
  readonly stamps: Pick<Stamps, 'list'>
  readonly clock: Pick<Clock, 'now'>
}

interface Named {
  readonly accountId: string
  readonly address: string
}

export function createKeyRotations(deps: KeyRotationsDeps): KeyRotations {
  const { accounts, clock } = deps
  return {
    show: async (backend) => {
      const named = await accountOf(deps, backend)
      return named instanceof Problem ? named : accounts.read(named.address)
    },
    setPolicy: async (backend, everyDays) => {
      const named = await accountOf(deps, backend)
      if (named instanceof Problem) return named
      const changed = await accounts.change(named.address, (known) => ({
        ...(known ?? named),
        everyDays: everyDays ?? undefined,
      }))
      return changed ?? named
    },
    start: async (backend, operationId, orchestrations) => {
      const named = await accountOf(deps, backend)
      if (named instanceof Problem) return named
      const before = (await accounts.read(named.address))?.run
      const isOver = before && (await hasEnded(orchestrations, before.operationId, clock.now()))
      const claimed = await accounts.change(named.address, (known) => {
        const isFree = !known?.run || (isOver && known.run.operationId === before.operationId)
        return isFree ? { ...(known ?? named), run: { operationId, startedAt: clock.now() } } : undefined
      })
      if (claimed?.run?.operationId !== operationId)
        return new Problem('conflict', `The rotation ${claimed?.run?.operationId} of this account’s keys is under way.`)
      await startRotation(orchestrations, claimed)
      return claimed
    },
  }
}

/** Does nothing where it was started already. */
export async function startRotation(
  orchestrations: Pick<Orchestrations, 'start'>,
  { accountId, address, run }: RotatedAccount,
): Promise<void> {
  if (!run) return
  const input: KeyRotationInput = { accountId, address }
  // Keys of a shared account are nobody's: what a checklist calls its tenant is the platform's own.
  const tenantId = platformOwnerId(run.operationId.slice(run.operationId.indexOf('_') + 1))
  await orchestrations.start(keyRotationName, run.operationId, { tenantId, input } satisfies ChecklistInput)
}

async function hasEnded(orchestrations: Pick<Orchestrations, 'status'>, operationId: string, nowMs: number) {
  const { kind } = runStateOf(await orchestrations.status(operationId), nowMs)
  return kind === 'completed' || kind === 'failed'
}

/** The account whose keys these would be; a problem says why the platform may not rotate them. */
async function accountOf({ arm, stamps }: KeyRotationsDeps, backend: Backend): Promise<Named | Problem> {
  if (backend.credential.kind !== 'api-key')
    return new Problem(
      'conflict',
      'Only keys that the platform’s own settings hold are rotated; this backend is called otherwise.',
    )
  const named = (await stamps.list()).flatMap(({ stamp }) => stamp.modelAccountIds)
  const placed = placeBackend(backend, await addressesOf(arm, named))
  switch (placed.kind) {
    case 'account':
      return { accountId: placed.accountId, address: accountAddress(backend.endpoint) }
    case 'no-resource-id':
      return new Problem(
        'conflict',
        'No stamp names the account at this backend’s address, or Azure does not show it to the platform. Name it among a stamp’s modelAccountIds.',
      )
    case 'other-directory':
      return new Problem('conflict', 'The account is in another directory, where the platform may not rotate keys.')
    case 'no-azure':
      return new Problem('conflict', 'Keys of servers other than Azure’s are rotated by hand.')
  }
}
