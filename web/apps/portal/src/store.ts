import { type Session, createClient, publicApi } from '@haoban/api'
import { createLook } from '@haoban/ui'
import { computed, ref, shallowRef } from 'vue'

/** Who is here; known before the first page is shown. */
export const session = shallowRef<Session | null>(null)
/** The session could not be asked for: the house does not answer. */
export const unreachable = ref(false)
/** Somebody was logged in on this page and is not any more. */
export const expired = ref(false)

export const person = computed(() => session.value?.person ?? null)
export const now = computed(() => session.value?.now ?? new Date().toISOString())
export const look = createLook()

export const client = createClient({
  base: '/api/v1/public',
  onLogin: () => {
    if (session.value?.person) {
      expired.value = true
    }
  },
  refresh: async () => (await loadSession())?.csrf ?? '',
})
export const api = publicApi(client)

/** Asks who is logged in. */
export async function loadSession(): Promise<Session | null> {
  try {
    session.value = await api.session()
    client.csrf = session.value.csrf
    unreachable.value = false
    if (session.value.person !== null) {
      expired.value = false
    }
  } catch {
    unreachable.value = true
  }
  return session.value
}
