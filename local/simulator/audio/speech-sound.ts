import { seededRandom } from '../random'

export type SoundFormat = 'mp3' | 'opus' | 'aac' | 'flac' | 'wav' | 'pcm'

export const soundTypes: Readonly<Record<SoundFormat, string>> = {
  mp3: 'audio/mpeg',
  opus: 'audio/opus',
  aac: 'audio/aac',
  flac: 'audio/flac',
  wav: 'audio/wav',
  pcm: 'audio/pcm',
}

/** 24 kHz, 16 bits, one channel: what the service's uncompressed speech is. */
const SAMPLES_PER_SECOND = 24_000
const SAMPLE_BYTES = 2
const TONE_HERTZ = 220
const AMPLITUDE = 8_000
const WAV_HEADER_BYTES = 44
/** A frame of MPEG-1 layer III at 128 kbit/s and 44.1 kHz: its header, then nothing, which is silence. */
const MP3_HEADER = [0xff, 0xfb, 0x90, 0x00]
const MP3_FRAME_BYTES = 417
const MP3_SAMPLES_PER_FRAME = 1_152
const MP3_SAMPLES_PER_SECOND = 44_100
const OTHER_BYTES_PER_SECOND = 8_000
const signatures = { opus: 'OggS', flac: 'fLaC', aac: '\u00ff\u00f1' } as const

/** A sound of this length. WAV and PCM are a tone and MP3 is silence; of the others only the signature is real. */
export function speechSound(format: SoundFormat, seconds: number, seed: number): Buffer {
  switch (format) {
    case 'pcm':
      return tone(seconds)
    case 'wav': {
      const samples = tone(seconds)
      return Buffer.concat([wavHeader(samples.length), samples])
    }
    case 'mp3': {
      const frames = Math.max(1, Math.ceil((seconds * MP3_SAMPLES_PER_SECOND) / MP3_SAMPLES_PER_FRAME))
      const sound = Buffer.alloc(frames * MP3_FRAME_BYTES)
      for (let at = 0; at < sound.length; at += MP3_FRAME_BYTES) sound.set(MP3_HEADER, at)
      return sound
    }
    case 'opus':
    case 'aac':
    case 'flac': {
      const random = seededRandom(seed)
      const sound = Buffer.alloc(Math.ceil(seconds * OTHER_BYTES_PER_SECOND))
      for (let at = 0; at < sound.length; at++) sound[at] = random() * 256
      sound.write(signatures[format], 0, 'latin1')
      return sound
    }
  }
}

function tone(seconds: number): Buffer {
  const samples = Math.ceil(seconds * SAMPLES_PER_SECOND)
  const sound = Buffer.alloc(samples * SAMPLE_BYTES)
  for (let sample = 0; sample < samples; sample++) {
    const value = Math.sin((2 * Math.PI * TONE_HERTZ * sample) / SAMPLES_PER_SECOND)
    sound.writeInt16LE(Math.round(value * AMPLITUDE), sample * SAMPLE_BYTES)
  }
  return sound
}

function wavHeader(bytes: number): Buffer {
  const header = Buffer.alloc(WAV_HEADER_BYTES)
  header.write('RIFF', 0)
  header.writeUInt32LE(bytes + WAV_HEADER_BYTES - 8, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(SAMPLES_PER_SECOND, 24)
  header.writeUInt32LE(SAMPLES_PER_SECOND * SAMPLE_BYTES, 28)
  header.writeUInt16LE(SAMPLE_BYTES, 32)
  header.writeUInt16LE(SAMPLE_BYTES * 8, 34)
  header.write('data', 36)
  header.writeUInt32LE(bytes, 40)
  return header
}
