import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { unzipSync } from 'fflate'

const root = join(__dirname, '..', '..')
const ASSEMBLE = join(root, 'infra', 'hooks', 'assemble-package.js')

/** The package's zip, made anew at `out`, a folder of dist. */
export async function assembled(out: string, env: Readonly<Record<string, string>> = {}): Promise<Buffer> {
  const folder = join(root, 'dist', out)
  await promisify(execFile)(process.execPath, [ASSEMBLE, '--out', folder], { env: { ...process.env, ...env } })
  return readFileSync(`${folder}.zip`)
}

export function removeAssembled(out: string): void {
  for (const path of [out, `${out}.zip`]) rmSync(join(root, 'dist', path), { recursive: true, force: true })
}

/** What is in a zip, by its path. */
export const filesIn = (zip: Uint8Array): Record<string, Uint8Array> => unzipSync(zip)

/** The zip's files in a new folder, far from the repository. */
export function unpacked(zip: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-package-'))
  for (const [path, bytes] of Object.entries(filesIn(zip))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), bytes)
  }
  return folder
}
