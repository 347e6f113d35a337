import type { JsonSchema } from '@haoban/api'

export interface SecretLeaf { path: string; title: string; value: string }

function resolve(root: JsonSchema, s: JsonSchema): JsonSchema {
  const name = /^#\/\$defs\/(.+)$/.exec(s.$ref ?? '')?.[1]
  const def = name === undefined ? undefined : root.$defs?.[name]
  return def === undefined ? s : { ...resolve(root, def), ...s, $ref: undefined }
}

/** Every filled leaf of a form that is shown masked, with the path it is asked for by. */
export function secretLeaves(schema: JsonSchema, data: Record<string, unknown>): SecretLeaf[] {
  const out: SecretLeaf[] = []
  const walk = (raw: JsonSchema, value: unknown, path: string) => {
    if (value === undefined || value === null) {
      return
    }
    const s = resolve(schema, raw)
    if (s.properties !== undefined && typeof value === 'object' && !Array.isArray(value)) {
      for (const [k, p] of Object.entries(s.properties)) {
        walk(p, (value as Record<string, unknown>)[k], path === '' ? k : `${path}.${k}`)
      }
    } else if (Array.isArray(value) && s.items !== undefined) {
      value.forEach((v, i) => walk(s.items!, v, `${path}.${i}`))
    } else if (s['x-sensitive'] !== undefined && s['x-sensitive'] !== false && value !== '') {
      out.push({ path, title: s.title ?? '', value: String(value) })
    }
  }
  walk(schema, data, '')
  return out
}

/** For each line of the form, the path to see it whole by; empty where nothing is hidden. */
export function linePaths(lines: { label: string; value: string }[], leaves: SecretLeaf[]): string[] {
  const left = [...leaves]
  const take = (match: (l: SecretLeaf) => boolean) => {
    const i = left.findIndex(match)
    return i < 0 ? '' : left.splice(i, 1)[0]!.path
  }
  return lines.map((x) => {
    if (!x.value.includes('*')) {
      return ''
    }
    const bare = x.label.replace(/\d+$/, '')
    return take(l => l.value === x.value && (l.title === x.label || l.title === bare)) || take(l => l.value === x.value)
  })
}
