import { type Ref, type ShallowRef, onScopeDispose, ref, shallowRef } from 'vue'
import { type ApiError, toApiError } from './error'

export interface Load<T> {
  data: ShallowRef<T | null>
  error: Ref<ApiError | null>
  /** True only while there is nothing to show yet; a reload keeps the page as it stands. */
  loading: Ref<boolean>
  reload: () => Promise<void>
}

/** Fetches what a page shows. The newest request wins; an old answer never overwrites it. */
export function useLoad<T>(fn: () => Promise<T>, options: { now?: boolean } = {}): Load<T> {
  const data = shallowRef<T | null>(null)
  const error = ref<ApiError | null>(null)
  const loading = ref(options.now !== false)
  let turn = 0
  let gone = false

  async function reload(): Promise<void> {
    const mine = ++turn
    if (data.value === null) {
      loading.value = true
    }
    try {
      const got = await fn()
      if (mine === turn && !gone) {
        data.value = got
        error.value = null
      }
    } catch (err) {
      if (mine === turn && !gone) {
        error.value = toApiError(err)
      }
    } finally {
      if (mine === turn) {
        loading.value = false
      }
    }
  }

  onScopeDispose(() => { gone = true }, true)
  if (options.now !== false) {
    void reload()
  }
  return { data, error: error as Ref<ApiError | null>, loading, reload }
}
