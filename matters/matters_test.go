package matters_test
import ("testing";"haoban/matters")
func TestLoad(t *testing.T){ ms,err:=matters.Load(); if err!=nil{t.Fatal(err)}; for _,m:=range ms{ for _,p:=range m.Flow.Check(){ t.Error(p.String()) } ; t.Log(m.Slug,m.Digest()[:8]) } }
