import type { TenantScope } from '../storage/tenant-scope'
import type { Account, AccountFile, AccountFiles, NotDone } from './account-files'
import type { AccountImports } from './account-imports'
import type { LentCopies } from './lent-copies'

/** Copies of large files: fetched by their accounts, or sent in parts where an account will not. */
export interface LargeCopies {
  /** `refused` by an account that fetches nothing; then the copy is sent in parts. */
  bring(scope: TenantScope, account: Account, copy: LargeCopy): Promise<Brought>
  /** One of these names that an earlier attempt has made, where its answer was lost; others of them are deleted. */
  adopt(account: Account, filenames: readonly string[]): Promise<AccountFile | NotDone>
  /** The copies in the clear of these names. */
  takeBack(scope: TenantScope, filenames: readonly string[]): Promise<void>
}

export interface LargeCopy {
  readonly filename: string
  readonly purpose: string
  readonly bytes: number
  /** Anew each time it is asked for. */
  readonly content: () => AsyncIterable<Uint8Array>
  /** Once an account has refused to fetch, or could not. */
  readonly noImport: boolean
}

export interface Brought {
  readonly answer: AccountFile | NotDone
  /** Whether the account was found to fetch nothing. */
  readonly noImport: boolean
}

const AGAIN_MS = 60_000
const tooMuch: NotDone = { kind: 'unsure', detail: 'too much of this tenant is under way', againMs: AGAIN_MS }

export function createLargeCopies({
  accounts,
  imports,
  lent,
}: {
  accounts: Pick<AccountFiles, 'find' | 'get' | 'remove'>
  imports: AccountImports
  lent: LentCopies
}): LargeCopies {
  const takeBack = async (scope: TenantScope, filenames: readonly string[]) => {
    for (const filename of filenames) await lent.takeBack(scope, filename)
  }
  const fetched = async (
    scope: TenantScope,
    account: Account,
    { filename, purpose, content }: LargeCopy,
  ): Promise<AccountFile | NotDone> => {
    const url = await lent.lend(scope, filename, content())
    return url === undefined ? tooMuch : imports.importFrom(account, { filename, purpose, url })
  }
  return {
    bring: async (scope, account, copy) => {
      if (!copy.noImport) {
        const answer = await fetched(scope, account, copy)
        // Where the answer was lost the account may be reading: the copy stays until somebody looks again, or its time is over.
        if (answer.kind === 'file' || answer.kind === 'unsure') return { answer, noImport: false }
        await takeBack(scope, [copy.filename])
      }
      const sent = { ...copy, content: copy.content(), expiresAfterSeconds: undefined }
      return { answer: await imports.sendInParts(account, sent), noImport: true }
    },
    adopt: async (account, filenames) => {
      const found = await accounts.find(account, new Set(filenames))
      if (found.kind !== 'found') return found
      const [kept, ...others] = found.ids
      for (const other of others) await accounts.remove(account, other)
      return kept === undefined ? { kind: 'missing' } : accounts.get(account, kept)
    },
    takeBack,
  }
}
