/*
 * A small part of the language the house writes conditions in: names with
 * dots, strings, numbers, lists, == != < <= > >= in, and or not (&& || !),
 * brackets. The server decides in the end; a condition this page cannot read
 * counts as true, so that nothing is hidden by mistake.
 */

type Value = unknown
type Token = { t: 'name' | 'str' | 'num' | 'op'; v: string }
type Node = (get: (path: string) => Value) => Value

class Unreadable extends Error {}

function tokens(src: string): Token[] {
  const out: Token[] = []
  const re = /\s*(?:("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(\d+(?:\.\d+)?)|([A-Za-z_$\u4e00-\u9fff][\w$\u4e00-\u9fff]*(?:\??\.[\w$\u4e00-\u9fff]+)*)|(&&|\|\||==|!=|<=|>=|[<>!()[\],]))/gy
  while (re.lastIndex < src.length) {
    if (/^\s*$/.test(src.slice(re.lastIndex))) {
      break
    }
    const m = re.exec(src)
    if (m === null) {
      throw new Unreadable(src)
    }
    if (m[1] !== undefined) {
      out.push({ t: 'str', v: m[1].slice(1, -1).replace(/\\(.)/g, '$1') })
    } else if (m[2] !== undefined) {
      out.push({ t: 'num', v: m[2] })
    } else if (m[3] !== undefined) {
      out.push({ t: 'name', v: m[3].replaceAll('?.', '.') })
    } else {
      out.push({ t: 'op', v: m[4]! })
    }
  }
  return out
}

const num = (v: Value) => (typeof v === 'number' ? v : typeof v === 'string' && v !== '' ? Number(v) : Number.NaN)
const blank = (v: Value) => v === undefined || v === null
const same = (a: Value, b: Value) => a === b || (blank(a) && blank(b)) || (blank(a) && b === '') || (a === '' && blank(b))

function parse(src: string): Node {
  const ts = tokens(src)
  let i = 0
  const peek = (v: string) => ts[i] !== undefined && (ts[i]!.t === 'op' || ts[i]!.t === 'name') && ts[i]!.v === v
  const take = (v: string) => (peek(v) ? (i++, true) : false)
  const need = (v: string) => {
    if (!take(v)) {
      throw new Unreadable(src)
    }
  }

  function or(): Node {
    let left = and()
    while (take('||') || take('or')) {
      const a = left
      const b = and()
      left = get => truth(a(get)) || truth(b(get))
    }
    return left
  }
  function and(): Node {
    let left = not()
    while (take('&&') || take('and')) {
      const a = left
      const b = not()
      left = get => truth(a(get)) && truth(b(get))
    }
    return left
  }
  function not(): Node {
    if (take('!') || take('not')) {
      const a = not()
      return get => !truth(a(get))
    }
    return compare()
  }
  function compare(): Node {
    const a = atom()
    for (const op of ['==', '!=', '<=', '>=', '<', '>']) {
      if (take(op)) {
        const b = atom()
        switch (op) {
          case '==': return get => same(a(get), b(get))
          case '!=': return get => !same(a(get), b(get))
          case '<': return get => num(a(get)) < num(b(get))
          case '<=': return get => num(a(get)) <= num(b(get))
          case '>': return get => num(a(get)) > num(b(get))
          default: return get => num(a(get)) >= num(b(get))
        }
      }
    }
    if (peek('not') && ts[i + 1]?.v === 'in') {
      i += 2
      const b = atom()
      return get => !within(a(get), b(get))
    }
    if (take('in')) {
      const b = atom()
      return get => within(a(get), b(get))
    }
    return a
  }
  function atom(): Node {
    const t = ts[i++]
    if (t === undefined) {
      throw new Unreadable(src)
    }
    if (t.t === 'str') {
      return () => t.v
    }
    if (t.t === 'num') {
      return () => Number(t.v)
    }
    if (t.t === 'op' && t.v === '(') {
      const inner = or()
      need(')')
      return inner
    }
    if (t.t === 'op' && t.v === '[') {
      const list: Node[] = []
      while (!peek(']')) {
        list.push(or())
        if (!take(',')) {
          break
        }
      }
      need(']')
      return get => list.map(n => n(get))
    }
    if (t.t === 'name') {
      if (t.v === 'len' && take('(')) {
        const inner = or()
        need(')')
        return (get) => {
          const v = inner(get)
          return Array.isArray(v) || typeof v === 'string' ? v.length : 0
        }
      }
      switch (t.v) {
        case 'true': return () => true
        case 'false': return () => false
        case 'nil':
        case 'null': return () => null
        case 'and': case 'or': case 'in': case 'not': throw new Unreadable(src)
        default: {
          if (peek('(')) {
            throw new Unreadable(src)
          }
          return get => get(t.v)
        }
      }
    }
    throw new Unreadable(src)
  }

  const root = or()
  if (i !== ts.length) {
    throw new Unreadable(src)
  }
  return root
}

function within(a: Value, b: Value): boolean {
  if (Array.isArray(b)) {
    return b.some(x => same(x, a))
  }
  return typeof b === 'object' && b !== null && typeof a === 'string' && a in b
}

function truth(v: Value): boolean {
  return v !== false && v !== null && v !== undefined && v !== '' && v !== 0
}

const cache = new Map<string, Node | null>()

/** Whether a condition holds for these answers. Names are looked up with or without a leading "form.". */
export function holds(src: string | undefined, data: Record<string, unknown>, scope: Record<string, unknown> = {}): boolean {
  if (src === undefined || src.trim() === '') {
    return true
  }
  let node = cache.get(src)
  if (node === undefined) {
    try {
      node = parse(src)
    } catch {
      node = null
    }
    cache.set(src, node)
  }
  if (node === null) {
    return true
  }
  return truth(node((path) => {
    const p = path.startsWith('form.') ? path.slice(5) : path
    const here = at(scope, p)
    return here !== undefined ? here : at(data, p)
  }))
}

/** The value at a dotted path; numbers are places in a list. */
export function at(data: unknown, path: string): unknown {
  let v: unknown = data
  for (const key of path.split('.')) {
    if (typeof v !== 'object' || v === null) {
      return undefined
    }
    v = (v as Record<string, unknown>)[key]
  }
  return v
}

/** A copy of data with the value at path replaced; undefined takes it away. */
export function put(data: unknown, path: string, value: unknown): unknown {
  const [head, ...rest] = path.split('.')
  const key = head!
  if (Array.isArray(data)) {
    const copy = [...data]
    copy[Number(key)] = rest.length === 0 ? value : put(copy[Number(key)], rest.join('.'), value)
    return copy
  }
  const copy: Record<string, unknown> = { ...((data as Record<string, unknown> | null | undefined) ?? {}) }
  if (rest.length === 0) {
    if (value === undefined) {
      delete copy[key]
    } else {
      copy[key] = value
    }
  } else {
    const next = copy[key] ?? (/^\d+$/.test(rest[0]!) ? [] : {})
    copy[key] = put(next, rest.join('.'), value)
  }
  return copy
}
