// Package wire is what 人脸与双录服务（E-20）and this house say to each other. 人脸比对；没有应答不当作不通过。
package wire

// System is the partner's short name.
const System = "will"

// PathFace is the face check.
const PathFace = "/api/v1/will/face"

// Face asks whether a picture is of a person; name and number are sealed.
type Face struct {
	NameEnc string `json:"name_enc"`
	IDEnc   string `json:"id_enc"`
	SM3     string `json:"image_sm3"`
	Image   []byte `json:"image"`
}

// Verdict is the answer.
type Verdict struct {
	Pass  bool    `json:"pass"`
	Score float64 `json:"score"`
	Ref   string  `json:"ref"`
}
