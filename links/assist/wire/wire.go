// Package wire is what 行政协助平台（E-21）and this house say to each other. 征询其他部门：可请求事项、发起、补正材料上传；回调要求补正和答复。
package wire

// System is the partner's short name.
const System = "assist"

// Paths of the contract (接口新标准, P1.9).
const (
	PathItems       = "/api/v1/assist/items"
	PathRequests    = "/api/v1/assist/requests"
	PathSupplements = "/api/v1/assist/supplements"
)

// The events the platform calls back with.
const (
	EventSupplement = "assist.supplement_required"
	EventReplied    = "assist.replied"
)

// Material is one paper of an assistance item.
type Material struct {
	ID       string `json:"mat_id"`
	Name     string `json:"name"`
	Required bool   `json:"required"`
}

// Item is one thing a department can be asked.
type Item struct {
	ID                  string     `json:"assist_item_id"`
	Name                string     `json:"name"`
	Dept                string     `json:"dept_code"`
	DeptName            string     `json:"dept_name"`
	Level               string     `json:"level"`
	Materials           []Material `json:"materials"`
	NeedDoubleExempt    bool       `json:"need_double_exempt"` // 是否双免交
	SupplementSupported bool       `json:"supplement_supported"`
}

// Items answers the first call: what can be asked, and of whom.
type Items struct {
	Items []Item `json:"items"`
}

// File is one file of a request.
type File struct {
	ID       string `json:"file_id"`
	Material string `json:"material_id"`
	Name     string `json:"name"`
	SM3      string `json:"sm3"`
	Size     int64  `json:"size"`
}

// ToDept names one department and item.
type ToDept struct {
	Dept string `json:"dept_code"`
	Item string `json:"assist_item_id"`
}

// Request is the second call: 暂存 or 提交 with materials.
type Request struct {
	Mode        string   `json:"mode"`                     // DRAFT SUBMIT
	Approval    string   `json:"unified_approval_code"`    // 统一审批编码
	MaterialIDs []string `json:"assist_item_material_ids"` // 协助事项申请材料Id
	BizNo       string   `json:"biz_no"`
	CaseNo      string   `json:"case_no"`
	Project     string   `json:"project_code"`
	Matter      string   `json:"item_code"`
	To          []ToDept `json:"to_depts"`
	Content     string   `json:"content"`
	Files       []File   `json:"files"`
	Days        int      `json:"deadline_days"`
}

// Started is the answer to a request.
type Started struct {
	AssistNo string `json:"assist_no"`
	State    string `json:"state"`
}

// SupplementItem is one paper handed in.
type SupplementItem struct {
	Name     string `json:"supplement_material_name"` // 补正材料名称
	Material string `json:"material_id"`
	Files    []File `json:"files"`
}

// Supplement is the third call: 补正材料上传.
type Supplement struct {
	AssistNo     string           `json:"assist_no"`
	SupplementID string           `json:"supplement_id"` // 补正id
	Items        []SupplementItem `json:"items"`
	Operator     string           `json:"operator"`
}

// Wants is the payload of EventSupplement.
type Wants struct {
	AssistNo     string   `json:"assist_no"`
	Dept         string   `json:"dept"`
	SupplementID string   `json:"supplement_id"`
	Deadline     string   `json:"deadline"` // 2006-01-02
	Items        []string `json:"items"`
}

// Replied is the payload of EventReplied.
type Replied struct {
	AssistNo string `json:"assist_no"`
	Dept     string `json:"dept"`
	Opinion  string `json:"opinion"` // AGREE DISAGREE CONDITIONAL NO_COMMENT
	Text     string `json:"text"`
}
