package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/grafana/alloy/syntax/ast"
	"github.com/grafana/alloy/syntax/parser"
)

// alloy reads configurations of Alloy with its own parser, and checks that what their components refer to exists. What a component
// makes of its arguments only Alloy itself knows.
func alloy(files []string) error {
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		read, err := parser.ParseFile(file, text)
		if err != nil {
			return err
		}
		known, err := components(read.Body)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		var wrong []string
		count := 0
		ast.Walk(references(func(path string) {
			count++
			if !exports(known, path) {
				wrong = append(wrong, path)
			}
		}), read)
		if len(wrong) > 0 {
			return fmt.Errorf("%s: no component is called %s", file, strings.Join(wrong, ", "))
		}
		if len(known) == 0 || count == 0 {
			return fmt.Errorf("%s: %d components, %d references: nothing was checked", file, len(known), count)
		}
		fmt.Printf("alloy: %s: %d components, %d references\n", file, len(known), count)
	}
	return nil
}

// components are the blocks with a label, such as `loki.write.loki`.
func components(body ast.Body) (map[string]bool, error) {
	found := map[string]bool{}
	for _, statement := range body {
		block, is := statement.(*ast.BlockStmt)
		if !is || block.Label == "" {
			continue
		}
		name := strings.Join(block.Name, ".") + "." + block.Label
		if found[name] {
			return nil, fmt.Errorf("there are two components %s", name)
		}
		found[name] = true
	}
	return found, nil
}

// exports says whether a reference is one to something in a component.
func exports(known map[string]bool, path string) bool {
	for name := range known {
		if strings.HasPrefix(path, name+".") {
			return true
		}
	}
	return false
}

// references calls a function with each reference in the expressions, such as `loki.write.loki.receiver`.
type references func(path string)

func (found references) Visit(node ast.Node) ast.Visitor {
	expression, is := node.(ast.Expr)
	if !is {
		return found
	}
	if path := dotted(expression); path != "" {
		found(path)
		return nil
	}
	return found
}

// dotted is the name in an expression that is nothing but a name; otherwise it is empty.
func dotted(expression ast.Expr) string {
	switch read := expression.(type) {
	case *ast.IdentifierExpr:
		return read.Ident.Name
	case *ast.AccessExpr:
		if before := dotted(read.Value); before != "" {
			return before + "." + read.Name.Name
		}
	}
	return ""
}
