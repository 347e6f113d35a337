/** What the page hears while it is open. */
export interface Listener { close: () => void }

export interface ListenOptions {
  /** Event name to handler; the data is parsed JSON. */
  on: Record<string, (data: unknown) => void>
  /** Called when the line is up (true) or down (false). */
  onLine?: (up: boolean) => void
  /** Called after the line came back: something may have been missed. */
  onBack?: () => void
  make?: (url: string) => EventSource
}

/** Listens to server-sent events and keeps listening: 1, 2, 4 … 30 seconds between attempts. */
export function listen(url: string, options: ListenOptions): Listener {
  const make = options.make ?? ((u: string) => new EventSource(u))
  let source: EventSource | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let wait = 1000
  let closed = false
  let lost = false

  const open = () => {
    if (closed) {
      return
    }
    const s = make(url)
    source = s
    s.onopen = () => {
      wait = 1000
      options.onLine?.(true)
      if (lost) {
        lost = false
        options.onBack?.()
      }
    }
    s.onerror = () => {
      s.close()
      if (closed) {
        return
      }
      lost = true
      options.onLine?.(false)
      timer = setTimeout(open, wait)
      wait = Math.min(wait * 2, 30_000)
    }
    for (const [name, handle] of Object.entries(options.on)) {
      s.addEventListener(name, (e) => {
        const raw = (e as MessageEvent<string>).data
        let data: unknown = raw
        try {
          data = JSON.parse(raw)
        } catch {
          // Plain text.
        }
        handle(data)
      })
    }
  }

  const wake = () => {
    if (lost && !closed) {
      clearTimeout(timer)
      open()
    }
  }
  globalThis.addEventListener?.('online', wake)
  open()
  return {
    close: () => {
      closed = true
      clearTimeout(timer)
      source?.close()
      globalThis.removeEventListener?.('online', wake)
    },
  }
}
