import { createFileOperations } from '../../src/files/file-operations'
import { createUploadOperations } from '../../src/files/upload-operations'
import { systemClock } from '../../src/base/clock'
import { fileDescriptions } from '../../src/http/openapi-files'
import { filesParts } from '../files/files-parts'

it('the API’s documentation describes every operation on files and uploads, and no other', () => {
  const parts = { ...filesParts(systemClock), clock: systemClock }
  const served = [...createFileOperations(parts), ...createUploadOperations(parts)]
  const named = served.map(({ name, method, path }) => `${name}: ${method} ${path}`)
  // It exists to be refused clearly.
  const shown = named.filter((name) => !name.startsWith('files.import'))
  expect(fileDescriptions.map(({ name, method, path }) => `${name}: ${method.toUpperCase()} ${path}`).sort()).toEqual(
    shown.sort(),
  )
})
