// Package wire is what 大土地子系统（E-48）and this house say to each other. 项目用地：地块、面积、用途。
package wire

// System is the partner's short name.
const System = "land"

// PathParcel is the one question.
const PathParcel = "/api/v1/parcels/query"

// CodeUnknown refuses a project without land.
const CodeUnknown = "3101"

// Query asks for the land of a project.
type Query struct {
	Code string `json:"project_code"`
}

// Parcel is the land of a project.
type Parcel struct {
	Parcel   string       `json:"parcel"`
	Place    string       `json:"place"`
	Use      string       `json:"use"`
	AreaM2   int64        `json:"area_m2"`
	Supply   string       `json:"supply"`
	District string       `json:"district"` // six digits, who handles it
	Polygon  [][2]float64 `json:"polygon"`  // longitude, latitude, closed
}
