package ui_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// validate returns what of value is not as the schema says. It is stricter
// than JSON Schema: a property that the schema does not name is a problem, so
// the description stays whole; and a keyword it does not know is one too, so
// nothing passes for want of understanding.
func (d *apiDescription) validate(schema map[string]any, value any, at string) (problems []string) {
	return append(d.keywords(schema, value, at), d.undescribed(schema, value, at)...)
}

func (d *apiDescription) keywords(schema map[string]any, value any, at string) (problems []string) {
	fail := func(format string, args ...any) { problems = append(problems, at+": "+fmt.Sprintf(format, args...)) }
	for keyword, rule := range schema {
		switch keyword {
		case "description", "default", "example", "examples", "contentEncoding", "additionalProperties":
		case "$ref":
			target := d.resolve(schema)
			if target == nil {
				fail("%v leads nowhere", rule)
			}
			problems = append(problems, d.keywords(target, value, at)...)
		case "type":
			if !hasType(rule, value) {
				fail("%v is not of type %v", value, rule)
			}
		case "enum":
			if !slices.Contains(rule.([]any), value) {
				fail("%v is not one of %v", value, rule)
			}
		case "format":
			if text, ok := value.(string); ok {
				if _, err := time.Parse(time.RFC3339, text); err != nil || rule != "date-time" {
					fail("%q is not of format %v", text, rule)
				}
			}
		case "minimum", "maximum", "minLength", "maxLength", "maxItems":
			if !withinBound(keyword, rule.(int), value) {
				fail("%v is against %s %v", value, keyword, rule)
			}
		case "required":
			o, _ := value.(map[string]any)
			for _, name := range rule.([]any) {
				if _, ok := o[name.(string)]; o != nil && !ok {
					fail("%v is missing", name)
				}
			}
		case "properties":
			o, _ := value.(map[string]any)
			for name, property := range rule.(map[string]any) {
				if inner, ok := o[name]; ok {
					problems = append(problems, d.validate(property.(map[string]any), inner, at+"."+name)...)
				}
			}
		case "items":
			list, _ := value.([]any)
			for i, item := range list {
				problems = append(problems, d.validate(rule.(map[string]any), item, fmt.Sprintf("%s[%d]", at, i))...)
			}
		case "allOf":
			for _, part := range rule.([]any) {
				problems = append(problems, d.keywords(part.(map[string]any), value, at)...)
			}
		case "anyOf":
			problems = append(problems, d.anyOf(rule.([]any), value, at)...)
		default:
			fail("the schema says %q, which this test cannot check", keyword)
		}
	}
	return problems
}

// anyOf returns the problems of the choice that fits best.
func (d *apiDescription) anyOf(choices []any, value any, at string) (fewest []string) {
	for i, choice := range choices {
		if problems := d.validate(choice.(map[string]any), value, at); i == 0 || len(problems) < len(fewest) {
			fewest = problems
		}
	}
	return fewest
}

// undescribed lists the properties of value that the schema does not name.
func (d *apiDescription) undescribed(schema map[string]any, value any, at string) (problems []string) {
	o, ok := value.(map[string]any)
	if _, choice := schema["anyOf"]; !ok || choice {
		return nil
	}
	names, free := d.names(schema)
	for name := range o {
		if !free && !slices.Contains(names, name) {
			problems = append(problems, fmt.Sprintf("%s: %s is not described", at, name))
		}
	}
	return problems
}

// names returns the properties that a schema names, and whether it allows
// others.
func (d *apiDescription) names(schema map[string]any) (names []string, free bool) {
	schema = d.resolve(schema)
	properties, _ := schema["properties"].(map[string]any)
	names = slices.Collect(maps.Keys(properties))
	_, free = schema["additionalProperties"].(map[string]any)
	parts, _ := schema["allOf"].([]any)
	for _, part := range parts {
		more, also := d.names(part.(map[string]any))
		names, free = append(names, more...), free || also
	}
	return names, free
}

func hasType(rule, value any) bool {
	if list, ok := rule.([]any); ok {
		return slices.ContainsFunc(list, func(r any) bool { return hasType(r, value) })
	}
	switch value := value.(type) {
	case nil:
		return rule == "null"
	case string:
		return rule == "string"
	case bool:
		return rule == "boolean"
	case float64:
		return rule == "integer" && value == float64(int64(value))
	case []any:
		return rule == "array"
	case map[string]any:
		return rule == "object"
	}
	return false
}

func withinBound(keyword string, bound int, value any) bool {
	size := float64(bound)
	switch value := value.(type) {
	case float64:
		size = value
	case string:
		size = float64(len([]rune(value)))
	case []any:
		size = float64(len(value))
	}
	if strings.HasPrefix(keyword, "min") {
		return size >= float64(bound)
	}
	return size <= float64(bound)
}
