import { type ApiError, type Page, toApiError } from '@haoban/api'
import { type Ref, ref, shallowRef } from 'vue'

export interface List<T> {
  items: Ref<T[]>
  state: Ref<'loading' | 'more' | 'end' | 'failed'>
  error: Ref<ApiError | null>
  more: () => Promise<void>
  restart: () => void
}

/** A list that is read page by page. */
export function useList<T>(fetchPage: (cursor: string) => Promise<Page<T>>): List<T> {
  const items = shallowRef<T[]>([])
  const state = ref<'loading' | 'more' | 'end' | 'failed'>('loading')
  const error = ref<ApiError | null>(null)
  let cursor = ''
  let turn = 0

  async function more() {
    const mine = ++turn
    state.value = 'loading'
    error.value = null
    try {
      const got = await fetchPage(cursor)
      if (mine !== turn) {
        return
      }
      items.value = [...items.value, ...got.items]
      cursor = got.next
      state.value = cursor === '' ? 'end' : 'more'
    } catch (err) {
      if (mine === turn) {
        error.value = toApiError(err)
        state.value = 'failed'
      }
    }
  }
  function restart() {
    cursor = ''
    items.value = []
    void more()
  }
  restart()
  return { items, state, error: error as Ref<ApiError | null>, more, restart }
}
