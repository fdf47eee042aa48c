import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser } from 'playwright-core'
import { devDependencies } from '../../package.json'

/** Once for each `npm ci`: unpacking takes seconds. */
const folder = join(process.cwd(), 'node_modules', '.cache', `chromium-${devDependencies['@sparticuz/chromium']}`)

/**
 * A real Chromium without a window. On Linux on x64 it is the one that comes by npm (docs/decisions/0036-browser.md), elsewhere the
 * Chrome that is installed.
 */
export async function openBrowser(): Promise<Browser> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return chromium.launch({ channel: 'chrome' })
  if (!existsSync(folder))
    execFileSync(process.execPath, [join(process.cwd(), 'test', 'pages', 'unpack-chromium.mjs'), folder])
  return chromium.launch({
    executablePath: join(folder, 'chromium'),
    // Containers give no user namespaces, and what is shown is our own.
    chromiumSandbox: false,
    args: ['--no-zygote', '--disable-gpu'],
    env: {
      ...process.env,
      LD_LIBRARY_PATH: join(folder, 'al2023', 'lib'),
      FONTCONFIG_PATH: join(folder, 'fonts'),
    },
  })
}
