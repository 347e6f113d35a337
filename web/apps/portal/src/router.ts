import { nextTick } from 'vue'
import { type RouteRecordRaw, createRouter, createWebHistory } from 'vue-router'
import { loadSession, person, session } from './store'

declare module 'vue-router' {
  interface RouteMeta {
    title?: string
    /** Pages anyone may see without logging in. */
    open?: boolean
    /** One thing on the page, its own small bar instead of the menu. */
    focus?: boolean
  }
}

const routes: RouteRecordRaw[] = [
  { path: '/', component: () => import('./views/Home.vue'), meta: { title: '我的' } },
  { path: '/login', component: () => import('./views/Login.vue'), meta: { title: '登录', open: true } },
  { path: '/do', component: () => import('./views/Matters.vue'), meta: { title: '办事', open: true } },
  { path: '/do/:slug(.+)', component: () => import('./views/MatterStart.vue'), props: true, meta: { title: '办事指南', open: true } },
  { path: '/cases', component: () => import('./views/Cases.vue'), meta: { title: '我的办件' } },
  { path: '/cases/:id', component: () => import('./views/Case.vue'), props: true, meta: { title: '办件' } },
  {
    path: '/filing/:id',
    component: () => import('./views/filing/Filing.vue'),
    props: true,
    meta: { focus: true, title: '填报' },
    children: [
      { path: '', component: () => import('./views/filing/Tasks.vue') },
      { path: 'part/:part/:page?', component: () => import('./views/filing/Part.vue'), props: true },
      { path: 'materials', component: () => import('./views/filing/Materials.vue'), meta: { title: '材料' } },
      { path: 'parties', component: () => import('./views/filing/Parties.vue'), meta: { title: '各方' } },
      { path: 'check', component: () => import('./views/filing/Check.vue'), meta: { title: '核对' } },
      { path: 'done', component: () => import('./views/filing/Done.vue'), meta: { title: '已提交' } },
    ],
  },
  { path: '/consents/:id', component: () => import('./views/Consent.vue'), props: true, meta: { focus: true, title: '确认意愿' } },
  { path: '/links/:token', alias: '/c/:token', component: () => import('./views/Link.vue'), props: true, meta: { focus: true, title: '打开链接' } },
  { path: '/properties', component: () => import('./views/Properties.vue'), meta: { title: '我的不动产' } },
  { path: '/results', component: () => import('./views/Results.vue'), meta: { title: '我的证照' } },
  { path: '/results/:id', component: () => import('./views/Result.vue'), props: true, meta: { title: '证照' } },
  { path: '/grants', component: () => import('./views/Grants.vue'), meta: { title: '授权代办' } },
  { path: '/account', component: () => import('./views/Account.vue'), meta: { title: '个人中心' } },
  { path: '/verify', component: () => import('./views/VerifyStart.vue'), meta: { title: '核验证照', open: true } },
  { path: '/verify/:token', alias: '/v/:token', component: () => import('./views/Verify.vue'), props: true, meta: { title: '核验结果', open: true, focus: true } },
  { path: '/notices', component: () => import('./views/Notices.vue'), meta: { title: '遗失声明', open: true } },
  { path: '/help', component: () => import('./views/Help.vue'), meta: { title: '帮助', open: true } },
  { path: '/:rest(.*)*', component: () => import('./views/NotFound.vue'), meta: { title: '没有这一页', open: true } },
]

if (import.meta.env.DEV) {
  routes.unshift({ path: '/_storybook', component: () => import('./views/Storybook.vue'), meta: { title: '部件', open: true } })
}

export const router = createRouter({
  history: createWebHistory('/'),
  routes,
  scrollBehavior: (to, _from, saved) => saved ?? (to.hash === '' ? { top: 0 } : { el: to.hash, top: 80 }),
})

router.beforeEach(async (to) => {
  if (session.value === null) {
    await loadSession()
  }
  if (to.meta.open === true || person.value !== null || session.value === null) {
    return true
  }
  return { path: '/login', query: to.fullPath === '/' ? {} : { to: to.fullPath } }
})

export function setTitle(title: string): void {
  document.title = `${title} · 好办`
}

router.afterEach((to, from) => {
  setTitle(to.meta.title ?? '好办')
  if (from.matched.length > 0 && to.path !== from.path) {
    // A screen reader starts at the heading of the new page.
    void nextTick(() => {
      const h = document.querySelector<HTMLElement>('main h1')
      h?.setAttribute('tabindex', '-1')
      h?.focus({ preventScroll: true })
    })
  }
})
