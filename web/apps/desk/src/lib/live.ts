import { type InboxCounts, type Listener, listen } from '@haoban/api'
import { onScopeDispose, ref, shallowRef } from 'vue'
import { api, waiting } from '../store'

/** The numbers beside the views, as they change. */
export const counts = shallowRef<InboxCounts | null>(null)
/** False while the line is down; the page still works, it only hears nothing. */
export const lineUp = ref(true)

const onTasks = new Set<() => void>()
const onCase = new Set<(id: string) => void>()
let line: Listener | null = null

export function setCounts(c: InboxCounts) {
  counts.value = c
  waiting.value = c.all
}

async function ask() {
  try {
    setCounts(await api.inboxCounts())
  } catch {
    // The numbers come again with the next event.
  }
}

/** Opens the one line of the page; closes with the desk. */
export function useLive() {
  void ask()
  line ??= listen(api.eventsUrl(), {
    on: {
      task: (data) => {
        setCounts(data as InboxCounts)
        onTasks.forEach(f => f())
      },
      case: data => onCase.forEach(f => f((data as { id: string }).id)),
    },
    onLine: (up) => { lineUp.value = up },
    onBack: () => {
      void ask()
      onTasks.forEach(f => f())
      onCase.forEach(f => f(''))
    },
  })
  onScopeDispose(() => {
    line?.close()
    line = null
  })
}

/** Calls back, at most once in a while, when an inbox may have changed. */
export function useTaskNews(f: () => void, every = 1500) {
  let timer: ReturnType<typeof setTimeout> | undefined
  const hear = () => {
    timer ??= setTimeout(() => {
      timer = undefined
      f()
    }, every)
  }
  const some = () => hear()
  onTasks.add(hear)
  onCase.add(some)
  onScopeDispose(() => {
    clearTimeout(timer)
    onTasks.delete(hear)
    onCase.delete(some)
  })
}

/** Calls back when this case changed, or when something may have been missed. */
export function useCaseNews(id: () => string, f: () => void, every = 800) {
  let timer: ReturnType<typeof setTimeout> | undefined
  const hear = (which: string) => {
    if (which === '' || which === id()) {
      timer ??= setTimeout(() => {
        timer = undefined
        f()
      }, every)
    }
  }
  onCase.add(hear)
  onScopeDispose(() => {
    clearTimeout(timer)
    onCase.delete(hear)
  })
}
