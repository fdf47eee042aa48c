import { accountKeyName } from '../azure/account-keys'
import type { OperationId } from '../base/ids'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'

export const keyNames = ['Key1', 'Key2'] as const
/** As Azure names the two keys of an account. */
export type KeyName = (typeof keyNames)[number]

/** What is known of an account's keys: when and how they are rotated, never what they are. Times are Unix milliseconds. */
export interface RotatedAccount {
  /** ARM id, in lower case. */
  readonly accountId: string
  /** As `accountAddress` has it. */
  readonly address: string
  /** Absent: only when somebody asks. */
  readonly everyDays?: number | undefined
  /** From then on its key is the one in the vault, whatever settings say. */
  readonly adoptedAt?: number | undefined
  /** The end of the last rotation. */
  readonly rotatedAt?: number | undefined
  /** The rotation under way. */
  readonly run?: RotationRun | undefined
  /** How the last one ended, where it ended badly. */
  readonly failed?: RotationFailure | undefined
}

export interface RotationRun {
  readonly operationId: OperationId
  readonly startedAt: number
  /** The key that is in nobody's use and takes over; chosen once. */
  readonly target?: KeyName | undefined
  /** When instances were last given another key to use. */
  readonly givenAt?: number | undefined
  /** How often in a row the account took the new key. */
  readonly taken?: number | undefined
}

export interface RotationFailure {
  readonly at: number
  readonly code: string
  readonly detail: string
}

export interface RotatedAccounts {
  read(address: string): Promise<RotatedAccount | undefined>
  /** In no particular order. */
  list(): Promise<readonly RotatedAccount[]>
  /** The account as it is then; `edit` is asked again where somebody else was faster. Undefined leaves it as it is. */
  change(
    address: string,
    edit: (known: RotatedAccount | undefined) => RotatedAccount | undefined,
  ): Promise<RotatedAccount | undefined>
}

export const keyRotationStorage = { tables: ['accountkeys'] } as const

/** Those who change one are an operator, a timer and a step. */
const ATTEMPTS_MAX = 10
/** Azure has 30 accounts in a region of a subscription. */
const ACCOUNTS_MAX = 1_000

export function createRotatedAccounts(rows: PartitionTable<Columns>): RotatedAccounts {
  const read = async (address: string) => rows.get(accountKeyName(address))
  return {
    read: async (address) => {
      const row = await read(address)
      return row && fromJsonColumns<RotatedAccount>(row.columns)
    },
    list: async () => {
      const found: RotatedAccount[] = []
      for await (const { columns } of rows.range('', '~')) {
        if (found.push(fromJsonColumns<RotatedAccount>(columns)) >= ACCOUNTS_MAX) break
      }
      return found
    },
    change: async (address, edit) => {
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        const row = await read(address)
        const known = row && fromJsonColumns<RotatedAccount>(row.columns)
        const next = edit(known)
        if (!next) return known
        const columns = toJsonColumns(next)
        const name = accountKeyName(address)
        const result = row ? await rows.replace(name, columns, row.etag) : await rows.insert(name, columns)
        if (result.kind === 'written') return next
      }
      throw new Error(`what is known of the keys of ${address} lost every race to be written`)
    },
  }
}
