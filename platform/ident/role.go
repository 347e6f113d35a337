package ident

// The roles of officials. Process files name them in candidateGroups.
const (
	RoleWindow     = "window"     // 受理
	RoleExaminer   = "examiner"   // 审核
	RoleRegistrar  = "registrar"  // 登簿
	RoleCertifier  = "certifier"  // 缮证
	RoleHandler    = "handler"    // 经办
	RoleDivision   = "division"   // 处室负责人
	RoleLeader     = "leader"     // 局领导
	RolePrinter    = "printer"    // 文印
	RoleDispatcher = "dispatcher" // 发件
	RoleConsulted  = "consulted"  // 被征询部门
	RoleSupervisor = "supervisor" // 监督
	RoleSysAdmin   = "sysadmin"   // 系统管理员
	RoleSecAdmin   = "secadmin"   // 安全管理员
	RoleAuditAdmin = "auditadmin" // 审计管理员
)

// RoleSpec describes a role.
type RoleSpec struct {
	ID    string `json:"id"`
	Name  string `json:"name"`  // Chinese name as officials say it
	Admin bool   `json:"admin"` // one of the three separated administrators（三员）
}

// Roles returns every role with its Chinese name, business roles first.
func Roles() []RoleSpec {
	return []RoleSpec{
		{ID: RoleWindow, Name: "受理"},
		{ID: RoleExaminer, Name: "审核"},
		{ID: RoleRegistrar, Name: "登簿"},
		{ID: RoleCertifier, Name: "缮证"},
		{ID: RoleHandler, Name: "经办"},
		{ID: RoleDivision, Name: "处室负责人"},
		{ID: RoleLeader, Name: "局领导"},
		{ID: RolePrinter, Name: "文印"},
		{ID: RoleDispatcher, Name: "发件"},
		{ID: RoleConsulted, Name: "被征询部门"},
		{ID: RoleSupervisor, Name: "监督"},
		{ID: RoleSysAdmin, Name: "系统管理员", Admin: true},
		{ID: RoleSecAdmin, Name: "安全管理员", Admin: true},
		{ID: RoleAuditAdmin, Name: "审计管理员", Admin: true},
	}
}

// RoleByID returns the role and whether there is one of that id.
func RoleByID(id string) (RoleSpec, bool) {
	for _, r := range Roles() {
		if r.ID == id {
			return r, true
		}
	}
	return RoleSpec{}, false
}

// RoleName returns the Chinese name of a role, or the id itself if unknown.
func RoleName(id string) string {
	if r, ok := RoleByID(id); ok {
		return r.Name
	}
	return id
}

// IsAdminRole reports whether the role is one of the three separated
// administrators（系统、安全、审计管理员）, which see no business.
func IsAdminRole(id string) bool {
	r, ok := RoleByID(id)
	return ok && r.Admin
}
