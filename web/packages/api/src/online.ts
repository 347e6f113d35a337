import { type Ref, onScopeDispose, readonly, ref } from 'vue'

/** Whether the device says it has a network. */
export function useOnline(): Readonly<Ref<boolean>> {
  const on = ref(typeof navigator === 'undefined' ? true : navigator.onLine)
  const up = () => { on.value = true }
  const down = () => { on.value = false }
  window.addEventListener('online', up)
  window.addEventListener('offline', down)
  onScopeDispose(() => {
    window.removeEventListener('online', up)
    window.removeEventListener('offline', down)
  }, true)
  return readonly(on)
}
