package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ContactColumns are the columns of a list of contacts, besides the names of
// custom fields.
var ContactColumns = []string{"email", "name", "reading", "company", "phone", "language", "time_zone", "tags", "notes", "other_addresses", "never_answer"}

// columnNames are other words for the columns, as people and other programs
// head them.
var columnNames = map[string]string{
	"e-mail": "email", "mail": "email", "address": "email", "mail address": "email", "email address": "email", "メール": "email", "メールアドレス": "email", "eメール": "email",
	"full name": "name", "名前": "name", "氏名": "name", "お名前": "name", "顧客名": "name",
	"kana": "reading", "ふりがな": "reading", "フリガナ": "reading", "よみがな": "reading", "カナ": "reading",
	"company name": "company", "organization": "company", "会社": "company", "会社名": "company", "法人名": "company",
	"phone number": "phone", "tel": "phone", "telephone": "phone", "電話": "phone", "電話番号": "phone",
	"言語": "language", "locale": "language", "time zone": "time_zone", "timezone": "time_zone", "タイムゾーン": "time_zone",
	"tag": "tags", "タグ": "tags", "note": "notes", "memo": "notes", "メモ": "notes", "備考": "notes",
	"other addresses": "other_addresses", "ほかのアドレス": "other_addresses", "別アドレス": "other_addresses",
	"never answer": "never_answer", "自動応答しない": "never_answer",
}

// Bounds of an import.
const (
	// MaxImport is in bytes.
	MaxImport      = 20 << 20
	maxImportRows  = 100_000
	importBatch    = 200
	maxImportFault = 500 // that are listed; all are counted
)

// ImportReport says what an import did.
type ImportReport struct {
	Rows, Added, Changed, Same int
	Companies                  int // that were made
	Left                       int // rows that were left out
	Faults                     []ImportFault
	// Ignored are columns that have no meaning here.
	Ignored []string
}

// ImportFault is a row that was left out.
type ImportFault struct {
	Line  int // in the file, from 1
	Email string
	Err   error // of this package
}

// ImportContacts adds and changes contacts from a CSV file (RFC 4180) in UTF-8
// or Shift_JIS, separated by commas, semicolons or tabs, whose first line names
// the columns. A row is known by its address: an empty cell changes nothing. A
// company that does not exist is made. Rows with a fault are left out, and the
// report says why; the others are written, some hundreds a transaction.
func (d *Desk) ImportContacts(ctx context.Context, a Actor, file io.Reader) (*ImportReport, error) {
	if err := a.may("import contacts", PermitContacts); err != nil {
		return nil, err
	}
	rows, report, err := readContactRows(file)
	if err != nil {
		return nil, err
	}
	known, err := d.Fields(ctx, a)
	if err != nil {
		return nil, err
	}
	report.Ignored = slices.DeleteFunc(report.Ignored, func(column string) bool {
		return slices.ContainsFunc(known, func(f Field) bool { return f.Owner == FieldOfContact && strings.EqualFold(f.Name, column) })
	})
	for batch := range slices.Chunk(rows, importBatch) {
		var done ImportReport
		err := d.update(ctx, a, func(c *command) error {
			done = ImportReport{} // may run more than once
			for _, row := range batch {
				if err := c.importRow(row, &done); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return report, fmt.Errorf("import contacts from line %d on: %w", batch[0].line, err)
		}
		report.add(&done)
	}
	return report, d.update(ctx, a, func(c *command) error {
		_, err := c.record(Event{Kind: EventContactsImported, Data: map[string]string{"rows": fmt.Sprint(report.Rows),
			"added": fmt.Sprint(report.Added), "changed": fmt.Sprint(report.Changed), "left": fmt.Sprint(report.Left)}})
		return err
	})
}

func (r *ImportReport) add(more *ImportReport) {
	r.Added, r.Changed, r.Same, r.Companies = r.Added+more.Added, r.Changed+more.Changed, r.Same+more.Same, r.Companies+more.Companies
	for _, fault := range more.Faults {
		r.fault(fault)
	}
}

func (r *ImportReport) fault(f ImportFault) {
	r.Left++
	if len(r.Faults) < maxImportFault {
		r.Faults = append(r.Faults, f)
	}
}

// importRow writes a row, or notes why it cannot be: only what is wrong with the
// store ends the import.
func (c *command) importRow(row contactRow, report *ImportReport) error {
	email := loweredAddress(row.cells["email"])
	err := c.importContact(email, row, report)
	var refused *Error
	if errors.As(err, &refused) {
		report.fault(ImportFault{Line: row.line, Email: email, Err: refused})
		return nil
	}
	return err
}

func (c *command) importContact(email string, row contactRow, report *ImportReport) error {
	if email == "" {
		return invalid("email", "import_row_no_email", "the row has no address")
	}
	contact, err := contactOf(c, email)
	if err != nil {
		return err
	}
	isNew := contact == nil
	if isNew {
		contact = &Contact{ID: c.desk.newID(), Email: email, CreatedAt: c.now}
		if err := c.mayTake(contact, email); err != nil {
			return err
		}
	}
	change, err := c.rowChange(contact, row)
	if err != nil {
		return err
	}
	before, last := *contact, c.last
	fields := fmt.Sprint(contact.Fields)
	company := row.cells["company"]
	if err := c.tryContact(*contact, change); err != nil {
		return err
	}
	if company != "" {
		if change.Company, err = c.companyNamed(company, report); err != nil {
			return err
		}
		if has, err := companyOf(c, contact); err != nil {
			return err
		} else if has != nil && has.ID == *change.Company { // by its domain, and so it stays
			change.Company = nil
		}
	}
	if err := c.changeContact(contact, change); err != nil {
		return err
	}
	switch {
	case isNew:
		report.Added++
		if c.last == last {
			_, err = c.record(Event{Kind: EventContactSaved, Data: map[string]string{"contact": contact.Email}})
		}
	case len(contactChanges(&before, contact)) > 0 || fields != fmt.Sprint(contact.Fields):
		report.Changed++
	default:
		report.Same++
	}
	return err
}

// tryContact checks all of a change before any of it is written, so that a row
// with a fault leaves nothing behind.
func (c *command) tryContact(contact Contact, change ContactChange) error {
	if err := change.texts(&contact); err != nil {
		return err
	}
	if change.Tags != nil {
		if _, err := cleanTags(*change.Tags); err != nil {
			return err
		}
	}
	contact.Others = slices.Clone(contact.Others)
	if err := c.readdress(&contact, change); err != nil {
		return err
	}
	list, err := fieldsOf(c, FieldOfContact)
	if err != nil {
		return err
	}
	for name, values := range change.Fields {
		i := slices.IndexFunc(list, func(f Field) bool { return strings.EqualFold(f.Name, name) })
		if i < 0 {
			return invalid("fields", "field_unknown", "there is no field %q; there are: %s", name, fieldNames(list))
		}
		if _, err := list[i].read(values); err != nil {
			return err
		}
	}
	return nil
}

// rowChange is what a row says; an empty cell says nothing.
func (c *command) rowChange(contact *Contact, row contactRow) (change ContactChange, err error) {
	list := func(text string) []string {
		return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",;、，；\n", r) })
	}
	for column, cell := range row.cells {
		switch column {
		case "email", "company":
		case "name":
			change.Name = &cell
		case "reading":
			change.Reading = &cell
		case "phone":
			change.Phone = &cell
		case "notes":
			change.Notes = &cell
		case "language":
			change.Language = &cell
		case "time_zone":
			change.TimeZone = &cell
		case "tags":
			tags := appendNew(slices.Clone(contact.Tags), list(cell)...)
			change.Tags = &tags
		case "other_addresses":
			change.Add = list(cell)
		case "never_answer":
			yes, err := readYes(column, cell)
			if err != nil {
				return change, err
			}
			change.NeverAnswer = &yes
		default:
			if change.Fields == nil {
				change.Fields = FieldValues{}
			}
			change.Fields[column] = list(cell)
		}
	}
	return change, c.singleFields(change.Fields, row)
}

// singleFields takes the cells of fields with one value whole: a text may have
// commas in it. What is no field's name is left out.
func (c *command) singleFields(given FieldValues, row contactRow) error {
	if len(given) == 0 {
		return nil
	}
	list, err := fieldsOf(c, FieldOfContact)
	if err != nil {
		return err
	}
	for name := range given {
		i := slices.IndexFunc(list, func(f Field) bool { return strings.EqualFold(f.Name, name) })
		switch {
		case i < 0:
			delete(given, name)
		case list[i].Kind != FieldChoices:
			given[name] = []string{row.cells[name]}
		}
	}
	return nil
}

// companyNamed finds or makes a company, and returns its id.
func (c *command) companyNamed(name string, report *ImportReport) (*string, error) {
	company, err := optional(companies.First(c, "name", key(foldName(name))))
	if err != nil {
		return nil, err
	}
	if company == nil {
		company = &Company{Name: name}
		if err := company.check(); err != nil {
			return nil, err
		}
		if err := c.saveCompany(company); err != nil {
			return nil, err
		}
		report.Companies++
	}
	return &company.ID, nil
}
