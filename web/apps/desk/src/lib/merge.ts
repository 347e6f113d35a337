export interface Kept { id: string; gone?: boolean }

/**
 * Brings fresh news into a list without moving a row: rows that are still there
 * get their new content in place, rows that went are marked, rows that came are
 * held back until asked for. Rows past the end of the fresh page are left alone.
 */
export function mergeInPlace<T extends Kept>(shown: T[], fresh: T[], whole: boolean): { rows: T[]; waiting: T[] } {
  const now = new Map(fresh.map(r => [r.id, r]))
  const have = new Set(shown.map(r => r.id))
  let last = -1
  shown.forEach((r, i) => {
    if (now.has(r.id)) {
      last = i
    }
  })
  const reach = whole ? shown.length - 1 : last
  return {
    rows: shown.map((r, i) => now.get(r.id) ?? (i <= reach ? { ...r, gone: true } : r)),
    waiting: fresh.filter(r => !have.has(r.id)),
  }
}
