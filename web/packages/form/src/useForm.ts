import type { CaseForm, FieldError, SavedForm } from '@haoban/api'
import { type ApiError, newKey, toApiError } from '@haoban/api'
import { type Ref, computed, ref, shallowRef } from 'vue'
import { covers } from './schema'
import { at, put } from './when'

export interface FormPort {
  save: (version: number, data: Record<string, unknown>, key: string) => Promise<SavedForm>
}

export type SaveState = 'clean' | 'typing' | 'saving' | 'saved' | 'offline' | 'conflict' | 'failed'

export interface FormStore {
  data: Ref<Record<string, unknown>>
  errors: Ref<FieldError[]>
  /** The errors it is time to show: of fields that were answered, or whose page was left. */
  shown: Ref<FieldError[]>
  /** What the page itself finds missing; it is not sent anywhere. */
  local: Ref<FieldError[]>
  /** Shows what is wrong in these fields from now on. */
  reveal: (fields: string[]) => void
  version: Ref<number>
  state: Ref<SaveState>
  savedAt: Ref<string>
  problem: Ref<ApiError | null>
  unsaved: Ref<boolean>
  /** Which parts the house holds to be complete. */
  complete: Ref<Record<string, boolean>>
  get: (path: string) => unknown
  set: (path: string, value: unknown) => void
  /** Sends what is not saved yet; true if everything is with the house now. */
  flush: () => Promise<boolean>
  /** Takes what the house has now, keeps on top what was typed here and not saved. */
  rebase: (version: number, form: CaseForm) => void
  stop: () => void
}

/** Paths of lists and objects that a source filled and keeps. */
function locksOf(form: CaseForm): string[] {
  return form.facts.filter(f => f.locked && Array.isArray(at(form.data, f.path))).map(f => f.path)
}

interface Memory { getItem: (k: string) => string | null; setItem: (k: string, v: string) => void; removeItem: (k: string) => void }

/**
 * The answers of one case: what the house has, and on top what was typed and
 * is not saved yet. Each change is saved a moment later; what cannot be saved
 * is kept on this device and sent when it can be. Nothing typed is lost by a
 * dropped line, a closed page or somebody else's change.
 */
export function useForm(caseId: string, version0: number, form: CaseForm, port: FormPort, options: { memory?: Memory; delay?: number; retry?: number } = {}): FormStore {
  const memory = options.memory ?? sessionStorage
  const delay = options.delay ?? 600
  const retry = options.retry ?? 5000
  const slot = `form:${caseId}`
  const data = shallowRef<Record<string, unknown>>(form.data)
  const errors = shallowRef<FieldError[]>(form.errors)
  const version = ref(version0)
  const state = ref<SaveState>('clean')
  const savedAt = ref('')
  const problem = ref<ApiError | null>(null)
  const complete = shallowRef<Record<string, boolean>>(form.complete)
  const pending = shallowRef<Record<string, unknown>>({})
  /** Answers the house would not take as they stand; sent again once they are changed. */
  const refused = new Map<string, unknown>()
  /** Lists that a source vouches for: only single answers inside them may be sent. */
  let lockedLists = locksOf(form)
  /** A save whose answer was lost: sent again just as it was before anything else. */
  let lost: { key: string; version: number; data: Record<string, unknown> } | null = null
  const local = shallowRef<FieldError[]>([])
  const touched = shallowRef(new Set<string>())
  const revealed = shallowRef<string[]>([])
  let timer: ReturnType<typeof setTimeout> | undefined
  let running: Promise<boolean> | null = null

  /** A list is sent whole: its rows have no names of their own. */
  function rootOf(path: string): string {
    const keys = path.split('.')
    const n = keys.findIndex(k => /^\d+$/.test(k))
    const root = n < 0 ? path : keys.slice(0, n).join('.')
    return lockedLists.includes(root) ? path : root
  }

  function keep() {
    try {
      if (Object.keys(pending.value).length === 0) {
        memory.removeItem(slot)
      } else {
        memory.setItem(slot, JSON.stringify(pending.value))
      }
    } catch {
      // Storage full or forbidden: the answer is still on the page.
    }
  }

  function overlay(base: Record<string, unknown>): Record<string, unknown> {
    let out = base
    for (const [path, value] of Object.entries(pending.value)) {
      out = put(out, path, value === null ? undefined : value) as Record<string, unknown>
    }
    return out
  }

  function set(path: string, value: unknown) {
    data.value = put(data.value, path, value) as Record<string, unknown>
    const root = rootOf(path)
    pending.value = { ...pending.value, [root]: at(data.value, root) ?? null }
    errors.value = errors.value.filter(e => e.path !== path)
    touched.value = new Set([...touched.value, path])
    keep()
    if (state.value !== 'conflict') {
      state.value = 'typing'
      clearTimeout(timer)
      timer = setTimeout(() => { void flush() }, delay)
    }
  }

  async function flush(): Promise<boolean> {
    clearTimeout(timer)
    if (running !== null) {
      await running
    }
    if (Object.keys(sendable()).length === 0) {
      return Object.keys(pending.value).length === 0
    }
    if (state.value === 'conflict') {
      return false
    }
    running = save().finally(() => { running = null })
    return running
  }

  function sendable(): Record<string, unknown> {
    return Object.fromEntries(Object.entries(pending.value).filter(([k, v]) => !refused.has(k) || refused.get(k) !== v))
  }

  async function save(): Promise<boolean> {
    const go = lost ?? { key: newKey(), version: version.value, data: sendable() }
    lost = null
    const sending = go.data
    state.value = 'saving'
    try {
      const got = await port.save(go.version, sending, go.key)
      version.value = got.version
      complete.value = got.complete ?? complete.value
      savedAt.value = got.savedAt
      Object.keys(sending).forEach(k => refused.delete(k))
      const left: Record<string, unknown> = {}
      for (const [k, v] of Object.entries(pending.value)) {
        if (sending[k] !== v) {
          left[k] = v
        }
      }
      pending.value = left
      errors.value = [...got.errors, ...errors.value.filter(e => [...refused.keys()].some(k => e.path === k || e.path.startsWith(`${k}.`)))]
      problem.value = null
      keep()
      if (Object.keys(left).length > 0) {
        if (Object.keys(sendable()).length === 0) {
          state.value = 'failed'
          return false
        }
        state.value = 'typing'
        timer = setTimeout(() => { void flush() }, delay)
        return false
      }
      state.value = 'saved'
      return true
    } catch (err) {
      const e = toApiError(err)
      problem.value = e
      if (e.kind === 'conflict') {
        state.value = 'conflict'
      } else if (e.kind === 'offline' || e.kind === 'partner' || e.kind === 'busy') {
        state.value = 'offline'
        lost = go
        timer = setTimeout(() => { void flush() }, retry)
      } else {
        state.value = 'failed'
        if (e.fields.length > 0) {
          errors.value = [...errors.value.filter(x => !e.fields.some(f => f.path === x.path)), ...e.fields]
          const bad = Object.keys(sending).filter(k => e.fields.some(f => f.path === k || f.path.startsWith(`${k}.`) || k.startsWith(`${f.path}.`)))
          bad.forEach(k => refused.set(k, sending[k]))
          // One answer that cannot be taken does not hold up the others.
          if (bad.length > 0 && Object.keys(sendable()).length > 0) {
            return save()
          }
        }
      }
      return false
    }
  }

  function rebase(v: number, fresh: CaseForm) {
    version.value = v
    lockedLists = locksOf(fresh)
    data.value = overlay(fresh.data)
    errors.value = fresh.errors
    complete.value = fresh.complete
    problem.value = null
    lost = null
    if (Object.keys(pending.value).length > 0) {
      state.value = 'typing'
      clearTimeout(timer)
      timer = setTimeout(() => { void flush() }, delay)
    } else if (state.value !== 'saved') {
      state.value = 'clean'
    }
  }

  const online = () => {
    if (state.value === 'offline') {
      void flush()
    }
  }
  window.addEventListener('online', online)

  try {
    const kept = memory.getItem(slot)
    if (kept !== null) {
      pending.value = JSON.parse(kept) as Record<string, unknown>
      data.value = overlay(form.data)
      state.value = 'typing'
      timer = setTimeout(() => { void flush() }, delay)
    }
  } catch {
    memory.removeItem(slot)
  }

  return {
    data,
    errors,
    local,
    shown: computed(() => errors.value.filter(e => touched.value.has(e.path) || covers(revealed.value, e.path))),
    reveal: (fields) => { revealed.value = [...new Set([...revealed.value, ...fields])] },
    version,
    state,
    savedAt,
    complete,
    problem: problem as Ref<ApiError | null>,
    unsaved: computed(() => Object.keys(pending.value).length > 0),
    get: path => at(data.value, path),
    set,
    flush,
    rebase,
    stop: () => {
      clearTimeout(timer)
      window.removeEventListener('online', online)
    },
  }
}
