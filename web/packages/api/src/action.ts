import { type Ref, ref } from 'vue'
import { newKey } from './client'
import { type ApiError, toApiError } from './error'

export interface Action<A extends unknown[], R> {
  busy: Ref<boolean>
  error: Ref<ApiError | null>
  run: (...args: A) => Promise<R | undefined>
  clear: () => void
}

/**
 * One thing a person does. The idempotency key stays the same while the same
 * thing is tried again after a lost answer, and is new once the house has
 * answered, whether with yes or no. A second press while busy does nothing.
 */
export function useAction<A extends unknown[], R>(fn: (key: string, ...args: A) => Promise<R>): Action<A, R> {
  const busy = ref(false)
  const error = ref<ApiError | null>(null)
  let key = ''
  let sent = ''

  async function run(...args: A): Promise<R | undefined> {
    if (busy.value) {
      return undefined
    }
    const what = JSON.stringify(args, (_k, v: unknown) => (v instanceof Blob || v instanceof ArrayBuffer ? '' : v))
    if (key === '' || what !== sent) {
      key = newKey()
      sent = what
    }
    busy.value = true
    error.value = null
    try {
      const out = await fn(key, ...args)
      key = ''
      return out
    } catch (err) {
      const e = toApiError(err)
      if (e.kind !== 'offline' && e.kind !== 'partner') {
        key = ''
      }
      error.value = e
      return undefined
    } finally {
      busy.value = false
    }
  }

  return { busy, error: error as Ref<ApiError | null>, run, clear: () => { error.value = null } }
}
