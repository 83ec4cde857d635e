package helpdesk

// aliasChanges are the details of a change, in names.
func (c *command) aliasChanges(before, now *Alias) (details, error) {
	n := newNames(c, c.actor)
	said := func(a *Alias) (list [3]string, err error) {
		if a.PipelineID != "" {
			p, err := n.pipeline(a.PipelineID)
			if err != nil {
				return list, err
			}
			list[0] = p.Name
		}
		if list[1], err = n.user(a.OwnerID); err != nil {
			return list, err
		}
		list[2], err = n.team(a.TeamID)
		return list, err
	}
	was, err := said(before)
	if err != nil {
		return nil, err
	}
	is, err := said(now)
	if err != nil {
		return nil, err
	}
	return changesOf(change{"address", before.Address, now.Address}, change{"name", before.Name, now.Name},
		change{"brand", before.Brand, now.Brand}, change{"pipeline", was[0], is[0]}, change{"owner", was[1], is[1]}, change{"team", was[2], is[2]},
		change{"tags", joinTags(before.Tags), joinTags(now.Tags)}, change{"language", before.Language, now.Language},
		change{"signature", before.Signature, now.Signature}, change{"forward_to", before.ForwardTo, now.ForwardTo},
		change{"acknowledgement", before.Acknowledgement, now.Acknowledgement},
		change{"approval", yesNo(before.Approval), yesNo(now.Approval)}, change{"disabled", yesNo(before.Disabled), yesNo(now.Disabled)}, change{"managed", yesNo(before.Managed), yesNo(now.Managed)}), nil
}
