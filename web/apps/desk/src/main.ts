import '@haoban/ui/tokens.css'
import '@haoban/ui/base.css'
import './adapter/theme.css'
import './desk.css'
import { createLook } from '@haoban/ui'
import { createApp } from 'vue'
import App from './App.vue'
import { router } from './router'
import { look } from './store'

look.value = createLook()
createApp(App).use(router).mount('#app')
