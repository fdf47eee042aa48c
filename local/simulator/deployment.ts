import { StandardAdmission, unlimitedAdmission, type Admission } from './admission'
import type { DeploymentConfig } from './config'
import { StandingFaults } from './faults'
import type { Recall } from './fine-tuning/recall'
import { modelFacts, type ModelFacts } from './model-catalogue'
import { PrefixCache } from './prefix-cache'
import { ProvisionedAdmission } from './provisioned'
import { hashText, mixHash, seededRandom, type Random } from './random'
import { loadTokenizer, type Tokenizer } from './tokens'

/** One model deployment at work: its configuration and what it remembers between calls. */
export interface Deployment {
  readonly name: string
  readonly config: DeploymentConfig
  readonly facts: ModelFacts
  readonly tokenizer: Tokenizer
  readonly admission: Admission
  readonly faults: StandingFaults
  readonly prefixes: PrefixCache
  /** Jitter and the dice of faults; seeded, so that a run of the same calls in the same order repeats itself. */
  readonly random: Random
  readonly systemFingerprint: string
  /** What a tuned model has learned; undefined for a base model. */
  readonly recall: Recall | undefined
  /** Told of each call that keeps a tuned model's deployment from being idle. */
  readonly called: (() => void) | undefined
}

/** What a deployment of a tuned model has beside others. */
export type Tuned = Pick<Deployment, 'recall' | 'called'>
const untuned: Tuned = { recall: undefined, called: undefined }

/** Opens a deployment; loads its tokenizer, so that the first call does not pay for it. */
export async function openDeployment(
  name: string,
  config: DeploymentConfig,
  seed: number,
  tuned: Tuned = untuned,
): Promise<Deployment> {
  const facts = modelFacts(config.model)
  const random = seededRandom(mixHash(seed, hashText(name)))
  return {
    name,
    config,
    facts,
    tokenizer: await loadTokenizer(facts.encoding),
    admission: openAdmission(config, facts),
    faults: new StandingFaults(config.faults, random),
    prefixes: new PrefixCache(),
    random,
    systemFingerprint: `fp_${hashText(config.model).toString(16).padStart(10, '0')}`,
    ...tuned,
  }
}

/**
 * The deployment under a changed configuration. What the change does not touch goes on: counters keep their fill unless
 * the limit changed, and faults are armed anew only when the patch named them.
 */
export async function changeDeployment(
  before: Deployment,
  config: DeploymentConfig,
  change: { seed: number; rearmFaults: boolean; tuned?: Tuned | undefined },
): Promise<Deployment> {
  const fresh = await openDeployment(before.name, config, change.seed, change.tuned)
  const sameLimit =
    before.facts === fresh.facts && JSON.stringify(before.config.admission) === JSON.stringify(config.admission)
  return {
    ...fresh,
    admission: sameLimit ? before.admission : fresh.admission,
    faults: change.rearmFaults ? fresh.faults : before.faults,
    prefixes: before.facts === fresh.facts ? before.prefixes : fresh.prefixes,
  }
}

function openAdmission({ admission }: DeploymentConfig, facts: ModelFacts): Admission {
  switch (admission.kind) {
    case 'unlimited':
    // Lines of batches wait for nobody; what is enqueued is counted where batches are.
    case 'batch':
      return unlimitedAdmission
    case 'standard': {
      const byCapacity = Math.max(1, Math.ceil((admission.tokensPerMinute / 1_000) * facts.requestsPerThousandTokens))
      return new StandardAdmission({
        tokensPerMinute: admission.tokensPerMinute,
        requestsPerMinute: admission.requestsPerMinute ?? byCapacity,
        refusals: admission.refusals,
      })
    }
    case 'provisioned': {
      // The configuration was refused if the model is not sold provisioned.
      if (facts.provisioned === undefined) throw new Error(`${facts.name} has no provisioned units`)
      return new ProvisionedAdmission({ units: admission.units, ...facts.provisioned })
    }
  }
}
