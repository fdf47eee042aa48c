/**
 * node test/pages/unpack-chromium.mjs FOLDER: unpacks the Chromium of `@sparticuz/chromium` there, with the libraries and the
 * font that it needs, so that it starts on a machine that has neither. A process of its own, since the package unpacks into the
 * temporary folder of its process, and under jest an ES module cannot be loaded.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inflate } from '@sparticuz/chromium'

const folder = process.argv[2] ?? ''
const packed = fileURLToPath(new URL('../bin/', import.meta.resolve('@sparticuz/chromium')))
mkdirSync(dirname(folder), { recursive: true })
const unpacked = mkdtempSync(`${folder}-`)
process.env['TMPDIR'] = unpacked

await Promise.all(['chromium.br', 'al2023.tar.br', 'fonts.tar.br'].map((name) => inflate(join(packed, name))))
// The package's own configuration names places of another system.
writeFileSync(
  join(unpacked, 'fonts', 'fonts.conf'),
  `<?xml version="1.0"?><fontconfig><dir>${folder}/fonts</dir><cachedir>${folder}/fonts/cache</cachedir></fontconfig>\n`,
)
try {
  // Whole or not at all: whoever finds the folder starts what is in it.
  renameSync(unpacked, folder)
} catch (error) {
  // Another process was first.
  if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
  rmSync(unpacked, { recursive: true })
}
