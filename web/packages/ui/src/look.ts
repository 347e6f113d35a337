import { ref, watch } from 'vue'

export type Theme = 'auto' | 'light' | 'dark'

const read = (key: string) => {
  try {
    return localStorage.getItem(key) ?? ''
  } catch {
    return ''
  }
}
const write = (key: string, value: string) => {
  try {
    localStorage.setItem(key, value)
  } catch {
    // A browser that keeps nothing still shows the page.
  }
}

/** How the person wants pages to look; kept on the device, shared by all pages. */
export function createLook(options: { care?: boolean } = {}) {
  const theme = ref<Theme>((['light', 'dark'] as const).find(t => t === read('theme')) ?? 'auto')
  const care = ref(options.care !== false && read('care') === '1')
  const dark = window.matchMedia?.('(prefers-color-scheme: dark)')

  function apply() {
    const root = document.documentElement
    const on = theme.value === 'dark' || (theme.value === 'auto' && dark?.matches === true)
    if (on) {
      root.dataset.theme = 'dark'
    } else {
      delete root.dataset.theme
    }
    if (care.value) {
      root.dataset.care = ''
    } else {
      delete root.dataset.care
    }
  }
  dark?.addEventListener?.('change', apply)
  watch([theme, care], () => {
    write('theme', theme.value)
    write('care', care.value ? '1' : '')
    apply()
  })
  apply()
  return { theme, care }
}
