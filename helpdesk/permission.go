package helpdesk

import "iter"

// Permission is one thing that a role may allow. Every command asks for the
// one it needs before it does anything else.
type Permission string

// The permissions.
const (
	// PermitRead is to read tickets, messages, contacts and whatever names are
	// shown with them.
	PermitRead Permission = "tickets.read"
	// PermitReply is to answer customers, to log answers, and to take them back.
	PermitReply Permission = "tickets.reply"
	// PermitNote is to write internal notes.
	PermitNote Permission = "tickets.note"
	// PermitEdit is to change what a ticket says of itself: tags, fields,
	// priority, its analysis.
	PermitEdit Permission = "tickets.edit"
	// PermitStage is to move tickets through stages, to close and to reopen them.
	PermitStage Permission = "tickets.stage"
	// PermitAssign is to give tickets to people and teams.
	PermitAssign Permission = "tickets.assign"
	// PermitMerge is to merge and split tickets, to move messages, and to decide
	// on held ones.
	PermitMerge Permission = "tickets.merge"
	// PermitSpam is to mark tickets as spam, or not.
	PermitSpam Permission = "tickets.spam"
	// PermitBulk is to change many tickets at once.
	PermitBulk Permission = "tickets.bulk"
	// PermitContacts is to change, merge and import contacts and companies.
	PermitContacts Permission = "contacts.edit"

	// PermitTemplates is to change the templates that everybody uses.
	PermitTemplates Permission = "templates.shared"
	// PermitViews is to save views for everybody.
	PermitViews Permission = "views.shared"
	// PermitApprove is to approve what somebody else wrote, where an alias asks for it.
	PermitApprove Permission = "replies.approve"
	// PermitSupervise is to watch the work of all: who handles what, queues, the
	// explanation of a mail.
	PermitSupervise Permission = "supervise"
	// PermitInsights is to read reports.
	PermitInsights Permission = "insights"
	// PermitExport is to take lists out of the house as files.
	PermitExport Permission = "export"

	// PermitQuarantine is to read the mails in quarantine and to decide on them.
	PermitQuarantine Permission = "quarantine"

	// PermitInbound is to hand in mail over the API, in the name of a relay.
	PermitInbound Permission = "inbound"
	// PermitAliases is to change aliases and brands, and to see the state of
	// their domains.
	PermitAliases Permission = "aliases"
	// PermitPipelines is to change pipelines and their stages.
	PermitPipelines Permission = "pipelines"
	// PermitRules is to change what assigns, answers and sorts by itself.
	PermitRules Permission = "rules"
	// PermitHours is to change working hours and holidays.
	PermitHours Permission = "hours"
	// PermitFields is to change which fields tickets and contacts have.
	PermitFields Permission = "fields"
	// PermitErase is to erase a person's data.
	PermitErase Permission = "contacts.erase"
	// PermitSuppressions is to send again to addresses that refused.
	PermitSuppressions Permission = "suppressions.lift"

	// PermitUsers is to add and change users.
	PermitUsers Permission = "users"
	// PermitTeams is to change teams.
	PermitTeams Permission = "teams"
	// PermitRoles is to change roles.
	PermitRoles Permission = "roles"
	// PermitTokens is to see, make and revoke the API tokens of others.
	PermitTokens Permission = "tokens"
	// PermitWebhooks is to tell other programs of events.
	PermitWebhooks Permission = "webhooks"
	// PermitAudit is to read and export the audit log.
	PermitAudit Permission = "audit"
	// PermitSystem is to change settings of the house as a whole.
	PermitSystem Permission = "system"
)

// PermissionGroup is a heading of the permission table.
type PermissionGroup string

// The groups.
const (
	GroupTickets PermissionGroup = "tickets"
	GroupShared  PermissionGroup = "shared"
	GroupMail    PermissionGroup = "mail"
	GroupHouse   PermissionGroup = "house"
)

// PermissionRow is a line of the permission table.
type PermissionRow struct {
	Permission Permission
	Group      PermissionGroup
	// Scope is what an API token needs besides.
	Scope Scope
	// From is the lowest of the built-in roles that has it.
	From Role
}

// permissionTable is in the order in which it is shown. A set keeps a
// permission by its place here, in memory only: records keep names.
var permissionTable = []PermissionRow{
	{PermitRead, GroupTickets, ScopeRead, RoleAgent},
	{PermitReply, GroupTickets, ScopeWrite, RoleAgent},
	{PermitNote, GroupTickets, ScopeWrite, RoleAgent},
	{PermitEdit, GroupTickets, ScopeWrite, RoleAgent},
	{PermitStage, GroupTickets, ScopeWrite, RoleAgent},
	{PermitAssign, GroupTickets, ScopeWrite, RoleAgent},
	{PermitMerge, GroupTickets, ScopeWrite, RoleAgent},
	{PermitSpam, GroupTickets, ScopeWrite, RoleAgent},
	{PermitBulk, GroupTickets, ScopeWrite, RoleAgent},
	{PermitContacts, GroupTickets, ScopeWrite, RoleAgent},

	{PermitTemplates, GroupShared, ScopeWrite, RoleSupervisor},
	{PermitViews, GroupShared, ScopeWrite, RoleSupervisor},
	{PermitApprove, GroupShared, ScopeWrite, RoleSupervisor},
	{PermitSupervise, GroupShared, ScopeRead, RoleSupervisor},
	{PermitInsights, GroupShared, ScopeRead, RoleSupervisor},
	{PermitExport, GroupShared, ScopeRead, RoleSupervisor},

	{PermitQuarantine, GroupMail, ScopeWrite, RoleSupervisor},
	{PermitInbound, GroupMail, ScopeInbound, RoleAdmin},
	{PermitAliases, GroupMail, ScopeAdmin, RoleAdmin},
	{PermitPipelines, GroupMail, ScopeAdmin, RoleAdmin},
	{PermitRules, GroupMail, ScopeAdmin, RoleAdmin},
	{PermitHours, GroupMail, ScopeAdmin, RoleAdmin},
	{PermitFields, GroupMail, ScopeAdmin, RoleAdmin},
	{PermitErase, GroupMail, ScopeAdmin, RoleAdmin},
	{PermitSuppressions, GroupMail, ScopeAdmin, RoleAdmin},

	{PermitUsers, GroupHouse, ScopeAdmin, RoleAdmin},
	{PermitTeams, GroupHouse, ScopeAdmin, RoleAdmin},
	{PermitRoles, GroupHouse, ScopeAdmin, RoleAdmin},
	{PermitTokens, GroupHouse, ScopeAdmin, RoleAdmin},
	{PermitWebhooks, GroupHouse, ScopeAdmin, RoleAdmin},
	{PermitAudit, GroupHouse, ScopeAdmin, RoleAdmin},
	{PermitSystem, GroupHouse, ScopeAdmin, RoleAdmin},
}

// Permissions are all permissions with what belongs to them, in the order in
// which they are shown.
func Permissions() iter.Seq[PermissionRow] {
	return func(yield func(PermissionRow) bool) {
		for _, row := range permissionTable {
			if !yield(row) {
				return
			}
		}
	}
}

func (p Permission) place() int {
	for i, row := range permissionTable {
		if row.Permission == p {
			return i
		}
	}
	return -1
}

// Valid reports whether p is one of the permissions.
func (p Permission) Valid() bool { return p.place() >= 0 }

func (p Permission) scope() Scope {
	if i := p.place(); i >= 0 {
		return permissionTable[i].Scope
	}
	return ScopeAdmin
}

// PermissionSet is what a role allows. The zero set allows nothing.
type PermissionSet uint64

// NewPermissionSet returns the set of the permissions that are there; others,
// which a newer program may have written, are left out.
func NewPermissionSet(list ...Permission) (s PermissionSet) {
	for _, p := range list {
		if i := p.place(); i >= 0 {
			s |= 1 << i
		}
	}
	return s
}

// Has reports whether p is in s.
func (s PermissionSet) Has(p Permission) bool {
	i := p.place()
	return i >= 0 && s&(1<<i) != 0
}

// Within reports whether other has everything that s has.
func (s PermissionSet) Within(other PermissionSet) bool { return s&^other == 0 }

// List returns the permissions of s in the order of the table.
func (s PermissionSet) List() (list []Permission) {
	for i, row := range permissionTable {
		if s&(1<<i) != 0 {
			list = append(list, row.Permission)
		}
	}
	return list
}

// builtIn returns what a built-in role allows; false for a role of the house's own.
func (r Role) builtIn() (s PermissionSet, ok bool) {
	if r.rank() == 0 {
		return 0, false
	}
	for i, row := range permissionTable {
		if r.rank() >= row.From.rank() {
			s |= 1 << i
		}
	}
	return s, true
}
