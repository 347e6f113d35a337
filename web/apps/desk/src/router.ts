import { createRouter, createWebHistory } from 'vue-router'
import { known, loadSession, session } from './store'

declare module 'vue-router' {
  interface RouteMeta {
    title?: string
    /** Pages anyone may see. */
    open?: boolean
  }
}

export const router = createRouter({
  history: createWebHistory('/desk/'),
  routes: [
    { path: '/login', component: () => import('./views/login/Login.vue'), meta: { title: '登录', open: true } },
    {
      path: '/',
      component: () => import('./layouts/Desk.vue'),
      children: [
        { path: '', redirect: '/inbox' },
        { path: 'inbox', component: () => import('./views/inbox/Inbox.vue'), meta: { title: '待办' } },
        { path: 'search', component: () => import('./views/search/Search.vue'), meta: { title: '查询' } },
        { path: 'cases/:id', component: () => import('./views/case/Case.vue'), props: true, meta: { title: '办件' } },
        { path: ':rest(.*)*', component: () => import('./views/core/NotFound.vue'), meta: { title: '没有这一页' } },
      ],
    },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})

router.beforeEach(async (to) => {
  if (to.meta.open === true) {
    return true
  }
  if (!known.value || session.value === null) {
    await loadSession()
  }
  return session.value === null ? { path: '/login', query: { to: to.fullPath } } : true
})

router.afterEach((to) => {
  document.title = `${to.meta.title ?? ''} · 好办工作台`
})
