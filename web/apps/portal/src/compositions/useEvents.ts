import { listen } from '@haoban/api'
import { onMounted, onUnmounted } from 'vue'
import { api } from '../store'

/** Calls back when the house says that a case, or anything at all, has changed. */
export function useEvents(changed: (caseId: string) => void): void {
  let line: { close: () => void } | undefined
  onMounted(() => {
    if (typeof EventSource === 'undefined') {
      return
    }
    const id = (d: unknown) => (typeof d === 'object' && d !== null && 'id' in d ? String((d as { id: unknown }).id) : '')
    line = listen(api.eventsUrl(), { on: { case: d => changed(id(d)), todo: () => changed('') }, onBack: () => changed('') })
  })
  onUnmounted(() => line?.close())
}
