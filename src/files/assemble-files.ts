import type { BackendCredentials } from '../azure/backend-credentials'
import type { SmallHttp } from '../azure/small-http'
import type { UpstreamHttp } from '../azure/upstream-http'
import type { Clock } from '../base/clock'
import type { IdMaker } from '../base/ids'
import type { Log } from '../base/log'
import type { SealedRecords } from '../encryption/sealed-records'
import type { StorageAccount } from '../storage/connect'
import type { Places } from '../storage/places'
import { tenantsRows } from '../storage/tenants-rows'
import { tenantTable } from '../storage/tenant-table'
import { createAccountFiles, type AccountFiles } from './account-files'
import { createContents } from './contents'
import { createAccountImports } from './account-imports'
import { createCopies, type Copies } from './copies'
import { createFiles } from './create-files'
import { createDrafts, type Drafts } from './drafts'
import { IMPORT_BYTES_MIN } from './file-bounds'
import { createFileStore } from './file-store'
import type { Files } from './files'
import { createLargeCopies } from './large-copies'
import { createLentCopies } from './lent-copies'
import { createLinkUploadStore } from './link-upload'
import { createLinkUploads, type LinkUploads } from './link-uploads'
import { createShelves } from './shelves'
import { sweepFiles } from './sweep-files'
import { createTransit } from './transit'
import { createUploadStore } from './upload-record'
import { createUploads, type Uploads } from './uploads'
import { createWriteSlots } from './write-slots'

/** Each tenant's shelf and the copies of its files at accounts. */
export const fileStorage = { tables: ['files'] } as const

/** The slice put together. */
export interface FilesSlice {
  readonly files: Files
  readonly drafts: Drafts
  readonly uploads: Uploads
  readonly linkUploads: LinkUploads
  readonly copies: Copies
  readonly accounts: AccountFiles
  /** Of how many tenants there was something to clear away. */
  sweep(): Promise<number>
}

export interface FilesParts {
  readonly storage: StorageAccount
  readonly records: SealedRecords
  readonly places: Pick<Places, 'get' | 'transit'>
  readonly upstream: Pick<UpstreamHttp, 'send'>
  readonly http: Pick<SmallHttp, 'send'>
  readonly credentials: BackendCredentials
  /** From which on an account fetches a copy by itself. */
  readonly importBytesMin?: number
  readonly ids: IdMaker
  readonly clock: Clock
  readonly log: Log
}

export function assembleFiles({
  storage,
  records,
  places,
  upstream,
  http,
  credentials,
  importBytesMin = IMPORT_BYTES_MIN,
  ids,
  clock,
  log,
}: FilesParts): FilesSlice {
  const table = storage.table('files')
  const rows = tenantTable(table)
  const shelves = createShelves(rows)
  const contents = createContents(records)
  const store = createFileStore(records)
  const uploadStore = createUploadStore(records)
  const accounts = createAccountFiles({ upstream, http, credentials })
  const transit = createTransit(places)
  const lent = createLentCopies({ shelves, transit, clock })
  const imports = createAccountImports({ upstream, http, credentials })
  const large = createLargeCopies({ accounts, imports, lent })
  const copies = createCopies({ rows, accounts, large, importBytesMin, ids })
  const slots = createWriteSlots()
  const drafts = createDrafts({ shelves, contents, store, slots, ids, clock, log })
  const deps = { shelves, contents, store, drafts, copies, clock }
  const files = createFiles(deps)
  const linkStore = createLinkUploadStore(records)
  const linkUploads = createLinkUploads({ shelves, store: linkStore, files, transit, ids, clock })
  return {
    files,
    drafts,
    uploads: createUploads({ shelves, contents, files: store, uploads: uploadStore, slots, ids, clock }),
    linkUploads,
    copies,
    accounts,
    sweep: () => sweepFiles({ ...deps, uploads: uploadStore, linkUploads, lent, everyShelf: tenantsRows(table), log }),
  }
}
