import { systemChance } from '../../src/base/chance'
import { createIdMaker, type DatasetId, type LinkUploadId } from '../../src/base/ids'
import { Problem } from '../../src/base/problem'
import type { TenantScope } from '../../src/storage/tenant-scope'
import { supervised } from '../datasets/dataset-parts'
import type { ControlPlaneServer } from './control-plane-server'

/** A dataset that is validated, for no host reads it here. */
export async function keepDataset({ parts, clock }: ControlPlaneServer, scope: TenantScope): Promise<DatasetId> {
  const ids = createIdMaker({ clock, chance: systemChance() })
  const by = ids.keyId()
  const content = Buffer.from([...supervised(12), '{}'].map((line) => `${line}\n`).join(''))
  const meta = { filename: 'train.jsonl', purpose: 'fine-tune', createdBy: by } as const
  const file = sound(
    await parts.files.files.create(
      scope,
      meta,
      (async function* () {
        yield content
      })(),
    ),
  )
  const { datasets } = parts.controlPlane
  const asked = { fileId: file.id, baseModel: 'gpt-4.1', role: 'training', trainingType: 'standard' } as const
  const { id } = sound(await datasets.create(scope, by, { ...asked, id: ids.datasetId(), hasConsent: false }))
  await datasets.validate(scope, id)
  return id
}

/** An upload whose client may write. */
export async function openUpload({ parts, clock }: ControlPlaneServer, scope: TenantScope): Promise<LinkUploadId> {
  const ids = createIdMaker({ clock, chance: systemChance() })
  const wanted = { id: ids.linkUploadId(), filename: 'train.jsonl', bytes: undefined, createdBy: ids.keyId() }
  sound(await parts.controlPlane.linkUploads.create(scope, wanted))
  return wanted.id
}

function sound<T>(result: T | Problem): T {
  if (result instanceof Problem) throw new Error(result.public)
  return result
}
