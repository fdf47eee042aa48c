import type { Alerts } from '../alerts/alerts'
import { assertNever } from '../base/assert'
import type { Clock } from '../base/clock'
import type { Orchestrations } from '../base/durable-steps'
import type { IdMaker } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { keyRotationAlertId } from './key-rotation-checklist'
import { startRotation } from './key-rotations'
import type { RotatedAccount, RotatedAccounts, RotationFailure, RotationRun } from './rotated-accounts'
import { isDue, runStateOf } from './settle-rotation'

export interface RotateDueDeps {
  readonly accounts: RotatedAccounts
  readonly alerts: Pick<Alerts, 'raise'>
  readonly ids: Pick<IdMaker, 'operationId'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
}

/**
 * A timer's work: notes what became of rotations, tells operators of those that failed, and begins those that are due. How many it
 * began. It may run twice at once: a rotation is claimed in the account's record before it is started, under one id.
 */
export const createRotateDue =
  (deps: RotateDueDeps) => async (orchestrations: Pick<Orchestrations, 'start' | 'status'>) => {
    let begun = 0
    for (const account of await deps.accounts.list()) {
      try {
        const rested = account.run ? await settle(deps, orchestrations, account, account.run) : account
        if (rested && (await begin(deps, orchestrations, rested))) begun++
      } catch (error) {
        // The others' turn all the same; this one's comes again with the next run.
        deps.log.warn('an account’s keys could not be looked after', {
          account: account.accountId,
          error: describeError(error),
        })
      }
    }
    return begun
  }

/** The account as it is then. */
async function settle(
  { accounts, alerts, clock }: RotateDueDeps,
  orchestrations: Pick<Orchestrations, 'start' | 'status'>,
  account: RotatedAccount,
  { operationId }: RotationRun,
): Promise<RotatedAccount | undefined> {
  const state = runStateOf(await orchestrations.status(operationId), clock.now())
  const end = (failure: RotationFailure | undefined) =>
    accounts.change(account.address, (known) =>
      known?.run?.operationId === operationId
        ? { ...known, run: undefined, failed: failure ?? known.failed }
        : undefined,
    )
  switch (state.kind) {
    case 'running':
      return undefined
    case 'unstarted':
      await startRotation(orchestrations, account)
      return undefined
    case 'completed':
      return end(undefined)
    case 'failed':
      // First, so that a run which breaks off here tells again rather than never.
      await alerts.raise({
        id: keyRotationAlertId(account.address),
        kind: 'key-rotation-failed',
        severity: 'warning',
        tenantId: undefined,
        title: `The keys of ${account.accountId.slice(account.accountId.lastIndexOf('/') + 1)} could not be rotated`,
        detail: `${operationId} ended with ${state.failure.code}. ${state.failure.detail} Calls go on with the key that they had; GET /api/platform/operations/${operationId} shows how far it came.`,
        evidence: { accountId: account.accountId, operationId, code: state.failure.code },
      })
      return end(state.failure)
    default:
      return assertNever(state)
  }
}

async function begin(
  { accounts, ids, clock }: RotateDueDeps,
  orchestrations: Pick<Orchestrations, 'start'>,
  account: RotatedAccount,
): Promise<boolean> {
  if (!isDue(account, clock.now())) return false
  const operationId = ids.operationId('krt')
  const claimed = await accounts.change(account.address, (known) =>
    known && isDue(known, clock.now()) ? { ...known, run: { operationId, startedAt: clock.now() } } : undefined,
  )
  if (claimed?.run?.operationId !== operationId) return false
  await startRotation(orchestrations, claimed)
  return true
}
