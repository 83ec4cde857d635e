package main

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// applyFile makes the desk agree with what the file declares.
func (s *server) applyFile(ctx context.Context, c config) error {
	declared := helpdesk.Declared{File: c.path}
	for _, p := range c.Pipelines {
		pipeline := helpdesk.DeclaredPipeline{Name: p.Name, Reopen: p.Reopen == nil || *p.Reopen, ReopenStage: p.ReopenStage}
		for _, stage := range p.Stages {
			pipeline.Stages = append(pipeline.Stages, helpdesk.Stage{Name: stage.Name, Kind: helpdesk.StageKind(stage.Kind)})
		}
		declared.Pipelines = append(declared.Pipelines, pipeline)
	}
	for _, a := range c.Aliases {
		declared.Aliases = append(declared.Aliases, helpdesk.DeclaredAlias(a))
	}
	if len(declared.Aliases) > 0 && len(declared.Pipelines) == 0 {
		if err := s.desk.EnsurePipeline(ctx, declared.Aliases[0].Language); err != nil {
			return err
		}
	}
	if err := s.desk.ApplyFile(ctx, declared); err != nil {
		return fmt.Errorf("%s: %w", c.path, err)
	}
	return nil
}

// reload reads the configuration again. A file that is wrong changes nothing;
// certificates that cannot be read leave those in use.
func (s *server) reload(ctx context.Context, flags serveFlags) {
	c, err := flags.read()
	if err != nil {
		s.log.Warn("reload: nothing was changed", "error", err)
		return
	}
	for _, part := range []struct {
		name   string
		follow func() error
	}{
		{"certificates", func() error { return s.certificates.reload(s.config, c) }},
		{"aliases and pipelines", func() error { return s.applyFile(ctx, c) }},
		{"log level", func() error { return setLevel(c.Log, &s.level) }},
	} {
		if err := part.follow(); err != nil {
			s.log.Warn("reload: left as before: "+part.name, "error", err)
			continue
		}
		s.log.Info("reloaded "+part.name, "file", c.path)
	}
	if waiting := needsRestart(s.config, c); len(waiting) > 0 {
		s.log.Warn("reload: a restart is needed for these keys", "keys", strings.Join(waiting, ", "))
	}
}

// reloadable keys take effect without a restart.
var reloadable = map[string]bool{
	"pipeline": true, "alias": true, "log.level": true,
	"smtp.tls_cert": true, "smtp.tls_key": true, "web.tls_cert": true, "web.tls_key": true,
}

// needsRestart names the keys whose change a running server does not follow.
func needsRestart(running, read config) (keys []string) {
	before, after := reflect.ValueOf(running), reflect.ValueOf(read)
	for table := range before.Type().Fields() {
		name := table.Tag.Get("toml")
		if name == "" || reloadable[name] {
			continue
		}
		was, is := before.FieldByIndex(table.Index), after.FieldByIndex(table.Index)
		if table.Type.Kind() != reflect.Struct {
			if !reflect.DeepEqual(was.Interface(), is.Interface()) {
				keys = append(keys, name)
			}
			continue
		}
		for field := range table.Type.Fields() {
			key := name + "." + field.Tag.Get("toml")
			if (!reloadable[key] || switchesTLS(was.FieldByIndex(field.Index), is.FieldByIndex(field.Index))) && was.FieldByIndex(field.Index).Interface() != is.FieldByIndex(field.Index).Interface() {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// switchesTLS says whether a file's name appears or disappears: its listener
// would have to begin or end TLS.
func switchesTLS(was, is reflect.Value) bool { return was.IsZero() != is.IsZero() }
