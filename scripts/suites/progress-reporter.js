const { relative } = require('node:path')

/** Of one suite: what they all wait for may have failed, and then they say the same. */
const FAILURES_SHOWN_MAX = 20

/**
 * Jest's reporter of long runs (scripts/suites/run-suites.js): says which suite begins and which has ended, of how many and how far
 * into the run, with a suite's failures as soon as it has ended; at the end what each took and how to run again what failed.
 */
class ProgressReporter {
  #root
  #ended = []
  #count = 0
  #beganAt = Date.now()

  constructor({ rootDir }) {
    this.#root = rootDir
  }

  onRunStart({ numTotalTestSuites }) {
    this.#count = numTotalTestSuites
    console.log(`${count(numTotalTestSuites, 'suite')}\n`)
  }

  onTestFileStart({ path }) {
    console.log(`${this.#soFar()}  begins   ${this.#name(path)}`)
  }

  onTestFileResult({ path }, result) {
    const suite = summaryOf(this.#name(path), result)
    this.#ended.push(suite)
    const position = `${this.#ended.length} of ${this.#count}`
    console.log(`${this.#soFar()}  ${suite.outcome}   ${suite.name}: ${describe(suite)} (${position})`)
    if (suite.outcome === 'FAILED') console.log(`\n${printed(result)}${firstOf(result.failureMessage)}\n`)
  }

  onRunComplete() {
    console.log(`\n${summaryTable(this.#ended)}\n\n${total(this.#ended)}, ${duration(Date.now() - this.#beganAt)}`)
    const failed = this.#ended.filter(({ outcome }) => outcome === 'FAILED')
    const command = process.env.TENANTRY_TEST_COMMAND
    if (command) for (const { name } of failed) console.log(`  npm run ${command} -- --only ${name}`)
  }

  #name(path) {
    return relative(this.#root, path).replaceAll('\\', '/')
  }

  #soFar() {
    return duration(Date.now() - this.#beganAt).padStart(10)
  }
}

/** A suite that could not be loaded has failed, without a test that has. */
function summaryOf(name, result) {
  const { numPassingTests: passed, numFailingTests: failed, numPendingTests: skipped, perfStats } = result
  const broken = failed > 0 || result.testExecError !== undefined
  return {
    name,
    outcome: broken ? 'FAILED' : 'passed',
    passed,
    failed,
    skipped,
    tookMs: perfStats.end - perfStats.start,
  }
}

/** What the tests of a suite wrote. Of one that passes nobody needs it. */
const printed = ({ console: lines }) =>
  (lines ?? []).map(({ type, message, origin }) => `console.${type}: ${message}\n${origin}\n`).join('')

function firstOf(failureMessage) {
  const failures = failureMessage.split(/^(?= {2}● )/m)
  const left = failures.length - FAILURES_SHOWN_MAX
  return left > 0 ? `${failures.slice(0, FAILURES_SHOWN_MAX).join('')}  … and ${left} more\n` : failureMessage
}

/** One line per suite, those that took longest first, since they are what whoever waits asks about. */
function summaryTable(suites) {
  const width = Math.max(...suites.map(({ name }) => name.length))
  return [...suites]
    .sort((one, other) => other.tookMs - one.tookMs)
    .map((suite) => `${suite.outcome}  ${suite.name.padEnd(width)}  ${describe(suite)}`)
    .join('\n')
}

const describe = ({ passed, failed, skipped, tookMs }) =>
  [
    `${passed} passed`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    duration(tookMs),
  ].join(', ')

function total(suites) {
  const sum = (of) => suites.reduce((before, suite) => before + suite[of], 0)
  const failed = suites.filter(({ outcome }) => outcome === 'FAILED').length
  const tests = [`${sum('passed')} passed`, `${sum('failed')} failed`, `${sum('skipped')} skipped`].join(', ')
  return `${count(suites.length, 'suite')}, ${failed} failed; tests: ${tests}`
}

const count = (number, noun) => `${number} ${noun}${number === 1 ? '' : 's'}`

const duration = (ms) => {
  const seconds = Math.round(ms / 1_000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
}

module.exports = ProgressReporter
