import type { Answer, Question } from '@haoban/api'
import { newKey, toApiError } from '@haoban/api'
import { type Ref, computed, onScopeDispose, ref, shallowRef } from 'vue'
import { sm3Hex } from './sm3'

export interface RecorderPort {
  start: (mime: string, key: string) => Promise<{ recordingId: string }>
  chunk: (id: string, n: number, bytes: ArrayBuffer, sm3: string, key: string) => Promise<void>
  finish: (id: string, body: { answers: Answer[]; durationMs: number; mime: string }, key: string) => Promise<void>
}

export type RecorderState = 'idle' | 'asking' | 'ready' | 'recording' | 'sending' | 'done' | 'denied' | 'nodevice' | 'unsupported' | 'failed'

export interface Recorder {
  state: Ref<RecorderState>
  stream: Ref<MediaStream | null>
  /** Which question is being asked, from 0. */
  at: Ref<number>
  elapsed: Ref<number>
  sent: Ref<number>
  waiting: Ref<number>
  offline: Ref<boolean>
  message: Ref<string>
  prepare: () => Promise<void>
  begin: () => Promise<void>
  next: (answer?: string) => Promise<void>
  redo: () => Promise<void>
}

interface Piece { n: number; bytes: ArrayBuffer; sm3: string; key: string }

export interface RecorderOptions {
  media?: (want: MediaStreamConstraints) => Promise<MediaStream>
  record?: (stream: MediaStream, mime: string) => MediaRecorder
  supports?: (mime: string) => boolean
  wait?: (ms: number) => Promise<void>
  sliceMs?: number
}

const mimes = ['video/webm;codecs=vp8,opus', 'video/webm;codecs=vp9,opus', 'video/webm', 'video/mp4']

/**
 * Records a person answering questions, in pieces of two seconds. Each piece
 * is hashed as it comes and sent in order; a lost network stops nothing, the
 * pieces wait in memory and go when it is back.
 */
export function useRecorder(port: RecorderPort, questions: () => Question[], options: RecorderOptions = {}): Recorder {
  const slice = options.sliceMs ?? 2000
  const wait = options.wait ?? ((ms: number) => new Promise<void>((r) => {
    const t = setTimeout(r, ms)
    window.addEventListener('online', () => { clearTimeout(t); r() }, { once: true })
  }))
  const supports = options.supports ?? ((m: string) => typeof MediaRecorder !== 'undefined' && MediaRecorder.isTypeSupported(m))

  const state = ref<RecorderState>('idle')
  const stream = shallowRef<MediaStream | null>(null)
  const at = ref(0)
  const elapsed = ref(0)
  const sent = ref(0)
  const queue = shallowRef<Piece[]>([])
  const hashing = ref(0)
  const offline = ref(false)
  const message = ref('')

  let recorder: MediaRecorder | null = null
  let recordingId = ''
  let mime = ''
  let begun = 0
  let answers: Answer[] = []
  let askedAt = 0
  let count = 0
  let tick: ReturnType<typeof setInterval> | undefined
  let pumping: Promise<void> | null = null
  let chain: Promise<void> = Promise.resolve()
  let turn = 0

  function release() {
    clearInterval(tick)
    stream.value?.getTracks().forEach(t => t.stop())
    stream.value = null
  }
  onScopeDispose(() => {
    turn++
    if (recorder !== null && recorder.state !== 'inactive') {
      recorder.stop()
    }
    release()
  }, true)

  async function prepare() {
    const media = options.media ?? (navigator.mediaDevices ? (w: MediaStreamConstraints) => navigator.mediaDevices.getUserMedia(w) : undefined)
    mime = mimes.find(supports) ?? ''
    if (media === undefined || mime === '') {
      state.value = 'unsupported'
      return
    }
    state.value = 'asking'
    try {
      stream.value = await media({ video: { facingMode: 'user', width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 15, max: 24 } }, audio: { echoCancellation: true } })
      state.value = 'ready'
    } catch (err) {
      const name = err instanceof Error ? err.name : ''
      state.value = name === 'NotAllowedError' || name === 'SecurityError' ? 'denied' : name === 'NotFoundError' || name === 'OverconstrainedError' ? 'nodevice' : 'failed'
      message.value = name === 'NotReadableError' ? '摄像头正被别的程序使用，请关掉后再试' : ''
    }
  }

  async function begin() {
    if (stream.value === null || state.value !== 'ready') {
      return
    }
    const mine = ++turn
    message.value = ''
    try {
      recordingId = (await port.start(mime, newKey())).recordingId
    } catch (err) {
      message.value = toApiError(err).title
      return
    }
    if (mine !== turn || stream.value === null) {
      return
    }
    answers = []
    at.value = 0
    sent.value = 0
    count = 0
    queue.value = []
    recorder = options.record?.(stream.value, mime) ?? new MediaRecorder(stream.value, { mimeType: mime, videoBitsPerSecond: 600_000, audioBitsPerSecond: 48_000 })
    recorder.ondataavailable = (e) => {
      if (e.data.size > 0) {
        take(e.data, mine)
      }
    }
    recorder.start(slice)
    begun = performance.now()
    askedAt = 0
    elapsed.value = 0
    tick = setInterval(() => { elapsed.value = performance.now() - begun }, 500)
    state.value = 'recording'
  }

  function take(data: Blob, mine: number) {
    const n = count++
    hashing.value++
    chain = chain.then(async () => {
      const bytes = await data.arrayBuffer()
      const sm3 = await sm3Hex(bytes)
      hashing.value--
      if (mine === turn) {
        queue.value = [...queue.value, { n, bytes, sm3, key: newKey() }]
        pumping ??= pump(mine).finally(() => { pumping = null })
      }
    })
  }

  async function pump(mine: number) {
    let tries = 0
    while (queue.value.length > 0 && mine === turn) {
      const piece = queue.value[0]!
      try {
        await port.chunk(recordingId, piece.n, piece.bytes, piece.sm3, piece.key)
        queue.value = queue.value.slice(1)
        sent.value++
        offline.value = false
        tries = 0
      } catch (err) {
        const e = toApiError(err)
        if (e.kind === 'offline' || e.kind === 'partner' || e.kind === 'busy') {
          offline.value = true
          tries++
          await wait(Math.min(1000 * 2 ** Math.min(tries, 4), 15_000))
          continue
        }
        if (mine === turn) {
          turn++
          recorder?.stop()
          release()
          message.value = e.title
          state.value = 'failed'
        }
        return
      }
    }
  }

  async function next(answer = '已口头回答') {
    const q = questions()[at.value]
    if (state.value !== 'recording' || q === undefined) {
      return
    }
    answers.push({ q: q.id, a: answer, atMs: Math.round(askedAt) })
    askedAt = performance.now() - begun
    if (at.value < questions().length - 1) {
      at.value++
      return
    }
    await finish()
  }

  async function finish() {
    const mine = turn
    const durationMs = Math.round(performance.now() - begun)
    clearInterval(tick)
    state.value = 'sending'
    const r = recorder
    if (r !== null && r.state !== 'inactive') {
      await new Promise<void>((done) => {
        r.addEventListener('stop', () => done(), { once: true })
        r.stop()
      })
    }
    release()
    await chain
    while (pumping !== null && mine === turn) {
      await pumping
    }
    const key = newKey()
    for (let tries = 0; mine === turn; tries++) {
      try {
        await port.finish(recordingId, { answers, durationMs, mime }, key)
        state.value = 'done'
        return
      } catch (err) {
        const e = toApiError(err)
        if (e.kind === 'offline' || e.kind === 'partner') {
          offline.value = true
          await wait(Math.min(1000 * 2 ** Math.min(tries + 1, 4), 15_000))
          continue
        }
        message.value = e.title
        state.value = 'failed'
        return
      }
    }
  }

  async function redo() {
    turn++
    if (recorder !== null && recorder.state !== 'inactive') {
      recorder.stop()
    }
    release()
    queue.value = []
    offline.value = false
    message.value = ''
    await prepare()
  }

  return { state, stream, at, elapsed, sent, waiting: computed(() => queue.value.length + hashing.value), offline, message, prepare, begin, next, redo }
}
