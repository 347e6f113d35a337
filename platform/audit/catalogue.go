package audit

import (
	"slices"
	"strings"
	"sync"
)

// Spec is one sort of event.
type Spec struct {
	Type    string   // stable dotted name
	Meaning string   // what an auditor reads, in Chinese
	Fields  []string // what its detail may say
}

// known is the catalogue by type, built once and never changed.
var known = sync.OnceValue(func() map[string]Spec {
	m := map[string]Spec{}
	for _, s := range Catalogue() {
		m[s.Type] = s
	}
	return m
})

// Meaning returns what a type means in Chinese, or the type itself if it is not
// in the catalogue.
func Meaning(typ string) string {
	if s, ok := known()[typ]; ok {
		return s.Meaning
	}
	return typ
}

// Catalogue returns every sort of event, by type. The caller owns the slice.
func Catalogue() []Spec {
	var all []Spec
	for _, text := range []string{identEvents, caseEvents, paperEvents, bookEvents, houseEvents} {
		for line := range strings.Lines(text) {
			part := strings.Fields(line)
			if len(part) == 0 {
				continue
			}
			all = append(all, Spec{Type: part[0], Meaning: part[1], Fields: part[2:]})
		}
	}
	slices.SortFunc(all, func(a, b Spec) int { return strings.Compare(a.Type, b.Type) })
	return all
}

// Each line is a type, its meaning, and the fields of its detail. A reason is
// the official's own words.

// People and their rights (登录、会话、人员与授权).
const identEvents = `
ident.login 登录 method org
ident.logout 退出登录
ident.lockout 连续输错被锁定 until
ident.otp 动态口令校验
ident.session.end 会话结束 why
ident.session.revoke 强制下线 reason
ident.session.act-as 切换办事身份 org
ident.user.new 新建工作人员 account org
ident.user.change 修改工作人员 field
ident.user.state 启用或停用工作人员 state reason
ident.user.password 修改口令
ident.user.password.reset 重置口令
ident.user.otp 绑定动态口令
ident.user.otp.reset 重置动态口令
ident.user.unlock 解除锁定
ident.role.change 修改角色权限 role field from to
ident.post.grant 授予岗位 role district org until
ident.post.end 收回岗位 role reason
ident.org.new 新建单位 kind code
ident.org.change 修改单位 kind code
ident.member.put 登记单位经办人 person role source
ident.member.end 解除单位经办人 person
ident.person.new 自然人首次登录 source
ident.person.claim 更新个人信息 field source
ident.phone.code 发送手机验证码
ident.phone.confirm 手机验证码校验
ident.grant.open 授权他人代办 from to matter unit until
ident.grant.revoke 撤销代办授权 from to
ident.delegate 岗位临时委托 to until reason
ident.unmask 查看未脱敏信息 field reason
ident.tampered 人员或权限数据被改动 table
login 登录 method
logout 退出登录
lockout 连续输错被锁定 until
otp 动态口令校验
session.revoke 强制下线 reason
user.change 修改工作人员 field
role.change 修改角色权限 role field from to
grant.open 授权他人代办 from to matter unit until
grant.revoke 撤销代办授权 from to
unmask 查看未脱敏信息 field reason
`

// What is done to a case (办件).
const caseEvents = `
case.open 新建办件 matter
case.save 保存草稿
case.drop 删除草稿
case.prefill 调取预填信息 source
case.check 自检 failed
case.submit 提交申请
case.accept 受理
case.claim 签收任务 task
case.release 退回待领 task
case.complete 办理环节 task node outcome
case.return 退回 to reason
case.supplement 要求补正 reason
case.supplemented 提交补正
case.transfer 转办 to reason
case.cosign 加签 to reason
case.jointsign 会签 to reason
case.takeback 撤回 reason
case.withdraw 撤件 reason
case.cancel 终止办件 reason
case.urge 催办
case.suspend 挂起 reason basis
case.resume 恢复 reason
case.extend 延长期限 days reason basis
case.erratum 勘误 field reason
case.reject 不予受理 reason
case.refuse 不予许可或登记 reason
case.comment 填写意见
case.read 查看办件
case.search 查询办件 count
case.export 导出办件 rows
case.stats 查看统计
case.archive 归档
case.reopen 重新办理 reason
case.assign 指派 to reason
case.merge 并案 with
case.supervise 督办 reason
case.alert 时限预警或超期 light
case.event 流程事件 name
case.timer 流程定时 node
bundle.open 一并申请 count
bundle.submit 提交一并申请 count
bundle.withdraw 撤回一并申请 reason
batch.open 批量申报 count
batch.submit 提交批量申报 count failed
rating.give 评价 score
rating.reply 答复差评
rating.review 回访核实 result
complaint.open 诉求登记 kind
complaint.assign 诉求派发 to
complaint.reply 诉求答复
complaint.close 诉求办结 result
help.open 帮办求助 kind
help.close 帮办办结
`

// Papers, consent, money (材料、意愿、缴费、结果).
const paperEvents = `
material.upload 上传材料 item count bytes
material.fetch 调取电子材料 item source
material.read 查看材料 item
material.download 下载材料 item
material.drop 删除材料 item
material.waive 告知承诺或免交 item reason
material.review 审核材料 item result
archive.read 查阅档案
archive.export 导出档案 rows
archive.enter 移交档案 count
consent.open 发起意愿确认 person document
consent.face 人脸核身 result
consent.record 意愿录音录像
consent.sign 意愿签名 document
consent.confirm 确认意愿 document
consent.refuse 拒绝确认 reason
consent.withdraw 撤回同意
recording.start 开始录像
recording.read 调阅录像
recording.review 审看录像 result
consult.start 发起征询 to
consult.reply 答复征询 result
consult.supplement 补充征询材料
consult.close 结束征询 reason
consult.urge 催办征询
notice.publish 发布公告
notice.withdraw 撤回公告 reason
notice.object 登记异议
notice.send 送达通知 way
notice.read 查看通知
sms.send 发送短信 template
fee.order 生成缴费单 order
fee.paid 收到缴费 order
fee.close 关闭缴费单 order reason
fee.refund 退费 order reason
fee.waive 减免费用 reason
fee.reconcile 对账 day differences
pay.order 生成缴费单 order
pay.paid 收到缴费 order
pay.refund 退费 order
number.issue 取号 kind
number.void 作废编号 kind reason
seal.apply 加盖电子印章 seal document
seal.verify 核验电子印章 result
result.issue 签发结果 kind
result.qr 生成核验二维码
result.verify 核验结果 result
result.read 查看结果
result.download 下载结果
result.print 打印结果
result.void 作废结果 reason
result.replace 换发结果 reason
`

// The books of the offices (登记簿、许可、监管).
const bookEvents = `
register.enter 登簿 kind
register.correct 更正登记 kind reason
register.freeze 限制处分 kind basis
register.unfreeze 解除限制 kind basis
register.read 查阅登记簿
register.query 登记信息查询 purpose
register.certificate 出具查询证明 purpose
register.version 登记版本冲突
permit.issue 核发许可 kind
permit.change 变更许可 kind reason
permit.revoke 撤销许可 kind reason
permit.void 注销许可 kind reason
project.open 新建项目
project.change 修改项目 field
project.join 项目关联 to
project.state 项目状态变更 state
land.enter 用地信息登记
land.change 用地信息变更 field
survey.submit 提交测绘成果
survey.check 测绘成果检查 result
layer.read 查看图层 layer
layer.write 修改图层 layer
layer.grant 图层授权 layer to
geo.import 导入图形 count
geo.export 导出图形 count
enforce.draw 双随机抽取 count seed
enforce.assign 派发监督检查 to
enforce.result 监督检查结果 result
enforce.close 监督检查办结
oversee.open 发起督办 reason
oversee.close 督办办结 result
disclose.publish 信息公开
disclose.withdraw 撤下公开信息 reason
credit.add 列入失信名单 reason until
credit.end 移出失信名单 reason
credit.stop 因失信限制办理
document.draft 拟稿
document.approve 发文审批 result
document.issue 发文
`

// The house itself (设置、任务、密钥、接口).
const houseEvents = `
setting.change 修改设置 key from to
matter.publish 发布事项定义 digest
matter.change 修改事项设置 key
calendar.change 修改工作日历 day
dictionary.change 修改数据字典 key
template.change 修改模板 key
key.init 生成密钥 purpose
key.rotate 轮换密钥 purpose
key.use 使用签名密钥 purpose
link.call 调用外部系统 system api
link.callback 外部系统回调 system api
link.refused 外部请求被拒 system api
link.switch 启用或停用接口 system state
partner.change 修改接入方 field
job.retry 重试任务 kind
job.mend 修正任务 kind reason
job.discard 放弃任务 kind reason
share.read 共享数据查询 service rows
share.grant 共享数据授权 service to
audit.read 查询审计日志 count
audit.export 导出审计日志 rows
audit.check 校验审计日志 rows broken
backup.make 备份
backup.restore 恢复 from
ledger.check 校验存证账本 result
ledger.anchor 存证上链
file.check 校验文件 broken
system.start 系统启动 version
system.stop 系统停止
system.seed 写入演示数据
access.refused 越权访问被拒 route
rate.limited 访问过于频繁 route
`
