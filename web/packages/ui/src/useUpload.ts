import type { CaseView } from '@haoban/api'
import { newKey, toApiError } from '@haoban/api'
import { type Ref, computed, ref } from 'vue'
import { sm3Hex } from './sm3'

/** The four routes of a resumable upload. */
export interface UploadPort {
  beginUpload: (body: { caseId: string; node: string; name: string; size: number; mime: string }, key?: string) => Promise<{ id: string; offset: number; chunkSize: number }>
  uploadState: (id: string) => Promise<{ offset: number; size: number }>
  uploadChunk: (id: string, offset: number, bytes: ArrayBuffer, sm3: string, signal?: AbortSignal) => Promise<{ offset: number }>
  finishUpload: (id: string, key?: string) => Promise<CaseView>
}

export type UploadStatus = 'idle' | 'sending' | 'paused' | 'waiting' | 'checking' | 'done' | 'failed'

export interface Upload {
  status: Ref<UploadStatus>
  progress: Ref<number>
  offset: Ref<number>
  size: Ref<number>
  name: Ref<string>
  message: Ref<string>
  start: (file: File, at: { caseId: string; node: string }) => Promise<CaseView | undefined>
  pause: () => void
  resume: () => Promise<CaseView | undefined>
  cancel: () => void
}

interface Memory { getItem: (k: string) => string | null; setItem: (k: string, v: string) => void; removeItem: (k: string) => void }

const defaultChunk = 1 << 20

/**
 * Sends a file in pieces, the SM3 of each piece with it. It goes on where it
 * stopped: after a pause, a lost network, or on another visit with the same
 * file on the same device.
 */
export function useUpload(port: UploadPort, options: { memory?: Memory; wait?: (ms: number) => Promise<void> } = {}): Upload {
  const memory = options.memory ?? localStorage
  const wait = options.wait ?? ((ms: number) => new Promise<void>((r) => {
    const t = setTimeout(r, ms)
    window.addEventListener('online', () => { clearTimeout(t); r() }, { once: true })
  }))
  const status = ref<UploadStatus>('idle')
  const offset = ref(0)
  const size = ref(0)
  const name = ref('')
  const message = ref('')
  let file: File | null = null
  let place = { caseId: '', node: '' }
  let id = ''
  let chunk = defaultChunk
  let abort: AbortController | null = null
  let turn = 0
  let finishKey = ''

  const slot = () => `upload:${place.caseId}:${place.node}:${file?.name}:${file?.size}:${file?.lastModified}`

  async function start(f: File, at: { caseId: string; node: string }) {
    file = f
    place = at
    name.value = f.name
    size.value = f.size
    offset.value = 0
    message.value = ''
    id = ''
    finishKey = newKey()
    const kept = memory.getItem(slot())
    if (kept !== null) {
      const [keptId, keptChunk] = kept.split('|')
      try {
        const s = await port.uploadState(keptId ?? '')
        id = keptId ?? ''
        chunk = Number(keptChunk) || defaultChunk
        offset.value = s.offset
      } catch {
        memory.removeItem(slot())
      }
    }
    return send(newKey())
  }

  async function send(key: string): Promise<CaseView | undefined> {
    const f = file
    if (f === null) {
      return undefined
    }
    const mine = ++turn
    status.value = 'sending'
    let tries = 0
    for (;;) {
      try {
        if (id === '') {
          const begun = await port.beginUpload({ ...place, name: f.name, size: f.size, mime: f.type || 'application/octet-stream' }, key)
          id = begun.id
          offset.value = begun.offset
          chunk = begun.chunkSize > 0 ? begun.chunkSize : defaultChunk
          memory.setItem(slot(), `${id}|${chunk}`)
        }
        while (offset.value < f.size) {
          if (mine !== turn) {
            return undefined
          }
          const bytes = await f.slice(offset.value, offset.value + chunk).arrayBuffer()
          abort = new AbortController()
          const got = await port.uploadChunk(id, offset.value, bytes, await sm3Hex(bytes), abort.signal)
          offset.value = got.offset
          tries = 0
          status.value = 'sending'
        }
        if (mine !== turn) {
          return undefined
        }
        status.value = 'checking'
        const view = await port.finishUpload(id, finishKey)
        memory.removeItem(slot())
        status.value = 'done'
        return view
      } catch (err) {
        if (mine !== turn) {
          return undefined
        }
        const e = toApiError(err)
        if (e.status === 409 && id !== '' && tries < 3) {
          // The house has more or less than we thought: go on from where it stands.
          tries++
          try {
            offset.value = (await port.uploadState(id)).offset
            continue
          } catch {
            // Falls through to the failure below.
          }
        }
        if ((e.kind === 'offline' || e.kind === 'partner' || e.kind === 'busy') && tries < 60) {
          tries++
          status.value = 'waiting'
          message.value = e.kind === 'offline' ? '网络断了，联网后自动接着传' : '服务忙，稍后自动接着传'
          await wait(Math.min(1000 * 2 ** Math.min(tries, 5), 30_000))
          if (mine !== turn) {
            return undefined
          }
          continue
        }
        if (e.kind === 'notfound') {
          memory.removeItem(slot())
          id = ''
        }
        status.value = 'failed'
        message.value = e.title
        return undefined
      }
    }
  }

  return {
    status,
    progress: computed(() => (size.value === 0 ? 0 : Math.floor((offset.value / size.value) * 100))),
    offset,
    size,
    name,
    message,
    start,
    pause: () => {
      turn++
      abort?.abort()
      status.value = 'paused'
    },
    resume: () => send(newKey()),
    cancel: () => {
      turn++
      abort?.abort()
      if (file !== null) {
        memory.removeItem(slot())
      }
      file = null
      id = ''
      status.value = 'idle'
    },
  }
}
