import { onBeforeUnmount, onMounted } from 'vue'

/** True where letters are text and not commands. */
export function typing(el: EventTarget | null): boolean {
  return el instanceof HTMLElement && (el.isContentEditable || el.matches('textarea, select, input:not([type="checkbox"], [type="radio"], [type="button"])'))
}

/** Single keys as commands, while the page shows; quiet while somebody types or a dialog is open. */
export function useKeys(map: Record<string, (e: KeyboardEvent) => void>) {
  const hear = (e: KeyboardEvent) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || e.defaultPrevented || document.querySelector('dialog[open]') !== null) {
      return
    }
    if (typing(e.target)) {
      return
    }
    // Enter and space belong to what has the focus.
    if ((e.key === 'Enter' || e.key === ' ') && e.target instanceof HTMLElement && e.target.matches('a, button, summary, video, input')) {
      return
    }
    const act = map[e.key.length === 1 ? e.key.toLowerCase() : e.key]
    if (act !== undefined) {
      e.preventDefault()
      act(e)
    }
  }
  onMounted(() => document.addEventListener('keydown', hear))
  onBeforeUnmount(() => document.removeEventListener('keydown', hear))
}
