import { type StaffSession, createClient, staffApi } from '@haoban/api'
import type { createLook } from '@haoban/ui'
import { ref, shallowRef } from 'vue'

/** Who is at the desk; null until known or when nobody is. */
export const session = shallowRef<StaffSession | null>(null)
/** True once the first answer about the session is in. */
export const known = ref(false)
/** The number beside 待办. */
export const waiting = ref(0)
export const look = shallowRef<ReturnType<typeof createLook> | null>(null)

export const client = createClient({
  base: '/api/v1/staff',
  onLogin: () => { session.value = null },
  refresh: async () => (await loadSession())?.csrf ?? '',
})
export const api = staffApi(client)

/** Asks who is logged in. */
export async function loadSession(): Promise<StaffSession | null> {
  try {
    const got = await api.session()
    client.csrf = got.csrf
    session.value = got.user !== null && (got.step === '' || got.step === 'done') ? got : null
  } catch {
    session.value = null
  } finally {
    known.value = true
  }
  return session.value
}
