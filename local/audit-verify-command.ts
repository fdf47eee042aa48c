import { auditVerify } from './audit-verify'

void auditVerify(process.argv.slice(2), process.env, { print: console.log, note: console.error }).then((code) => {
  process.exitCode = code
})
