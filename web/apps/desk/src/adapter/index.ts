/*
 * The only place that knows Element Plus. Views import the components they
 * need from here; each brings its own style, and nothing else is carried.
 */
import 'element-plus/es/components/base/style/css'
import 'element-plus/es/components/config-provider/style/css'
import 'element-plus/es/components/input/style/css'
import 'element-plus/es/components/button/style/css'
import 'element-plus/es/components/message/style/css'

export { ElButton } from 'element-plus/es/components/button/index'
export { ElInput } from 'element-plus/es/components/input/index'
export { ElMessage } from 'element-plus/es/components/message/index'
export { default as Locale } from './Locale.vue'
