export interface Point { x: number; y: number }
export type Stroke = Point[]

/** Whether what was drawn can be a signature: some strokes, of some length, over some area. */
export function enoughInk(strokes: Stroke[], width: number, height: number): boolean {
  const points = strokes.flat()
  if (points.length < 8) {
    return false
  }
  let length = 0
  for (const s of strokes) {
    for (let i = 1; i < s.length; i++) {
      length += Math.hypot(s[i]!.x - s[i - 1]!.x, s[i]!.y - s[i - 1]!.y)
    }
  }
  const xs = points.map(p => p.x)
  const ys = points.map(p => p.y)
  const wide = Math.max(...xs) - Math.min(...xs)
  const high = Math.max(...ys) - Math.min(...ys)
  return length > Math.min(width, height) * 0.5 && wide > width * 0.05 && high > height * 0.08
}

/** Draws strokes as smooth lines. */
export function paint(ctx: CanvasRenderingContext2D, strokes: Stroke[], line: number): void {
  ctx.lineWidth = line
  ctx.lineCap = 'round'
  ctx.lineJoin = 'round'
  for (const s of strokes) {
    const first = s[0]
    if (first === undefined) {
      continue
    }
    ctx.beginPath()
    ctx.moveTo(first.x, first.y)
    for (let i = 1; i < s.length - 1; i++) {
      const p = s[i]!
      const n = s[i + 1]!
      ctx.quadraticCurveTo(p.x, p.y, (p.x + n.x) / 2, (p.y + n.y) / 2)
    }
    const last = s[s.length - 1]!
    ctx.lineTo(last.x + 0.01, last.y)
    ctx.stroke()
  }
}
