import { type ApiError, type CaseView, type FieldError, type Load, useAction, useLoad } from '@haoban/api'
import { type FormStore, type Ui, missing, pagesOf, readUi, useForm, visibleParts } from '@haoban/form'
import { type ComputedRef, type InjectionKey, type Ref, type ShallowRef, computed, inject, onScopeDispose, provide, shallowRef, watch } from 'vue'
import { useEvents } from '../../compositions/useEvents'
import { api } from '../../store'

export interface PartView { id: string; title: string; hint: string; fields: string[]; pages: string[][]; complete: boolean; errors: number; started: boolean }

export interface Filing {
  id: string
  load: Load<CaseView>
  view: ComputedRef<CaseView>
  form: ShallowRef<FormStore | null>
  ui: ComputedRef<Ui>
  parts: ComputedRef<PartView[]>
  /** What is not answered yet in these fields. */
  gaps: (fields: string[]) => FieldError[]
  /** Asks the partners for what can be fetched; what is typed is saved first. */
  fetchFacts: () => Promise<void>
  fetching: Ref<boolean>
  /** Waits for what is being fetched now. */
  fetched: () => Promise<void>
  fetchError: Ref<ApiError | null>
  /** Takes a newer view that some action returned. */
  take: (v: CaseView) => void
}

const key: InjectionKey<Filing> = Symbol('filing')

/** Opens a case for filing; the pages below share it. */
export function provideFiling(id: string): Filing {
  const load = useLoad(() => api.case(id))
  const form = shallowRef<FormStore | null>(null)
  let facts = ''

  watch(load.data, (v) => {
    if (v === null) {
      return
    }
    if (form.value === null) {
      form.value = useForm(id, v.version, v.form, { save: (version, data, k) => api.saveForm(id, version, data, k) })
    } else if (v.version > form.value.version.value || form.value.state.value === 'conflict' || facts !== JSON.stringify(v.form.facts)) {
      form.value.rebase(v.version, v.form)
    }
    facts = JSON.stringify(v.form.facts)
  }, { immediate: true })

  const view = computed(() => {
    if (load.data.value === null) {
      throw new Error('the case is not loaded yet')
    }
    return load.data.value
  })
  const ui = computed(() => readUi(load.data.value?.form.ui ?? { parts: [] }))
  const parts = computed<PartView[]>(() => {
    const v = load.data.value
    const f = form.value
    if (v === null || f === null) {
      return []
    }
    return visibleParts(ui.value, f.data.value).map(p => ({
      id: p.id,
      title: p.title,
      hint: p.hint,
      fields: p.fields,
      pages: pagesOf(v.form.schema, ui.value, p.fields, path => v.form.facts.some(x => x.path === path && x.locked)),
      complete: f.complete.value[p.id] === true && !f.unsaved.value,
      errors: f.shown.value.filter(e => p.fields.some(x => e.path === x || e.path.startsWith(`${x}.`))).length,
      started: p.fields.some(x => ![undefined, null, ''].includes(f.get(x) as string)),
    }))
  })

  const hide = () => {
    if (document.visibilityState === 'hidden') {
      void form.value?.flush()
    }
  }
  document.addEventListener('visibilitychange', hide)
  // Facts and papers still on their way from a partner arrive without a touch.
  const poll = setInterval(() => {
    const v = load.data.value
    if (v !== null && form.value?.unsaved.value !== true && document.visibilityState === 'visible' && (v.form.facts.some(f => f.state === 'pending') || v.materials.some(m => m.state === 'fetching'))) {
      void load.reload()
    }
  }, 3000)
  onScopeDispose(() => {
    clearInterval(poll)
    document.removeEventListener('visibilitychange', hide)
    void form.value?.flush()
    form.value?.stop()
  })
  useEvents((cid) => {
    if (cid === id && form.value?.unsaved.value !== true) {
      void load.reload()
    }
  })

  const prefill = useAction((k: string) => api.prefill(id, k))
  let underWay: Promise<void> = Promise.resolve()
  function fetchFacts() {
    underWay = fetchNow()
    return underWay
  }
  async function fetchNow() {
    if (form.value !== null && !(await form.value.flush()) && form.value.state.value !== 'failed') {
      return
    }
    const got = await prefill.run()
    if (got !== undefined) {
      load.data.value = got
    }
  }
  // A fresh draft is filled with what is known before the person looks at it.
  const stop = watch(load.data, (v) => {
    if (v !== null) {
      void Promise.resolve().then(() => stop())
      if (v.phase === 'draft' && v.form.facts.length === 0) {
        void fetchFacts()
      }
    }
  }, { immediate: true })

  const filing: Filing = {
    id,
    load,
    view,
    form,
    ui,
    parts,
    gaps: fields => (load.data.value === null || form.value === null ? [] : missing(load.data.value.form.schema, ui.value, fields, form.value.data.value, load.data.value.form.facts)),
    fetchFacts,
    fetching: prefill.busy,
    fetched: () => underWay,
    fetchError: prefill.error,
    take: (v) => { load.data.value = v },
  }
  provide(key, filing)
  return filing
}

/** The case the page is part of. */
export function useFiling(): Filing & { store: FormStore } {
  const f = inject(key)
  if (f === undefined || f.form.value === null) {
    throw new Error('used outside a filing')
  }
  return { ...f, store: f.form.value }
}

/** The part and page where a field is asked. */
export function placeOf(parts: PartView[], path: string): { part: string; page: number } | null {
  for (const p of parts) {
    const page = p.pages.findIndex(fields => fields.some(f => path === f || path.startsWith(`${f}.`) || f.startsWith(`${path}.`)))
    if (page >= 0) {
      return { part: p.id, page }
    }
  }
  return null
}
