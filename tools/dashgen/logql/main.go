// Command logql checks LogQL with Loki's own parser: one query a line on standard input. It prints every query that does
// not parse, with what the parser says, and exits with 1 if there is one.
package main

import (
	"bufio"
	"fmt"
	"os"

	"github.com/grafana/loki/v3/pkg/logql/syntax"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	read, wrong := 0, 0
	for lines.Scan() {
		read++
		if _, err := syntax.ParseExpr(lines.Text()); err != nil {
			wrong++
			fmt.Printf("%s\n    %v\n", lines.Text(), err)
		}
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintf(os.Stderr, "logql: cannot read the queries: %v\n", err)
		os.Exit(2)
	}
	fmt.Printf("%d queries read, %d wrong\n", read, wrong)
	if wrong > 0 {
		os.Exit(1)
	}
}
