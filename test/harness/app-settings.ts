import { join } from 'node:path'

const OWN_MODULES_ONLY = join(__dirname, 'own-modules-only.cjs')

/** The environment of a host that runs the app of another folder, and nothing that is not in there. */
export const appSettings = (appFolder: string): Record<string, string> => ({
  TENANTRY_TEST_APP: appFolder,
  NODE_PATH: '',
  NODE_OPTIONS: `--require ${JSON.stringify(OWN_MODULES_ONLY)}`,
})
