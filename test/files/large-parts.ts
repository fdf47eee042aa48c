import type { Clock } from '../../src/base/clock'
import type { AccountFiles } from '../../src/files/account-files'
import { createAccountImports, type AccountImportsDeps } from '../../src/files/account-imports'
import { IMPORT_BYTES_MIN } from '../../src/files/file-bounds'
import { createLargeCopies } from '../../src/files/large-copies'
import { createLentCopies } from '../../src/files/lent-copies'
import { createShelves } from '../../src/files/shelves'
import { createTransit } from '../../src/files/transit'
import type { Places } from '../../src/storage/places'
import type { Columns, TenantTable } from '../../src/storage/tenant-table'

/** What copies of large files take, for a world that is put together by hand. */
export function largeParts({
  rows,
  places,
  accounts,
  clock,
  ...reach
}: AccountImportsDeps & { rows: TenantTable<Columns>; places: Places; accounts: AccountFiles; clock: Clock }) {
  const lent = createLentCopies({ shelves: createShelves(rows), transit: createTransit(places), clock })
  const large = createLargeCopies({ accounts, imports: createAccountImports(reach), lent })
  return { large, importBytesMin: IMPORT_BYTES_MIN }
}
