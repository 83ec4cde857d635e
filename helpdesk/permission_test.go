package helpdesk_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// needed is the permission that each command and query of the desk asks for
// first. Whoever adds one adds it here.
var needed = map[string]helpdesk.Permission{
	"Approve":     helpdesk.PermitApprove,
	"RecallDraft": helpdesk.PermitReply,
	"Send":        helpdesk.PermitReply,
	"SendBack":    helpdesk.PermitApprove,
	"SendNow":     helpdesk.PermitReply,

	"AddDraftFile":   helpdesk.PermitReply,
	"AddDraftedNote": helpdesk.PermitNote,
	"AddNote":        helpdesk.PermitNote,
	"AddNoteOnce":    helpdesk.PermitNote,
	"Alarms":         helpdesk.PermitSystem,
	"Webhooks":       helpdesk.PermitWebhooks, "Webhook": helpdesk.PermitWebhooks, "SaveWebhook": helpdesk.PermitWebhooks, "DeleteWebhook": helpdesk.PermitWebhooks,
	"RotateWebhookSecret": helpdesk.PermitWebhooks, "PauseWebhook": helpdesk.PermitWebhooks, "ResumeWebhook": helpdesk.PermitWebhooks,
	"SkipWebhookEvent": helpdesk.PermitWebhooks, "TestWebhook": helpdesk.PermitWebhooks, "RepeatWebhook": helpdesk.PermitWebhooks,
	"WebhookDeliveries": helpdesk.PermitWebhooks,
	"IssueToken":        helpdesk.PermitTokens,
	"RaiseAlarm":        helpdesk.PermitSystem,
	"SetPolicy":         helpdesk.PermitSystem,
	"TurnedAway":        helpdesk.PermitSystem,
	"ExportPage":        helpdesk.PermitExport,
	"RehearseImport":    helpdesk.PermitSystem,
	"ImportTicket":      helpdesk.PermitSystem,
	"ImportPeople":      helpdesk.PermitSystem,
	"NoteImport":        helpdesk.PermitSystem,
	"RequestBackup":     helpdesk.PermitSystem,
	"EndAlarm":          helpdesk.PermitSystem,
	"Mend":              helpdesk.PermitSystem,
	"RestoreTicket":     helpdesk.PermitSystem,
	"CopyTicket":        helpdesk.PermitExport,
	"Aliases":           helpdesk.PermitRead,
	"AttachmentData":    helpdesk.PermitRead,
	"Audit":             helpdesk.PermitAudit,
	"Backlog":           helpdesk.PermitSupervise,
	"Begun":             helpdesk.PermitRead,
	"Block":             helpdesk.PermitSpam, // a whole domain takes PermitAliases too
	"BlockedSenders":    helpdesk.PermitRead,
	"Bulk":              helpdesk.PermitRead,
	"Calendars":         helpdesk.PermitRead,
	"Change":            helpdesk.PermitRead, // and one for each thing that changes, below
	"ChangeUser":        helpdesk.PermitUsers,
	"CheckReply":        helpdesk.PermitReply,
	"DraftForward":      helpdesk.PermitReply,
	"Forwarded":         helpdesk.PermitReply,
	"Contacts":          helpdesk.PermitRead,
	"CopyTemplate":      helpdesk.PermitReply,
	"CorrectAnalysis":   helpdesk.PermitEdit,
	"Corrections":       helpdesk.PermitExport,
	"TickAction":        helpdesk.PermitEdit,
	"CountTickets":      helpdesk.PermitRead,
	"Counts":            helpdesk.PermitRead,
	"CreateToken":       helpdesk.PermitTokens,
	"CreateUser":        helpdesk.PermitUsers,
	"DecodeAgain":       helpdesk.PermitEdit,
	"CancelDelivery":    helpdesk.PermitSystem,
	"PauseDestination":  helpdesk.PermitSystem,
	"Queue":             helpdesk.PermitSupervise,
	"QueuedDelivery":    helpdesk.PermitSupervise,
	"ResumeDestination": helpdesk.PermitSystem,
	"ResumeParked":      helpdesk.PermitSystem,
	"Parked":            helpdesk.PermitSystem,
	"DKIMKeys":          helpdesk.PermitAliases,
	"DeleteAlias":       helpdesk.PermitAliases,
	"DeleteCalendar":    helpdesk.PermitHours,
	"DeleteDuePolicy":   helpdesk.PermitHours,
	"DeleteField":       helpdesk.PermitFields,
	"DeleteRole":        helpdesk.PermitRoles,
	"DeleteRule":        helpdesk.PermitRules,
	"DeleteTeam":        helpdesk.PermitTeams,
	"DeleteTemplate":    helpdesk.PermitReply, // and PermitTemplates for everybody's
	"DiscardDraft":      helpdesk.PermitRead,
	"Diagnose":          helpdesk.PermitSystem,
	"Distinguish":       helpdesk.PermitMerge,
	"Draft":             helpdesk.PermitRead,
	"DraftFileData":     helpdesk.PermitRead,
	"Drafts":            helpdesk.PermitRead,
	"DuePolicies":       helpdesk.PermitRead,
	"EmptyStage":        helpdesk.PermitPipelines,
	"EndAway":           helpdesk.PermitSupervise, // of others
	"Events":            helpdesk.PermitRead,
	"Explain":           helpdesk.PermitSupervise,
	"ExportAudit":       helpdesk.PermitAudit,
	"ExportTemplates":   helpdesk.PermitRead,
	"Fields":            helpdesk.PermitRead,
	"FillTemplate":      helpdesk.PermitRead,
	"FindMessages":      helpdesk.PermitRead,
	"Follow":            helpdesk.PermitEdit,
	"ImportTemplates":   helpdesk.PermitTemplates, // or PermitReply for one's own
	"InlineImage":       helpdesk.PermitRead,
	"Ledger":            helpdesk.PermitSystem,
	"Languages":         helpdesk.PermitRead,
	"Insights":          helpdesk.PermitInsights,
	"HurryAnalysis":     helpdesk.PermitRead,
	"LastReanalysis":    helpdesk.PermitRead,
	"StartReanalysis":   helpdesk.PermitSystem,
	"StopReanalysis":    helpdesk.PermitSystem,
	"Greylisted":        helpdesk.PermitSystem, "AllowGreylisted": helpdesk.PermitSystem, "DisallowGreylisted": helpdesk.PermitSystem,
	"DMARCReports": helpdesk.PermitAliases, "ReceivedTLSReports": helpdesk.PermitAliases,
	"AuthorizeInbound":  helpdesk.PermitInbound,
	"Release":           helpdesk.PermitQuarantine, // trust in a whole domain takes PermitAliases too
	"RejectQuarantined": helpdesk.PermitQuarantine, "QuarantineList": helpdesk.PermitQuarantine, "QuarantineCount": helpdesk.PermitQuarantine,
	"QuarantinedMail": helpdesk.PermitQuarantine, "QuarantinedSource": helpdesk.PermitQuarantine,
	"TrustedSenders": helpdesk.PermitQuarantine, "Distrust": helpdesk.PermitQuarantine,
	"EraseContact": helpdesk.PermitErase, "ExportPerson": helpdesk.PermitErase, "PlanErasure": helpdesk.PermitErase, "Erasures": helpdesk.PermitErase, "Erasure": helpdesk.PermitErase,
	"LiftSuppression":     helpdesk.PermitSuppressions,
	"LogReply":            helpdesk.PermitReply,
	"MailDrafts":          helpdesk.PermitRead,
	"MarkNotSpam":         helpdesk.PermitSpam,
	"MarkSeen":            helpdesk.PermitRead,
	"MarkSpam":            helpdesk.PermitSpam,
	"MarkUnread":          helpdesk.PermitRead,
	"Matches":             helpdesk.PermitRead,
	"Merge":               helpdesk.PermitMerge,
	"Message":             helpdesk.PermitRead,
	"TicketMessages":      helpdesk.PermitRead,
	"Move":                helpdesk.PermitMerge,
	"Movings":             helpdesk.PermitRead,
	"OrderFields":         helpdesk.PermitFields,
	"OrderRules":          helpdesk.PermitRules,
	"Pipelines":           helpdesk.PermitRead,
	"Preference":          helpdesk.PermitRead,
	"PreviewDraft":        helpdesk.PermitRead,
	"ReassignAll":         helpdesk.PermitSupervise,
	"RecordExport":        helpdesk.PermitExport,
	"RemoveDraftFile":     helpdesk.PermitReply,
	"Reply":               helpdesk.PermitReply,
	"MailSignature":       helpdesk.PermitRead,
	"ResolveHeld":         helpdesk.PermitMerge,
	"Senders":             helpdesk.PermitReply,
	"RetryAnalysis":       helpdesk.PermitEdit,
	"RetryDelivery":       helpdesk.PermitReply,
	"Roles":               helpdesk.PermitRead,
	"Rules":               helpdesk.PermitRead,
	"Sessions":            helpdesk.PermitUsers, // of others
	"Access":              helpdesk.PermitUsers, // of others
	"ReleaseIdentity":     helpdesk.PermitUsers,
	"ResetSecondFactor":   helpdesk.PermitUsers,
	"SecondFactors":       helpdesk.PermitUsers,
	"RequireSecondFactor": helpdesk.PermitSystem,
	"EndSession":          helpdesk.PermitUsers, // of others
	"EndSessions":         helpdesk.PermitUsers, // of others
	"RotateDKIM":          helpdesk.PermitAliases,
	"SaveAlias":           helpdesk.PermitAliases,
	"SaveCalendar":        helpdesk.PermitHours,
	"SaveDraft":           helpdesk.PermitReply,
	"SaveDuePolicy":       helpdesk.PermitHours,
	"SaveField":           helpdesk.PermitFields,
	"SavePipeline":        helpdesk.PermitPipelines,
	"SaveRoles":           helpdesk.PermitRoles,
	"SaveRule":            helpdesk.PermitRules,
	"SaveTeam":            helpdesk.PermitTeams,
	"SaveTemplate":        helpdesk.PermitTemplates, // or PermitReply for one's own
	"SavedView":           helpdesk.PermitRead,
	"SavedViews":          helpdesk.PermitRead,
	"Schedule":            helpdesk.PermitRead,
	"SetAway":             helpdesk.PermitSupervise, // of others
	"SetContactFields":    helpdesk.PermitContacts,
	"Situation":           helpdesk.PermitSupervise,
	"Snooze":              helpdesk.PermitEdit,
	"Source":              helpdesk.PermitRead,
	"StageTickets":        helpdesk.PermitRead,
	"StartBulk":           helpdesk.PermitBulk, // and one for each thing that changes
	"SuggestRecipients":   helpdesk.PermitRead,
	"Suppressions":        helpdesk.PermitRead,
	"Tags":                helpdesk.PermitRead,
	"TakeDraft":           helpdesk.PermitRead,
	"Teams":               helpdesk.PermitRead,
	"Template":            helpdesk.PermitRead,
	"TemplateFile":        helpdesk.PermitRead,
	"TemplateOffers":      helpdesk.PermitRead,
	"Templates":           helpdesk.PermitRead,
	"Ticket":              helpdesk.PermitRead,
	"TicketOutline":       helpdesk.PermitRead, "ReadBodies": helpdesk.PermitRead,
	"TicketRow":       helpdesk.PermitRead,
	"Tickets":         helpdesk.PermitRead,
	"Timers":          helpdesk.PermitSupervise,
	"Tokens":          helpdesk.PermitRead,
	"TryRules":        helpdesk.PermitRules,
	"Unblock":         helpdesk.PermitSpam,
	"Undo":            helpdesk.PermitReply,
	"UndoBulk":        helpdesk.PermitBulk,
	"UndoMerge":       helpdesk.PermitMerge,
	"UndoMove":        helpdesk.PermitMerge,
	"Users":           helpdesk.PermitRead,
	"Wake":            helpdesk.PermitEdit,
	"AnsweredTickets": helpdesk.PermitRead,
	"RequestTopics":   helpdesk.PermitSupervise,
	"TopicTickets":    helpdesk.PermitSupervise,
	"Topics":          helpdesk.PermitSupervise,
	"ChooseNotices":   helpdesk.PermitRead,
	"NoticeChoice":    helpdesk.PermitRead,
	"Notices":         helpdesk.PermitRead,
	"ReadNotices":     helpdesk.PermitRead,
	"SubscribePush":   helpdesk.PermitRead,
	"UnsubscribePush": helpdesk.PermitRead,
	"ChangeContact":   helpdesk.PermitContacts, "Companies": helpdesk.PermitRead, "Company": helpdesk.PermitRead, "Contact": helpdesk.PermitRead,
	"ContactFiles": helpdesk.PermitRead, "ContactTags": helpdesk.PermitRead, "ContactTickets": helpdesk.PermitRead, "DeleteCompany": helpdesk.PermitContacts,
	"ExportContacts": helpdesk.PermitExport, "ImportContacts": helpdesk.PermitContacts, "MergeContacts": helpdesk.PermitContacts,
	"SaveCompany": helpdesk.PermitContacts, "UndoMergeContacts": helpdesk.PermitContacts,
	"TicketsNaming": helpdesk.PermitRead,
	"Services":      helpdesk.PermitRead, "SaveService": helpdesk.PermitRules, "DeleteService": helpdesk.PermitRules, "ServiceQuestion": helpdesk.PermitRules,
	"StartTrial": helpdesk.PermitRules, "StopTrial": helpdesk.PermitRules, "Trial": helpdesk.PermitRead, "SendAutoReplyNow": helpdesk.PermitReply,
	"RejectAutoReply": helpdesk.PermitReply, "ForbidAutoReply": helpdesk.PermitReply, "MatchAgain": helpdesk.PermitReply,
	"BeginBulkReplyOnce": helpdesk.PermitBulk,
	"BeginBulkReply":     helpdesk.PermitBulk, "SaveBulkReply": helpdesk.PermitBulk, "DiscardBulkReply": helpdesk.PermitBulk, // and PermitReply
	"AddBulkReplyFile": helpdesk.PermitBulk, "RemoveBulkReplyFile": helpdesk.PermitBulk, // and PermitReply
	"SendBulkReply": helpdesk.PermitBulk, "UndoBulkReply": helpdesk.PermitBulk, // and PermitReply
	"BulkReply": helpdesk.PermitRead, "BulkReplies": helpdesk.PermitRead, "PreviewBulkReply": helpdesk.PermitRead,
	"ApproveBulkReply": helpdesk.PermitApprove, "ReturnBulkReply": helpdesk.PermitApprove,
	"OptOuts": helpdesk.PermitRead, "SaveDraftFrom": helpdesk.PermitReply, "LiftOptOut": helpdesk.PermitSuppressions,
	"Writing": helpdesk.PermitReply, // or PermitRead for what is only read
}

// own are the commands that everybody may use on what is their own.
var own = map[string]bool{"BeginApp": true, "AddApp": true, "RemoveApp": true, "NewRecoveryCodes": true, "DistrustDevices": true,
	"BeginPasskey": true, "AddPasskey": true, "RenamePasskey": true, "RemovePasskey": true, "RevokeToken": true, "SaveView": true, "DeleteView": true, "ChangePreference": true}

// call calls a method of the desk with an actor and otherwise nothing at all,
// and returns its error.
func (h *house) call(m reflect.Method, a helpdesk.Actor) error {
	in := []reflect.Value{reflect.ValueOf(h.Desk), reflect.ValueOf(h.t.Context()), reflect.ValueOf(a)}
	for i := 3; i < m.Type.NumIn() && !m.Type.IsVariadic(); i++ {
		p := m.Type.In(i)
		if p.Kind() == reflect.Func {
			in = append(in, reflect.MakeFunc(p, func([]reflect.Value) (out []reflect.Value) {
				for i := range p.NumOut() {
					out = append(out, reflect.Zero(p.Out(i)))
				}
				return out
			}))
			continue
		}
		in = append(in, reflect.Zero(p))
	}
	out := m.Func.Call(in)
	err, _ := out[len(out)-1].Interface().(error)
	return err
}

// commands are the desk's methods that act for somebody.
func commands() (list []reflect.Method) {
	desk := reflect.TypeFor[*helpdesk.Desk]()
	for i := range desk.NumMethod() {
		m := desk.Method(i)
		if m.Type.NumIn() > 2 && m.Type.In(1) == reflect.TypeFor[context.Context]() && m.Type.In(2) == reflect.TypeFor[helpdesk.Actor]() {
			list = append(list, m)
		}
	}
	return list
}

// TestEveryCommandAsksForItsPermission calls each command as each role: with
// all permissions but the needed one, with that one and reading alone, and as
// the built-in roles.
func TestEveryCommandAsksForItsPermission(t *testing.T) {
	h := newHouse(t)
	var all []helpdesk.Permission
	from := map[helpdesk.Permission]helpdesk.Role{}
	for row := range helpdesk.Permissions() {
		all = append(all, row.Permission)
		from[row.Permission] = row.From
	}
	everything := helpdesk.NewPermissionSet(all...)
	found := 0
	for _, m := range commands() {
		if own[m.Name] {
			continue
		}
		p, ok := needed[m.Name]
		if !ok {
			t.Errorf("%s acts for somebody, but nothing here says what permission it needs", m.Name)
			continue
		}
		found++
		custom := helpdesk.Actor{Kind: helpdesk.ActorUser, UserID: "custom", Role: "custom"}
		custom.Granted = everything &^ helpdesk.NewPermissionSet(p)
		if err := h.call(m, custom); helpdesk.CodeOf(err) != helpdesk.CodeForbidden || !strings.Contains(err.Error(), string(p)) {
			t.Errorf("%s without %s: %v", m.Name, p, err)
		}
		custom.Granted = helpdesk.NewPermissionSet(helpdesk.PermitRead, p)
		if err := h.call(m, custom); helpdesk.CodeOf(err) == helpdesk.CodeForbidden {
			t.Errorf("%s with %s: %v", m.Name, p, err)
		}
		may := false // each role includes the ones before
		for _, role := range []helpdesk.Role{helpdesk.RoleAgent, helpdesk.RoleSupervisor, helpdesk.RoleAdmin} {
			may = may || from[p] == role
			err := h.call(m, helpdesk.Actor{Kind: helpdesk.ActorUser, UserID: "someone", Role: role})
			if refused := helpdesk.CodeOf(err) == helpdesk.CodeForbidden; refused == may {
				t.Errorf("%s as %s: %v; the role has %s: %t", m.Name, role, err, p, may)
			}
		}
		if err := h.call(m, helpdesk.Actor{Kind: helpdesk.ActorCustomer}); helpdesk.CodeOf(err) != helpdesk.CodeForbidden {
			t.Errorf("%s as a customer: %v", m.Name, err)
		}
	}
	if found != len(needed) {
		t.Errorf("%d of the %d commands named here are there", found, len(needed))
	}
}

func TestChangingATicketNeedsWhatItChanges(t *testing.T) {
	h := newHouse(t)
	h.first()
	stage, nobody := "対応中", ""
	tags := []string{"a"}
	for p, change := range map[helpdesk.Permission]helpdesk.Change{
		helpdesk.PermitStage:  {Stage: &stage},
		helpdesk.PermitAssign: {Assignee: &nobody},
		helpdesk.PermitEdit:   {Tags: &tags},
	} {
		actor := helpdesk.Actor{Kind: helpdesk.ActorUser, UserID: "x", Role: "x", Granted: helpdesk.NewPermissionSet(helpdesk.PermitRead)}
		_, err := h.Change(t.Context(), actor, 1, change)
		wantCode(t, err, helpdesk.CodeForbidden, string(p))
		actor.Granted = helpdesk.NewPermissionSet(helpdesk.PermitRead, p)
		if _, err := h.Change(t.Context(), actor, 1, change); err != nil {
			t.Errorf("with %s: %v", p, err)
		}
	}
}

// role makes a role and a user who has it, logged in.
func (h *house) roleAndUser(name, email string, permissions ...helpdesk.Permission) (helpdesk.CustomRole, helpdesk.Actor) {
	h.t.Helper()
	saved, err := h.SaveRoles(h.t.Context(), h.admin, helpdesk.CustomRole{Name: name, Permissions: permissions})
	if err != nil {
		h.t.Fatal(err)
	}
	u, err := h.CreateUser(h.t.Context(), h.admin, helpdesk.NewUser{Email: email, Name: email, Password: "correct horse battery", Role: helpdesk.Role(name)})
	if err != nil {
		h.t.Fatal(err)
	}
	if u.Role != helpdesk.Role(saved[0].ID) {
		h.t.Fatalf("the role of %s is %q; a role may be given by name", email, u.Role)
	}
	return saved[0], h.loggedIn(email)
}

// loggedIn is a user as their next request brings them.
func (h *house) loggedIn(email string) helpdesk.Actor {
	h.t.Helper()
	entry, err := h.Login(h.t.Context(), helpdesk.Visitor{IP: "192.0.2.1"}, email, "correct horse battery")
	if err != nil {
		h.t.Fatal(err)
	}
	u, _, err := h.UserBySession(h.t.Context(), entry.Session)
	if err != nil {
		h.t.Fatal(err)
	}
	return u.Actor()
}

func TestARoleOfTheHousesOwn(t *testing.T) {
	h := newHouse(t)
	h.first()
	ctx := t.Context()
	role, reader := h.roleAndUser("閲覧のみ", "reader@example.jp", helpdesk.PermitRead)
	if _, err := h.Ticket(ctx, reader, 1); err != nil {
		t.Errorf("reading: %v", err)
	}
	_, err := h.AddNote(ctx, reader, 1, "hello")
	wantCode(t, err, helpdesk.CodeForbidden, "tickets.note")

	// The role changes: the next request knows.
	role.Permissions = append(role.Permissions, helpdesk.PermitNote)
	if _, err := h.SaveRoles(ctx, h.admin, role); err != nil {
		t.Fatal(err)
	}
	if _, err := h.AddNote(ctx, h.loggedIn("reader@example.jp"), 1, "hello"); err != nil {
		t.Errorf("a note by a role that may now: %v", err)
	}
	// A token has the role's permissions within its scope.
	users, err := h.Users(ctx, h.admin)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range users {
		if u.Email != "reader@example.jp" {
			continue
		}
		token, err := h.CreateToken(ctx, h.admin, u.ID, helpdesk.ScopeRead)
		if err != nil {
			t.Fatal(err)
		}
		by, scope, err := h.UserByToken(ctx, token)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Ticket(ctx, by.Actor().WithScope(scope), 1); err != nil {
			t.Errorf("reading by token: %v", err)
		}
		_, err = h.AddNote(ctx, by.Actor().WithScope(scope), 1, "x")
		wantCode(t, err, helpdesk.CodeForbidden, "scope")
	}
	wantCode(t, h.DeleteRole(ctx, h.admin, role.ID), helpdesk.CodeConflict, "reader@example.jp")
	for _, bad := range []helpdesk.CustomRole{{Name: " "}, {Name: "Admin"}, {Name: "閲覧のみ"}, {Name: "x", Permissions: []helpdesk.Permission{"fly"}}} {
		if _, err := h.SaveRoles(ctx, h.admin, bad); err == nil {
			t.Errorf("the role %+v was saved", bad)
		}
	}
}

// TestNobodyRaisesAnybodyAboveThemselves: a user who may change users and
// roles cannot become, make or take over somebody who may do more.
func TestNobodyRaisesAnybodyAboveThemselves(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	role, boss := h.roleAndUser("人事", "boss@example.jp", helpdesk.PermitRead, helpdesk.PermitUsers, helpdesk.PermitRoles, helpdesk.PermitTokens)
	admin, password := helpdesk.RoleAdmin, "another long password"
	_, err := h.ChangeUser(ctx, boss, boss.UserID, helpdesk.UserChange{Role: &admin})
	wantCode(t, err, helpdesk.CodeForbidden, "does not have itself")
	_, err = h.ChangeUser(ctx, boss, h.user.ID, helpdesk.UserChange{Password: &password})
	wantCode(t, err, helpdesk.CodeForbidden, "does not have itself")
	_, err = h.CreateUser(ctx, boss, helpdesk.NewUser{Email: "new@example.jp", Name: "n", Password: password, Role: admin})
	wantCode(t, err, helpdesk.CodeForbidden, "does not have itself")
	_, err = h.CreateToken(ctx, boss, h.user.ID, helpdesk.ScopeAdmin)
	wantCode(t, err, helpdesk.CodeForbidden, "does not have itself")
	role.Permissions = append(role.Permissions, helpdesk.PermitAudit)
	_, err = h.SaveRoles(ctx, boss, role)
	wantCode(t, err, helpdesk.CodeForbidden, "does not have itself")

	if _, err := h.CreateUser(ctx, boss, helpdesk.NewUser{Email: "new@example.jp", Name: "n", Password: password, Role: helpdesk.Role(role.ID)}); err != nil {
		t.Errorf("making an equal: %v", err)
	}
	// The house keeps somebody who may do everything.
	agent := helpdesk.RoleAgent
	_, err = h.ChangeUser(ctx, h.admin, h.user.ID, helpdesk.UserChange{Role: &agent})
	wantCode(t, err, helpdesk.CodeConflict, "last admin")
}
