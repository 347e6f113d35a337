import '@haoban/ui/tokens.css'
import '@haoban/ui/base.css'
import './portal.css'
import { createApp } from 'vue'
import App from './App.vue'
import { router } from './router'

createApp(App).use(router).mount('#app')
