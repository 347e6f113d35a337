package ident

import "haoban/platform/errs"

// The refusals of this room. Compare with errors.Is.
var (
	// ErrTampered: a row that carries rights does not match its MAC.
	ErrTampered = errs.New(errs.Internal, "ident.tampered", "权限数据校验未通过，已停止使用并报告，请联系管理员")

	// ErrNoSession: no session of that token and audience, or it has ended.
	ErrNoSession = errs.New(errs.Unauthenticated, "ident.session", "登录已失效，请重新登录")
	// ErrSessionUnknown: no such session in the list, or not yours.
	ErrSessionUnknown = errs.New(errs.NotFound, "ident.session.unknown", "没有找到这个登录，可能已经退出")
	// ErrStep: the session has not finished logging in.
	ErrStep = errs.New(errs.Unauthenticated, "ident.step", "登录还没有完成，请按提示继续")
	// ErrCSRF: an unsafe request without the session's own token.
	ErrCSRF = errs.New(errs.Forbidden, "ident.csrf", "页面已过期，请刷新后再试")

	// ErrLogin: wrong account or password; the two are not told apart.
	ErrLogin = errs.New(errs.Unauthenticated, "ident.login", "账号或口令不正确")
	// ErrOTP: wrong, late or already used one-time code.
	ErrOTP = errs.New(errs.Unauthenticated, "ident.otp", "动态口令不正确或已用过，请等下一个再输")
	// ErrLocked: too many wrong tries; opens again by itself.
	ErrLocked = errs.New(errs.TooMany, "ident.locked", "连续输错次数过多，请十五分钟后再试")
	// ErrOldPassword: the present password was not the one given.
	ErrOldPassword = errs.New(errs.Invalid, "ident.password.old", "原口令不正确")
	// ErrPassword: the new password breaks a rule; fields name the rule.
	ErrPassword = errs.New(errs.Invalid, "ident.password", "新口令不符合要求")

	// ErrClaims: the login provider's claims cannot be right.
	ErrClaims = errs.New(errs.Invalid, "ident.claims", "登录平台给出的身份信息不完整，请重新登录")
	// ErrNoPerson: no such person.
	ErrNoPerson = errs.New(errs.NotFound, "ident.person", "没有找到这个人")
	// ErrNoOrg: no such organisation, or it is not valid now.
	ErrNoOrg = errs.New(errs.NotFound, "ident.org", "没有找到这家单位，或者单位已停用")
	// ErrOrgTaken: the code or credit code belongs to another organisation.
	ErrOrgTaken = errs.New(errs.Conflict, "ident.org.taken", "单位代码或统一社会信用代码已被使用")
	// ErrNotMember: the person has no place in the organisation now.
	ErrNotMember = errs.New(errs.Forbidden, "ident.member", "您不是这家单位的办事人员，或者资格已到期")

	// ErrContact: the address or e-mail cannot be right.
	ErrContact = errs.New(errs.Invalid, "ident.contact", "联系方式填写有误")
	// ErrMobile: not a mobile number.
	ErrMobile = errs.New(errs.Invalid, "ident.mobile", "手机号码不正确，请核对后再填")
	// ErrCodeSoon: a code was sent less than a minute ago, or too many today.
	ErrCodeSoon = errs.New(errs.TooMany, "ident.code.soon", "验证码刚刚发过，请稍后再试")
	// ErrCodeLocked: five wrong codes.
	ErrCodeLocked = errs.New(errs.TooMany, "ident.code.locked", "验证码连续输错，请半小时后再试")
	// ErrCode: wrong or expired code.
	ErrCode = errs.New(errs.Invalid, "ident.code", "验证码不正确或已过期，请重新获取")

	// ErrNoGrant: nobody ever recorded such a grant.
	ErrNoGrant = errs.New(errs.Forbidden, "ident.grant.none", "没有查到授权记录，请先由本人授权")
	// ErrGrantRevoked: there was a grant and it was taken back.
	ErrGrantRevoked = errs.New(errs.Forbidden, "ident.grant.revoked", "授权已被撤回")
	// ErrGrantExpired: there was a grant and it ran out.
	ErrGrantExpired = errs.New(errs.Forbidden, "ident.grant.expired", "授权已到期，请重新授权")
	// ErrGrantMatter: the grant does not name this matter.
	ErrGrantMatter = errs.New(errs.Forbidden, "ident.grant.matter", "授权不包括这个事项")
	// ErrGrantUnit: the grant is for another unit.
	ErrGrantUnit = errs.New(errs.Forbidden, "ident.grant.unit", "授权不包括这个不动产单元")
	// ErrGrantUnknown: no such grant, or not yours.
	ErrGrantUnknown = errs.New(errs.NotFound, "ident.grant", "没有找到这条授权")
	// ErrGrantDone: the grant was revoked already.
	ErrGrantDone = errs.New(errs.Conflict, "ident.grant.done", "这条授权已经撤回过了")
	// ErrGrantBad: the grant asked for cannot be right; fields say why.
	ErrGrantBad = errs.New(errs.Invalid, "ident.grant.bad", "授权内容不完整")
	// ErrGrantFrom: only the principal may grant, and for an organisation only
	// its legal representative or agent.
	ErrGrantFrom = errs.New(errs.Forbidden, "ident.grant.from", "只能由本人，或由单位法定代表人、经办人办理授权")

	// ErrAdmin: the verb belongs to another administrator.
	ErrAdmin = errs.New(errs.Forbidden, "ident.admin", "您的账号没有这项管理权限")
	// ErrSelf: administrators do not change their own rights.
	ErrSelf = errs.New(errs.Forbidden, "ident.self", "不能给自己授权、重置或停用，请由另一位管理员办理")
	// ErrSeparated: the three administrators' posts exclude one another and
	// every business post（三员分立）.
	ErrSeparated = errs.New(errs.Conflict, "ident.separated", "系统、安全、审计管理员须分设，且不得兼任业务岗位")
	// ErrNoUser: no such account.
	ErrNoUser = errs.New(errs.NotFound, "ident.user", "没有找到这个账号")
	// ErrAccountTaken: the account name is used.
	ErrAccountTaken = errs.New(errs.Conflict, "ident.account.taken", "账号名已被使用")
	// ErrUserBad: the account asked for cannot be right; fields say why.
	ErrUserBad = errs.New(errs.Invalid, "ident.user.bad", "账号信息不完整")
	// ErrPostBad: the post asked for cannot be right; fields say why.
	ErrPostBad = errs.New(errs.Invalid, "ident.post.bad", "岗位信息有误")
	// ErrNoPost: no such post, or it has ended.
	ErrNoPost = errs.New(errs.NotFound, "ident.post", "没有找到这个岗位，或者已经撤销")
)
