/** The id of the field at a dotted path. */
export function anchor(path: string): string {
  return `f-${path.replace(/[^A-Za-z0-9_-]+/g, '-')}`
}

/** Puts the cursor into the field at path, or the nearest field above it that is on the page. */
export function focusField(path: string): boolean {
  for (let p = path; p !== ''; p = p.includes('.') ? p.slice(0, p.lastIndexOf('.')) : '') {
    const el = document.getElementById(anchor(p))
    if (el !== null) {
      const inner = el.matches('input,select,textarea,button') ? el : el.querySelector<HTMLElement>('input,select,textarea,button')
      ;(inner ?? el).focus()
      el.scrollIntoView({ block: 'center' })
      return true
    }
  }
  return false
}
