import '@haoban/ui/tokens.css'
import '@haoban/ui/base.css'
import './adapter/theme.css'
import { createLook } from '@haoban/ui'
import { createApp } from 'vue'
import App from './App.vue'
import { router } from './router'
import { look } from './store'

look.value = createLook({ care: false })
createApp(App).use(router).mount('#app')
