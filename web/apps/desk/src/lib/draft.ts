import { type Ref, ref, watch } from 'vue'

/** Text somebody types that outlives a reload of the page and a new login, in this window only. */
export function useDraft(key: () => string): Ref<string> {
  const read = () => {
    try {
      return sessionStorage.getItem(key()) ?? ''
    } catch {
      return ''
    }
  }
  const text = ref(read())
  watch(key, () => { text.value = read() })
  watch(text, (v) => {
    try {
      if (v === '') {
        sessionStorage.removeItem(key())
      } else {
        sessionStorage.setItem(key(), v)
      }
    } catch {
      // A browser that keeps nothing still takes the text.
    }
  })
  return text
}
