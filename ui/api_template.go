package ui

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// apiTemplate is a template, in the API and in the file of an export. What the
// house fills in is not read.
type apiTemplate struct {
	ID         string               `json:"id"`
	Name       string               `json:"name"`
	Folder     string               `json:"folder"`
	Shortcut   string               `json:"shortcut"`
	Own        bool                 `json:"own"`
	Aliases    []string             `json:"aliases"` // addresses
	Versions   []apiTemplateVersion `json:"versions"`
	Uses       int                  `json:"uses"`
	LastUsedAt *time.Time           `json:"last_used_at"`
	CreatedAt  *time.Time           `json:"created_at"`
	ChangedAt  *time.Time           `json:"changed_at"`
}

type apiTemplateVersion struct {
	Language    string            `json:"language"`
	Subject     string            `json:"subject"`
	Text        string            `json:"text"`
	HTML        string            `json:"html"`
	Attachments []apiTemplateFile `json:"attachments"`
}

// apiTemplateFile is a file of a template: with an id one that is there, with
// data a new one.
type apiTemplateFile struct {
	ID          string `json:"id,omitempty"`
	Filename    string `json:"filename"`
	ContentType string `json:"content_type"`
	Size        int64  `json:"size"`
	Data        string `json:"data,omitempty"` // base64
}

// aliasNames are the addresses of aliases by id.
type aliasNames map[string]string

func (s *Server) templateNames(ctx context.Context, a helpdesk.Actor) (aliasNames, error) {
	list, err := s.desk.Aliases(ctx, a)
	if err != nil {
		return nil, err
	}
	names := aliasNames{}
	for _, alias := range list {
		names[alias.ID] = alias.Address
	}
	return names, nil
}

func (n aliasNames) template(t helpdesk.Template) apiTemplate {
	out := apiTemplate{ID: t.ID, Name: t.Name, Folder: t.Folder, Shortcut: t.Shortcut, Own: t.OwnerID != "", Aliases: []string{}, Versions: []apiTemplateVersion{},
		Uses: t.Uses, LastUsedAt: timeOrNull(t.LastUsedAt), CreatedAt: timeOrNull(t.CreatedAt), ChangedAt: timeOrNull(t.ChangedAt)}
	for _, id := range t.Aliases {
		out.Aliases = append(out.Aliases, n[id])
	}
	for _, v := range t.Versions {
		version := apiTemplateVersion{v.Language, v.Subject, v.Text, v.HTML, []apiTemplateFile{}}
		for _, f := range v.Files {
			version.Attachments = append(version.Attachments, apiTemplateFile{f.ID, f.Filename, f.ContentType, f.Size, base64.StdEncoding.EncodeToString(f.Data)})
		}
		out.Versions = append(out.Versions, version)
	}
	return out
}

// read makes of what a program sent, or a file holds, a template to be saved.
func (t *apiTemplate) read(field string) (helpdesk.Template, error) {
	out := helpdesk.Template{Name: t.Name, Folder: t.Folder, Shortcut: t.Shortcut, Aliases: t.Aliases}
	for i, v := range t.Versions {
		version := helpdesk.TemplateVersion{Language: v.Language, Subject: v.Subject, Text: v.Text, HTML: v.HTML}
		for j, f := range v.Attachments {
			file := helpdesk.TemplateFile{ID: f.ID, Filename: f.Filename, ContentType: f.ContentType}
			if f.Data != "" || f.ID == "" {
				upload, err := (&attachmentInput{Filename: f.Filename, ContentType: f.ContentType, Data: f.Data}).upload(strings.TrimPrefix(fmt.Sprintf("%s.versions[%d].attachments[%d]", field, i, j), "."))
				if err != nil {
					return out, err
				}
				file.Data = append([]byte{}, upload.Data...)
			}
			version.Files = append(version.Files, file)
		}
		out.Versions = append(out.Versions, version)
	}
	return out, nil
}

// templateInput is the body that creates or replaces a template.
type templateInput struct {
	Name     string            `json:"name"`
	Folder   string            `json:"folder"`
	Shortcut string            `json:"shortcut"`
	Own      bool              `json:"own"`
	Aliases  []string          `json:"aliases"`
	Versions []templateVersion `json:"versions"`
}

type templateVersion struct {
	Language    string              `json:"language"`
	Subject     string              `json:"subject"`
	Text        string              `json:"text"`
	HTML        string              `json:"html"`
	Attachments []templateFileInput `json:"attachments"`
}

type templateFileInput struct {
	ID          string `json:"id"`
	Filename    string `json:"filename"`
	ContentType string `json:"content_type"`
	Data        string `json:"data"`
}

func (in *templateInput) template(a helpdesk.Actor) (helpdesk.Template, error) {
	t := apiTemplate{Name: in.Name, Folder: in.Folder, Shortcut: in.Shortcut, Aliases: in.Aliases}
	for _, v := range in.Versions {
		version := apiTemplateVersion{v.Language, v.Subject, v.Text, v.HTML, nil}
		for _, f := range v.Attachments {
			version.Attachments = append(version.Attachments, apiTemplateFile{ID: f.ID, Filename: f.Filename, ContentType: f.ContentType, Data: f.Data})
		}
		t.Versions = append(t.Versions, version)
	}
	read, err := t.read("")
	if in.Own {
		read.OwnerID = a.UserID
	}
	return read, err
}

func (s *Server) apiTemplates(c echo.Context, a helpdesk.Actor) error {
	ctx := c.Request().Context()
	list, err := s.desk.Templates(ctx, a)
	if err != nil {
		return err
	}
	named, err := s.templateNames(ctx, a)
	if err != nil {
		return err
	}
	answer := templateExport{Templates: []apiTemplate{}}
	for _, t := range list {
		answer.Templates = append(answer.Templates, named.template(t))
	}
	return c.JSON(http.StatusOK, answer)
}

func (s *Server) apiTemplate(c echo.Context, a helpdesk.Actor) error {
	t, err := s.desk.Template(c.Request().Context(), a, c.Param("id"))
	if err != nil {
		return err
	}
	return s.answerTemplate(c, a, http.StatusOK, t)
}

func (s *Server) answerTemplate(c echo.Context, a helpdesk.Actor, status int, t *helpdesk.Template) error {
	named, err := s.templateNames(c.Request().Context(), a)
	if err != nil {
		return err
	}
	setVersion(c, t.Version())
	return c.JSON(status, map[string]apiTemplate{"template": named.template(*t)})
}

func (s *Server) apiCreateTemplate(c echo.Context, a helpdesk.Actor) error {
	return s.putTemplate(c, a, "", http.StatusCreated)
}

func (s *Server) apiReplaceTemplate(c echo.Context, a helpdesk.Actor) error {
	return s.putTemplate(c, a, c.Param("id"), http.StatusOK)
}

func (s *Server) putTemplate(c echo.Context, a helpdesk.Actor, id string, status int) error {
	var input templateInput
	if err := readBody(c, maxAPIReplyBody, &input); err != nil {
		return err
	}
	t, err := input.template(a)
	if err != nil {
		return err
	}
	t.ID = id
	if a, err = ifMatch(c, a); err != nil {
		return err
	}
	saved, err := s.desk.SaveTemplate(c.Request().Context(), a, t)
	if err != nil {
		return refuseVersion(c, err)
	}
	return s.answerTemplate(c, a, status, saved)
}

// apiDeleteTemplate answers with the template as it was.
func (s *Server) apiDeleteTemplate(c echo.Context, a helpdesk.Actor) error {
	ctx, id := c.Request().Context(), c.Param("id")
	t, err := s.desk.Template(ctx, a, id)
	if err != nil {
		return err
	}
	if err := s.desk.DeleteTemplate(ctx, a, id); err != nil {
		return err
	}
	return s.answerTemplate(c, a, http.StatusOK, t)
}
