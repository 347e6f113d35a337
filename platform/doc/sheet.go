package doc

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"haoban/platform/clock"
	"haoban/platform/errs"
)

// Column is the head of one column of a sheet.
type Column struct {
	Title string
	Width float64 // characters; 0 takes 16
}

// Cents is an amount in 分, written as a number with two decimals.
type Cents int64

// Day is a day "2026-11-23", written as a date; an empty one as an empty cell.
type Day string

// maxSheetRows and maxCell are what a spreadsheet can hold.
const (
	maxSheetRows = 1_048_575
	maxCell      = 32_767
)

// Sheet writes rows as an XLSX file with one sheet, without keeping them in
// memory. Cells are nil, string, int, int64, float64, bool, Cents, Day or
// time.Time (written in Shanghai's time).
//
// Text stays text: a string that a spreadsheet or a later CSV could take for a
// formula (beginning with = + - @ or a control character) is stored as quoted
// text, so that opening, editing or re-saving it never runs anything.
//
// An error from rows is returned as it is and nothing may be assumed of what was
// written; more rows than a sheet holds is an error of kind TooLarge.
func Sheet(w io.Writer, name string, cols []Column, rows iter.Seq2[[]any, error]) (err error) {
	f := excelize.NewFile()
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.SetSheetName("Sheet1", name); err != nil {
		return fmt.Errorf("doc: sheet %q: %w", name, err)
	}
	st, err := sheetStyles(f)
	if err != nil {
		return err
	}
	sw, err := f.NewStreamWriter(name)
	if err != nil {
		return fmt.Errorf("doc: sheet: %w", err)
	}
	head := make([]any, len(cols))
	for i, c := range cols {
		width := c.Width
		if width == 0 {
			width = 16
		}
		if err := sw.SetColWidth(i+1, i+1, width); err != nil {
			return fmt.Errorf("doc: sheet: %w", err)
		}
		head[i] = excelize.Cell{StyleID: st.head, Value: c.Title}
	}
	if err := sw.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return fmt.Errorf("doc: sheet: %w", err)
	}
	if err := sw.SetRow("A1", head); err != nil {
		return fmt.Errorf("doc: sheet: %w", err)
	}
	n := 1
	for row, err := range rows {
		if err != nil {
			return err
		}
		if n++; n > maxSheetRows+1 {
			return errs.New(errs.TooLarge, "doc.sheet_rows", fmt.Sprintf("超过了一张表能装的 %d 行，请缩小导出范围", maxSheetRows))
		}
		if len(row) != len(cols) {
			return fmt.Errorf("doc: sheet: row %d has %d cells, the head has %d", n, len(row), len(cols))
		}
		cells := make([]any, len(row))
		for i, v := range row {
			if cells[i], err = st.cell(v); err != nil {
				return fmt.Errorf("doc: sheet: row %d, %s: %w", n, cols[i].Title, err)
			}
		}
		if err := sw.SetRow(fmt.Sprintf("A%d", n), cells); err != nil {
			return fmt.Errorf("doc: sheet: %w", err)
		}
	}
	if err := sw.Flush(); err != nil {
		return fmt.Errorf("doc: sheet: %w", err)
	}
	if _, err := f.WriteTo(w); err != nil {
		return fmt.Errorf("doc: sheet: %w", err)
	}
	return nil
}

// sheetStyle numbers the styles of a file.
type sheetStyle struct{ head, quoted, money, day, moment int }

func sheetStyles(f *excelize.File) (sheetStyle, error) {
	var s sheetStyle
	dayFmt, momentFmt := "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
	for _, d := range []struct {
		id    *int
		style excelize.Style
	}{
		{&s.head, excelize.Style{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"EFEFEF"}}}},
		{&s.quoted, excelize.Style{NumFmt: 49}},
		{&s.money, excelize.Style{NumFmt: 4}},
		{&s.day, excelize.Style{CustomNumFmt: &dayFmt}},
		{&s.moment, excelize.Style{CustomNumFmt: &momentFmt}},
	} {
		id, err := f.NewStyle(&d.style)
		if err != nil {
			return s, fmt.Errorf("doc: sheet style: %w", err)
		}
		*d.id = id
	}
	yes := true
	f.Styles.CellXfs.Xf[s.quoted].QuotePrefix = &yes
	return s, nil
}

func (s sheetStyle) cell(v any) (any, error) {
	switch v := v.(type) {
	case nil, int, int64, float64, bool:
		return v, nil
	case string:
		if len(v) > maxCell && len(utf16.Encode([]rune(v))) > maxCell {
			return nil, fmt.Errorf("a text of more than %d characters", maxCell)
		}
		if v == "" {
			return nil, nil //nolint:nilnil // an empty cell
		}
		if c := v[0]; c == '=' || c == '+' || c == '-' || c == '@' || c < ' ' {
			return excelize.Cell{StyleID: s.quoted, Value: v}, nil
		}
		return v, nil
	case Cents:
		return excelize.Cell{StyleID: s.money, Value: float64(v) / 100}, nil
	case Day:
		if v == "" {
			return nil, nil //nolint:nilnil // an empty cell
		}
		d, err := time.Parse(time.DateOnly, string(v))
		if err != nil {
			return nil, err
		}
		return excelize.Cell{StyleID: s.day, Value: d}, nil
	case time.Time:
		if v.IsZero() {
			return nil, nil //nolint:nilnil // an empty cell
		}
		return excelize.Cell{StyleID: s.moment, Value: v.In(clock.Shanghai())}, nil
	}
	return nil, fmt.Errorf("a cell cannot hold a %T", v)
}
